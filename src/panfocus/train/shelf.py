"""Where pictures of a run lie: in memory as far as there is room, else on disk, read by crops.

With a folder, what took time to make (aligned frames, and which frames lie on each other) is kept
there under a key made of the files' content, so that a second run finds it. Files are written
whole or not at all, and never replaced by others of another content.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus import schema
from panfocus.io.atomic import write_atomic
from panfocus.resources.memory import available_memory
from panfocus.resources.paths import is_file
from panfocus.train.levels import Picture

Byte = NDArray[np.uint8]
#: Name of the folder in that of a run.
NAME = "material"
#: What pictures are kept as.
_DTYPES = tuple(np.dtype(kind) for kind in (np.uint8, np.uint16))
#: Share of the memory that is free which pictures may take, those of all processes together.
SHARE = 0.3
#: What a picture takes besides its pixels: a mask of places to avoid, and its part of a fused set.
BESIDES = 1.8


class Shelf:
    """Holds pictures; counts the memory that they take."""

    def __init__(
        self, folder: Path | None = None, *, room: int | None = None, writes: bool = True
    ) -> None:
        """Set up; nothing is written yet.

        Args:
            folder: where to keep what took time to make; None for nowhere.
            room: bytes that pictures may take in memory; None for a share of what is free.
            writes: whether anything is put into the folder, or only found there.
        """
        self._folder = folder
        if room is None:
            processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
            room = int(SHARE * available_memory() / processes)
        self._room = room
        self._writes = writes and folder is not None

    @property
    def keeps(self) -> bool:
        """Whether there is a folder to find things in."""
        return self._folder is not None

    @property
    def room(self) -> int:
        """Bytes that further pictures may take in memory."""
        return max(self._room, 0)

    def spend(self, frames: Iterable[Picture]) -> None:
        """Count pictures that stay; those on disk take nothing."""
        taken = sum(f.nbytes for f in frames if not isinstance(f, np.memmap))
        self._room -= int(BESIDES * taken)

    def hold(self, frames: Iterator[Picture], count: int) -> list[Picture]:
        """Take `count` pictures of one shape and dtype, on disk where memory has no room.

        What lies on disk goes with the last picture of it.
        """
        first = next(frames)
        if count * first.nbytes * BESIDES <= self._room:
            return [first, *frames]
        allow_many_files()
        held = _room_on_disk((count, *first.shape), first.dtype, self._place())
        held[0] = first
        for number, frame in enumerate(frames, start=1):
            held[number] = frame
        return list(held)

    def _place(self) -> Path | None:
        if not self._writes or self._folder is None:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def facts(self, key: str) -> dict[str, Any] | None:
        """Return what was kept under a key, None for nothing."""
        if self._folder is None:
            return None
        try:
            found: object = schema.read(self._folder / f"{key}.json")
        except (OSError, ValueError):
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None

    def part(self, key: str, number: int, shape: tuple[int, int, int, int]) -> list[Picture] | None:
        """Return the pictures of a part; None if they are not there, or not whole.

        Args:
            key: see `facts`.
            number: of the part.
            shape: of all its pictures, ``(N, H, W, 3)``.
        """
        if self._folder is None:
            return None
        path = self._folder / f"{key}.{number}.npy"
        if not is_file(path):  # a pipe would be waited for
            return None
        try:
            held = np.lib.format.open_memmap(path, mode="r")
        except (OSError, ValueError, EOFError, OverflowError, TypeError):
            return None
        if held.shape != shape or held.dtype not in _DTYPES:
            return None
        if held.nbytes * BESIDES <= self._room:
            return list(cast("Picture", np.array(held)))
        allow_many_files()
        return list(held)

    def keep(
        self, key: str, facts: dict[str, Any], parts: Sequence[Sequence[Picture]]
    ) -> list[list[Picture]]:
        """Write facts and parts, the facts last: who finds them finds all.

        Returns:
            The parts; those on disk from where they are kept now.

        Raises:
            OutputError: a disk is full, or the folder cannot be written.
        """
        if not self._writes or self._folder is None:
            return [list(part) for part in parts]
        out: list[list[Picture]] = []
        for number, part in enumerate(parts):
            write_atomic(self._folder / f"{key}.{number}.npy", _npy(part), overwrite=True)
            on_disk = isinstance(part[0], np.memmap)
            shape = len(part), *part[0].shape
            held = self.part(key, number, shape) if on_disk else None
            out.append(held or list(part))
        text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
        write_atomic(self._folder / f"{key}.json", [text.encode()], overwrite=True)
        return out


def allow_many_files() -> None:
    """Let as many files be open as the system allows: every set on disk is one."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _npy(frames: Sequence[Picture]) -> Iterator[bytes]:
    """Yield the pieces of a NumPy file of frames stacked."""
    head = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(frames[0].dtype)
    shape = (len(frames), *frames[0].shape)
    np.lib.format.write_array_header_1_0(
        head, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    yield head.getvalue()
    for frame in frames:
        yield np.ascontiguousarray(frame).tobytes()


def _room_on_disk(
    shape: tuple[int, ...], dtype: np.dtype[Any], place: Path | None
) -> np.memmap[Any, Any]:
    """Return a writable map of a file without a name, which goes when the last view of it goes."""
    with tempfile.TemporaryFile(dir=place, prefix=".panfocus-") as file:
        return np.memmap(cast("Any", file), dtype, "w+", shape=shape)


def masks_beside(pictures: Sequence[Picture], make: Callable[[Picture], Byte]) -> list[Byte]:
    """Make a mask ``(H, W)`` for each picture; for those on disk on disk as well, in one file."""
    sizes = [p.shape[0] * p.shape[1] for p in pictures if isinstance(p, np.memmap)]
    room = _room_on_disk((sum(sizes),), np.dtype(np.uint8), _folder_of(pictures)) if sizes else None
    start = 0
    out: list[Byte] = []
    for picture in pictures:
        mask = make(picture)
        if room is None or not isinstance(picture, np.memmap):
            out.append(mask)
            continue
        held = room[start : start + mask.size].reshape(mask.shape)
        held[:] = mask
        start += mask.size
        out.append(held)
    return out


def _folder_of(pictures: Sequence[Picture]) -> Path | None:
    names = (p.filename for p in pictures if isinstance(p, np.memmap))
    return next((Path(n).parent for n in names if isinstance(n, (str, Path))), None)
