"""One batch at a time in an output folder, on whichever machines batches run."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event, Thread

from panfocus import schema
from panfocus.batch.record import FOLDER
from panfocus.errors import OutputError, PanfocusError, UsageError
from panfocus.io.atomic import cannot_write, write_atomic
from panfocus.resources.paths import is_file, is_folder

#: A run says so often that it lives, and is taken for dead after so long a silence, in seconds.
_BEAT_S, _SILENCE_S = 10.0, 120.0
#: By how much the start of one process may seem to differ, as clocks are set, in seconds.
_SAME_START_S = 5.0
_MOST_BYTES = 2**16


@dataclass(frozen=True)
class _Running:
    """Who is at work in a folder: a run, its host and process, and when that process began.

    Attributes:
        turn: how many folders the run has reserved before, one in the place of the other.
    """

    run: str
    host: str
    pid: int
    started: float | None = None
    turn: int = 0


class Lock:
    """An output folder that one run has for itself.

    Attributes:
        run: its name, of letters and digits; work on the way is named by it.
    """

    def __init__(self, out: Path, folders: set[Path]) -> None:
        """Set up.

        Args:
            out: the output folder.
            folders: those that results go into.
        """
        self._out, self._folders = out, folders
        self._path = out / FOLDER / "running.json"
        self.run = secrets.token_hex(4)
        pid = os.getpid()
        self._own = _Running(self.run, socket.gethostname(), pid, _start_of(pid))
        #: Turns whose folder was empty before: places of drives, and not what is on them.
        self._empty: set[int] = set()

    def reserve(self) -> None:
        """Reserve the folder, and clear away what a killed run left there.

        Raises:
            UsageError: another run is at work there.
            OutputError: the folder cannot be written to.
        """
        self._reserve(self._own)

    def _reserve(self, own: _Running) -> None:
        is_empty = not is_folder(self._path.parent)
        _reserve(self._path, own, self._out, self._folders)
        self._own = own
        if is_empty:
            self._empty.add(own.turn)

    def holds(self) -> bool:
        """Whether the output folder is still the one that was reserved.

        It is not where a drive is away, and the empty place is left that it was mounted on.
        """
        there = _read(self._path)
        return there is not None and (there.run, there.turn) == (self.run, self._own.turn)

    def takes_up(self) -> bool:
        """Reserve what is in the folder's place now, and say whether that could be done.

        A run may have begun in the empty place of a drive, or its folder was another machine's
        for a while. Taken is only a folder in which batches have been, and nobody is.
        """
        there = _read(self._path)
        if there is not None and there.run == self.run and there.turn in self._empty:
            return False  # the drive has gone again
        if not is_folder(self._path.parent):
            return False
        try:
            self._reserve(replace(self._own, turn=self._own.turn + 1))
        except (PanfocusError, OSError):  # another run is at work there, or the disk is full
            return False
        return True

    def beat(self, over: Event) -> None:
        """Say again and again that the run lives, until it is over."""
        while not over.wait(_BEAT_S):
            with suppress(OSError):
                os.utime(self._path)

    def clear(self) -> None:
        """Give the folder back; where a drive is away, the next run does it."""
        with suppress(OSError):
            _clear(self._out, self._folders, self.run)
            if (there := _read(self._path)) is not None and there.run == self.run:
                self._path.unlink(missing_ok=True)


@contextmanager
def alone_in(out: Path, folders: set[Path]) -> Generator[Lock]:
    """Have the output folder for this run, and give it back in the end; raises as `reserve`."""
    lock = Lock(out, folders)
    over = Event()
    try:
        lock.reserve()
        Thread(target=lock.beat, args=(over,), daemon=True).start()
        yield lock
    finally:
        over.set()
        lock.clear()


def _reserve(path: Path, own: _Running, out: Path, folders: set[Path]) -> None:
    """Put this run's name into the folder, unless another one is there that lives."""
    data = json.dumps(asdict(own)).encode()
    for _ in range(2):
        there = _read(path)
        if there is not None and _lives(there, path):
            raise _taken(out, there)
        if there is not None and there.run != own.run:
            _clear(out, folders, there.run)
        try:
            if os.path.lexists(path):
                path.unlink(missing_ok=True)
        except OSError as error:  # somebody has made a folder of that name
            raise cannot_write(path, error) from error
        try:
            write_atomic(path, [data], overwrite=False)
        except OutputError:
            if not is_file(path):
                raise
            continue  # another run was quicker
        return
    raise _taken(out, _read(path))


def _taken(out: Path, by: _Running | None) -> UsageError:
    return UsageError(
        "another batch is at work in this output folder",
        where=str(out),
        got=f"process {by.pid} on {by.host}" if by else "another run",
        remedy="wait for it, or choose another folder",
    )


def _read(path: Path) -> _Running | None:
    """Return who is at work; None where nobody is, or what is there is no such file."""
    try:
        facts = schema.record(schema.read(path, _MOST_BYTES))
        started = facts.get("started")
        run = schema.text(schema.item(facts, "run"), "run", is_empty=False, most=64)
        return _Running(
            run,
            schema.text(schema.item(facts, "host"), "host", most=1000),
            schema.whole(schema.item(facts, "pid"), "pid", 0, 2**31 - 1),
            None if started is None else schema.number(started, "started"),
            schema.whole(facts.get("turn", 0), "turn", 0, 2**31 - 1),
        )
    except (OSError, schema.SchemaError):
        return None


def _lives(there: _Running, path: Path) -> bool:
    if there.host != socket.gethostname():
        return _is_heard(path)
    if there.pid in (0, os.getpid()):
        return False
    started = _start_of(there.pid)
    if started is None:
        return False
    if not started:
        return _is_heard(path)
    # its number may be another program's by now
    if there.started is None:
        return _is_as_old(path, started)
    return abs(started - there.started) < _SAME_START_S


def _is_as_old(path: Path, started: float) -> bool:
    """Whether a process was there when a lock was written that does not say when its own began."""
    try:
        return started < path.stat().st_mtime + _SAME_START_S
    except OSError:
        return False


def _start_of(pid: int) -> float | None:
    """Return when a process of this machine began; None where there is none, 0 if nobody tells."""
    import psutil  # noqa: PLC0415  as `resources.memory`

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:  # another user's, of which nothing is told
        return 0.0


def _is_heard(path: Path) -> bool:
    """Whether a run on another machine has said lately that it lives, by the drive's own clock."""
    probe = path.with_name(f".panfocus-{secrets.token_hex(8)}.part")
    try:
        try:
            probe.open("xb").close()
            return probe.stat().st_mtime - path.stat().st_mtime < _SILENCE_S
        finally:
            probe.unlink(missing_ok=True)
    except OSError:
        return False


def _clear(out: Path, folders: set[Path], run_id: str) -> None:
    """Delete folders on the way that workers of this run could not delete when they died."""
    if not run_id.isalnum():  # of a file that is not ours: no pattern to delete by
        return
    for path in [p for f in (out, *folders) for p in f.glob(f".panfocus-{run_id}-*")]:
        shutil.rmtree(path, ignore_errors=True)
    for path in (out / FOLDER).rglob(f"*.{run_id}"):
        with suppress(OSError):
            path.unlink(missing_ok=True)
