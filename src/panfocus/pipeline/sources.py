"""Where frames come from: files, arrays, or anything that yields arrays, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import shrink
from panfocus.errors import InputError, UsageError
from panfocus.frame import Item, no_metadata
from panfocus.pipeline.array_frames import as_pixels

Paths = str | Path | Sequence[str | Path]
Arrays = NDArray[Any] | Iterable["NDArray[Any] | Item"]
Source = Paths | Arrays

#: Told what the user should know of how a frame is taken.
Note = Callable[[str], None]


def _unheard(_note: str) -> None:
    """For those who look at frames a second time."""


_First = tuple[tuple[int, ...], np.dtype[Any]]


def _checked(
    n: int, array: NDArray[Any] | Item, first: _First | None, note: Note = _unheard
) -> Item:
    """Return a frame of an array, or the item that the caller has made.

    Raises:
        InputError: it is no picture, has the wrong kind of number, or does not fit the first.
    """
    if isinstance(array, Item):  # of our own making, in ranges of their own
        item = array
    else:
        name = f"frame {n}"
        pixels = as_pixels(array, name, note)
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        item = Item(name, pixels, has_alpha, no_metadata())
    found = item.pixels.shape, item.pixels.dtype
    if first is not None and found != first:
        raise InputError(
            "the frames do not fit together",
            where=item.name,
            expected=f"shape {first[0]}, {first[1]}",
            got=f"shape {found[0]}, {found[1]}",
            remedy="give frames of one size, number of channels and dtype",
        )
    return item


def from_arrays(arrays: Iterable[NDArray[Any] | Item], note: Note = _unheard) -> Iterator[Item]:
    """Yield checked frames of an array or iterable of arrays, or of items made by the caller.

    Args:
        arrays: frames.
        note: told what was converted, once a frame.

    Raises:
        InputError: a frame has the wrong kind of number, or does not fit the first.
    """
    first: _First | None = None
    for n, array in enumerate(arrays):
        item = _checked(n, array, first, note)
        first = first or (item.pixels.shape, item.pixels.dtype)
        yield item


class _Later(Thread):
    """A frame being decoded in the background (a pool of one costs a tenth of the start-up).

    Not a daemon: the interpreter must not go while a codec is at work. It is waited for by an
    event, since Python 3.11 forgets a thread when `join` is interrupted.
    """

    def __init__(self, read: Callable[[], Item]) -> None:
        super().__init__()
        self._read = read
        self._item: Item | None = None
        self._error: Exception | None = None
        self._done = Event()
        self.start()

    def run(self) -> None:
        try:
            self._item = self._read()
        except Exception as error:
            self._error = error
        finally:
            self._done.set()

    def item(self) -> Item:
        """Wait for the frame."""
        self._done.wait()
        if self._item is None:
            assert self._error is not None
            raise self._error
        item, self._item = self._item, None
        return item


def _ahead(reads: Sequence[Callable[[], Item]]) -> Iterator[Item]:
    """Decode one frame ahead of the one in use."""
    ahead = _Later(reads[0])
    for read in reads[1:]:
        item = ahead.item()
        ahead = _Later(read)
        yield item
    yield ahead.item()


def _read(info: io.FrameInfo) -> Item:
    frame = io.read_frame(info)
    found = tuple(note for note in frame.notes if note not in info.notes)
    return Item(frame.name, frame.pixels, frame.has_alpha, frame.metadata, notes=found)


def _read_small(info: io.FrameInfo, factor: int) -> Item:
    frame, reached = io.read_reduced(info, factor)
    small = shrink(frame.pixels, factor // reached)
    small = small[: info.height // factor, : info.width // factor]
    return Item(frame.name, np.ascontiguousarray(small), frame.has_alpha, frame.metadata)


@dataclass(frozen=True)
class FileStack:
    """Frames in files, one decoded ahead of the one in use."""

    infos: Sequence[io.FrameInfo]

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        return len(self.infos), self.infos[0].height, self.infos[0].width

    def items(self) -> Iterator[Item]:
        """Yield the frames in order."""
        return _ahead([partial(_read, info) for info in self.infos])

    def small(self, order: Sequence[int], factor: int) -> Iterator[Item]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``."""
        return _ahead([partial(_read_small, self.infos[n], factor) for n in order])


class Again(Protocol):
    """Frames of a known number that can be gone through more than once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray[Any] | Item]: ...


@dataclass(frozen=True)
class ArrayStack:
    """Frames of an array ``(N, H, W[, C])``, a sequence, or anything else that is `Again`."""

    arrays: Again
    note: Note = _unheard

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width; no frames, no size."""
        first = next(from_arrays(self.arrays), None)
        if first is None:
            return 0, 0, 0
        height, width = first.pixels.shape[:2]
        return len(self.arrays), height, width

    def items(self) -> Iterator[Item]:
        """Yield the frames in order."""
        return from_arrays(self.arrays, self.note)

    def small(self, order: Sequence[int], factor: int) -> Iterator[Item]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``.

        Raises:
            UsageError: another order than their own of frames that know no other.
        """
        if list(order) == list(range(len(self.arrays))):
            for item in from_arrays(self.arrays):
                yield item.shrunk(factor)
            return
        arrays = self.arrays
        if not isinstance(arrays, (np.ndarray, Sequence)):
            raise UsageError(
                "these frames can only be read in their order",
                where="align_to",
                expected="neighbour",
                got="reference",
            )
        frames = cast("Sequence[NDArray[Any] | Item]", arrays)
        first = _checked(0, frames[0], None)
        for n in order:
            item = _checked(n, frames[n], (first.pixels.shape, first.pixels.dtype))
            yield item.shrunk(factor)


def is_paths(source: object) -> TypeGuard[Paths]:
    """Tell file names from pictures."""
    if isinstance(source, (str, Path)):
        return True
    if not isinstance(source, Sequence):
        return False
    items = cast("Sequence[object]", source)
    return len(items) > 0 and isinstance(items[0], (str, Path))
