"""Where frames come from: files, arrays, or anything that yields arrays, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import shrink
from panfocus.errors import InputError, UsageError
from panfocus.frame import Frame
from panfocus.frozen import frozen
from panfocus.pipeline.array_frames import as_pixels, check_picture, no_picture
from panfocus.resources.later import Later
from panfocus.resources.spare import OF_FRAMES
from panfocus.schema import said

Paths = str | Path | Sequence[str | Path]
Arrays = NDArray[Any] | Iterable["NDArray[Any] | Frame"]
Source = Paths | Arrays

#: Told what the user should know of how a frame is taken.
Note = Callable[[str], None]


def _unheard(_note: str) -> None:
    """For those who look at frames a second time."""


#: Told the number of a frame that was looked at, and the frame.
Seen = Callable[[int, Frame], None]


def _unseen(_number: int, _frame: Frame) -> None:
    """For those who look at none themselves."""


_First = tuple[tuple[int, ...], np.dtype[Any]]


def _checked(
    n: int, array: NDArray[Any] | Frame, first: _First | None, note: Note = _unheard
) -> Frame:
    """Return a frame of an array, or the frame that the caller has made.

    Raises:
        InputError: it is no picture, has the wrong kind of number, or does not fit the first.
    """
    if isinstance(array, Frame):  # of our own making, in ranges of their own
        _check_made(array)
        frame = replace(array)  # what is worked out of it is not left with the caller
    else:
        name = f"frame {n}"
        pixels = as_pixels(array, name, note)
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        frame = Frame(name, pixels, has_alpha)
    found = frame.pixels.shape, frame.pixels.dtype
    if first is not None and found != first:
        raise InputError(
            "the frames do not fit together",
            where=frame.name,
            expected=f"shape {first[0]}, {first[1]}",
            got=f"shape {found[0]}, {found[1]}",
            remedy="give frames of one size, number of channels and dtype",
        )
    return frame


def _check_made(frame: Frame) -> None:
    """Refuse a frame whose pixels are none, which its caller alone has looked at."""
    held: object = frame.held
    if isinstance(held, np.ndarray):
        check_picture(cast("NDArray[Any]", held), frame.name)
    elif not callable(getattr(held, "whole", None)):
        raise no_picture(frame.name, said(held))


def _admitted(_frame: Frame) -> None:
    """For those who know how much memory the frames take."""


def from_arrays(
    arrays: Iterable[NDArray[Any] | Frame],
    note: Note = _unheard,
    admit: Callable[[Frame], None] = _admitted,
) -> Iterator[Frame]:
    """Yield checked frames of an array or iterable of arrays, or of frames made by the caller.

    Args:
        arrays: frames.
        note: told what was converted, once a frame.
        admit: asked about the first, for all are as large; raises where that is too large.

    Raises:
        InputError: a frame has the wrong kind of number, or does not fit the first.
    """
    first: _First | None = None
    for n, array in enumerate(arrays):
        frame = _checked(n, array, first, note)
        if first is None:
            admit(frame)
        first = first or (frame.pixels.shape, frame.pixels.dtype)
        yield frame


def _ahead(reads: Sequence[Callable[[], Frame]]) -> Iterator[Frame]:
    """Decode one frame ahead of the one in use."""
    with OF_FRAMES.kept():
        ahead = Later(reads[0])
        for read in reads[1:]:
            frame = ahead.result()
            ahead = Later(read)
            yield frame
        yield ahead.result()


def _read(info: io.FrameInfo) -> Frame:
    frame = io.read_frame(info)
    return replace(frame, notes=tuple(note for note in frame.notes if note not in info.notes))


def _shrunk(info: io.FrameInfo, frame: Frame, factor: int, reached: int = 1) -> Frame:
    """Return a frame that is shrunk by `reached` as one that is by `factor`."""
    small = shrink(frame.pixels, factor // reached)
    small = small[: info.height // factor, : info.width // factor]
    return replace(frame, pixels=np.ascontiguousarray(small), notes=())


@frozen
class FileStack:
    """Frames in files, one decoded ahead of the one in use.

    Attributes:
        infos: the frames.
        budget: bytes of frames that may be kept from the look at them small until they are fused,
            and need not be decoded again.
        seen: told of every frame that is looked at small, as it was read.
    """

    infos: Sequence[io.FrameInfo]
    budget: int = 0
    seen: Seen = _unseen
    _kept: dict[int, Frame] = field(default_factory=dict[int, Frame], compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        return len(self.infos), self.infos[0].height, self.infos[0].width

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        return _ahead([partial(self._read, n) for n in range(len(self.infos))])

    def small(self, order: Sequence[int], factor: int) -> Iterator[Frame]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``."""
        return _ahead([partial(self._read_small, n, factor) for n in order])

    def reader(self) -> Callable[[int], Frame]:
        """Return what reads frames by number, for those who went through all of them before."""
        return self._read

    def _read(self, number: int) -> Frame:
        kept = self._kept.pop(number, None)
        return _read(self.infos[number]) if kept is None else kept

    def _read_small(self, number: int, factor: int) -> Frame:
        info = self.infos[number]
        held = sum(frame.pixels.nbytes for frame in self._kept.values())
        size = info.height * info.width * info.channels * np.dtype(info.dtype).itemsize
        if held + size > self.budget:
            frame, reached = io.read_reduced(info, factor)
            self.seen(number, frame)
            return _shrunk(info, frame, factor, reached)
        frame = self._kept[number] = _read(info)
        self.seen(number, frame)
        return _shrunk(info, frame, factor)


