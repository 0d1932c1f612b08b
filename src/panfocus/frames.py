"""Where frames come from: files, arrays, or anything that yields arrays, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.blend import Pixels
from panfocus.errors import InputError

Paths = str | Path | Sequence[str | Path]
Arrays = NDArray[Any] | Iterable["NDArray[Any] | Item"]
Source = Paths | Arrays

_DTYPES = tuple(np.dtype(name) for name in ("uint8", "uint16", "float32"))


@dataclass(frozen=True)
class Item:
    """A frame on its way into the pipeline.

    Attributes:
        name: for messages.
        pixels: ``(H, W[, C])`` native.
        has_alpha: the last channel is opacity.
        metadata: of its file.
        guide: ``(H, W)``, same dtype, that alone decides; None for the luminance of `pixels`.
    """

    name: str
    pixels: Pixels
    has_alpha: bool
    metadata: io.Metadata
    guide: Pixels | None = None


def no_metadata() -> io.Metadata:
    """Return the metadata of a frame that came as an array."""
    return io.Metadata(exif=None, icc=None, xmp=None, dpi=None)


def from_arrays(arrays: Iterable[NDArray[Any] | Item]) -> Iterator[Item]:
    """Yield checked frames of an array or iterable of arrays, or of items made by the caller.

    Raises:
        InputError: a frame has the wrong kind of number, or does not fit the first.
    """
    first: tuple[tuple[int, ...], np.dtype[Any]] | None = None
    for n, array in enumerate(arrays):
        given = array if isinstance(array, Item) else None
        pixels = np.asarray(given.pixels if given else array)
        name = given.name if given else f"frame {n}"
        if pixels.dtype not in _DTYPES:
            raise InputError(
                "this kind of number is not taken",
                where=name,
                expected="uint8, uint16, or float32 in [0, 1]",
                got=str(pixels.dtype),
                remedy="convert the frames before fusing",
            )
        if pixels.ndim not in (2, 3):
            raise InputError(
                "a frame must be a picture",
                where=name,
                expected="(H, W) or (H, W, C)",
                got=f"shape {pixels.shape}",
            )
        first = first or (pixels.shape, pixels.dtype)
        if (pixels.shape, pixels.dtype) != first:
            raise InputError(
                "the frames do not fit together",
                where=name,
                expected=f"shape {first[0]}, {first[1]}",
                got=f"shape {pixels.shape}, {pixels.dtype}",
            )
        if given is not None:
            yield given
            continue
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        yield Item(name, np.ascontiguousarray(pixels), has_alpha, no_metadata())


class _Later(Thread):
    """A frame being decoded in the background (a pool of one costs a tenth of the start-up)."""

    def __init__(self, info: io.FrameInfo) -> None:
        super().__init__(daemon=True)
        self._info = info
        self._frame: io.Frame | None = None
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._frame = io.read_frame(self._info)
        except Exception as error:
            self._error = error

    def item(self) -> Item:
        """Wait for the frame."""
        self.join()
        if self._frame is None:
            assert self._error is not None
            raise self._error
        frame, self._frame = self._frame, None
        return Item(frame.name, frame.pixels, frame.has_alpha, frame.metadata)


def from_files(infos: Sequence[io.FrameInfo]) -> Iterator[Item]:
    """Decode one frame ahead of the one in use."""
    ahead = _Later(infos[0])
    for info in infos[1:]:
        item = ahead.item()
        ahead = _Later(info)
        yield item
    yield ahead.item()


def is_paths(source: object) -> TypeGuard[Paths]:
    """Tell file names from pictures."""
    if isinstance(source, (str, Path)):
        return True
    if not isinstance(source, Sequence):
        return False
    items = cast("Sequence[object]", source)
    return len(items) > 0 and isinstance(items[0], (str, Path))
