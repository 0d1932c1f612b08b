"""TensorBoard's file of events, written at once and whole: a full disk leaves no piece of one.

TensorBoard's own writer works in a thread, which ends in a traceback where the disk takes no more.
"""

from __future__ import annotations

import io
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import summary

from panfocus.io.atomic import cannot_write
from panfocus.resources.paths import is_there

#: Made by protobuf, and without types.
_events: Any = event_pb2
_summary: Any = summary


class Board:
    """Adds events to a new file in a folder."""

    def __init__(self, folder: Path, step: int) -> None:
        """Set up; the file is made with the first event.

        Args:
            folder: of the files of all sessions.
            step: from which on what earlier sessions have told no longer counts.
        """
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.0"
        self._path = folder / name
        self._step = step

    def numbers(self, values: dict[str, float], step: int) -> None:
        """Add numbers by name.

        Raises:
            OutputError: they cannot be written.
        """
        made: list[Any] = [
            _events.Event(summary=_summary.scalar(name, value)) for name, value in values.items()
        ]
        self._add(made, step)

    def picture(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """Add a picture, RGB ``(H, W, 3)``.

        Raises:
            OutputError: it cannot be written.
        """
        self._add([_events.Event(summary=_summary.image(name, picture, dataformats="HWC"))], step)

    def _add(self, events: list[Any], step: int) -> None:
        for event in events:
            event.step = step
        first = [] if is_there(self._path) else self._head()
        packed = io.BytesIO()
        writer = RecordWriter(packed)
        for event in (*first, *events):
            event.wall_time = time.time()
            writer.write(event.SerializeToString())
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append_whole(self._path, packed.getvalue())
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _head(self) -> list[Any]:
        head: list[Any] = [_events.Event(file_version="brain.Event:2")]
        if self._step:
            start = _events.SessionLog(status=_events.SessionLog.START)
            head.append(_events.Event(step=self._step, session_log=start))
        return head


def append_whole(path: Path, data: bytes) -> None:
    """Add bytes to a file, all or none; it is made if missing.

    Raises:
        OSError: the system refuses.
    """
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(before)
            raise