class ReiterableFrames(Protocol):
    """Frames of a known number that can be gone through more than once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray[Any] | Frame]: ...


@frozen
class ArrayStack:
    """Frames of an array ``(N, H, W[, C])``, a sequence, or other `ReiterableFrames`."""

    arrays: ReiterableFrames
    note: Note = _unheard
    admit: Callable[[Frame], None] = _admitted
    seen: Seen = _unseen

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width; no frames, no size."""
        first = next(from_arrays(self.arrays, admit=self.admit), None)
        if first is None:
            return 0, 0, 0
        height, width = first.pixels.shape[:2]
        return len(self.arrays), height, width

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        return from_arrays(self.arrays, self.note, self.admit)

    def small(self, order: Sequence[int], factor: int) -> Iterator[Frame]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``.

        Args:
            order: numbers; ascending where the frames can only be gone through.
            factor: by which they are shrunk.

        Raises:
            UsageError: frames that can only be gone through are wanted in another order.
        """
        arrays = self.arrays
        if list(order) == list(range(len(arrays))):  # more than it says are told of where they end
            yield from (self._shrunk(n, f, factor) for n, f in enumerate(from_arrays(arrays)))
            return
        if not isinstance(arrays, (np.ndarray, Sequence)):
            yield from self._passed(order, factor)
            return
        frames = cast("Sequence[NDArray[Any] | Frame]", arrays)
        first = _checked(0, frames[0], None)
        for n in order:
            frame = _checked(n, frames[n], (first.pixels.shape, first.pixels.dtype))
            yield self._shrunk(n, frame, factor)

    def reader(self) -> Callable[[int], Frame]:
        """Return what reads frames by number, for those who went through all of them before.

        Frames that can only be gone through are gone through once more if numbers ascend.
        """
        place, frames = 0, from_arrays(self.arrays)

        def read(number: int) -> Frame:
            nonlocal place, frames
            if number < place:
                place, frames = 0, from_arrays(self.arrays)
            found = next(islice(frames, number - place, None), None)
            place = number + 1
            if found is None:
                raise InputError(
                    "a frame that was read cannot be read a second time",
                    where=f"frame {number}",
                    remedy="leave the frames where they are until they are fused",
                )
            return found

        return read

    def _shrunk(self, number: int, frame: Frame, factor: int) -> Frame:
        self.seen(number, frame)
        return frame.shrunk(factor)

    def _passed(self, order: Sequence[int], factor: int) -> Iterator[Frame]:
        """Yield some of the frames while all are gone through once."""
        wanted = iter(order)
        sought = next(wanted, None)
        for n, frame in enumerate(from_arrays(self.arrays)):
            if n == sought:
                yield self._shrunk(n, frame, factor)
                sought = next(wanted, None)
            if sought is None:
                return
        if sought is not None:
            raise UsageError("these frames can only be read in their order", where="frames")


def is_paths(source: object) -> TypeGuard[Paths]:
    """Tell file names from pictures."""
    if isinstance(source, (str, Path)):
        return True
    if not isinstance(source, Sequence) or isinstance(source, memoryview):
        return False
    frames = cast("Sequence[object]", source)
    return len(frames) > 0 and isinstance(frames[0], (str, Path))


def length_of(frames: object) -> int | None:
    """Return how many frames there are, None when that shows only at their end."""
    return len(frames) if isinstance(frames, Sized) else None
