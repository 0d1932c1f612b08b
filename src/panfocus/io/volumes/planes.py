"""The planes of a TIFF's series: as pages, as one block of bytes, or out of a whole array."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from panfocus.errors import InputError, UsageError
from panfocus.io.segments import Segments, jpeg_trouble
from panfocus.io.volumes.axes import Layout
from panfocus.io.volumes.volume import Position
from panfocus.resources.memory import available_memory
from panfocus.resources.paths import is_there

_READ_AHEAD = 1 << 24  # compressed bytes held while decoding
_SEPARATE, _YCBCR = 2, 6


class Planes:
    """The planes of a series.

    They are read as pages, or as one block of bytes (ImageJ beyond 4 GB); and where Y and X of the
    stack are not those of a page, which only `--axes` can say, out of the whole array.
    """

    def __init__(
        self,
        path: Path,
        file: tifffile.TiffFile,
        series: Any,  # noqa: ANN401  a series without complete types
        letters: str,
        shape: tuple[int, ...],
    ) -> None:
        """Set up; no pixel is read.

        Args:
            path: for messages.
            file: open.
            series: of it.
            letters: of the stored axes, "?" for one of size 1 without a meaning.
            shape: along the stored axes.

        Raises:
            UsageError: the stack would have to be read whole, and is too large for that.
            ValueError: pages and axes do not fit.
        """
        self._path = path
        self._file = file
        self._series = series
        self._letters = letters
        self._shape = shape
        self._pages: list[Any] = list(series.pages)
        outer = [n for n, letter in enumerate(letters) if letter not in "YXS"]
        self.layout = Layout("".join(letters[n] for n in outer), tuple(shape[n] for n in outer))
        sizes = dict(zip(letters, shape, strict=True))
        self.plane = (sizes["Y"], sizes["X"], sizes.get("S", 1))
        self._is_whole = not self._fits_pages()
        if self._is_whole:
            self._check_memory()
        count = int(np.prod(self.layout.sizes, dtype=np.int64))
        self._is_block = not self._is_whole and len(self._pages) != count
        if self._is_block and series.dataoffset is None:
            raise ValueError(f"{len(self._pages)} pages for {count} planes")

    def _fits_pages(self) -> bool:
        """Whether Y, X and the colours of a plane are those of a page."""
        first = self._series.keyframe
        inner = [
            (letter, size)
            for letter, size in zip(self._letters, self._shape, strict=True)
            if size > 1 or letter in "YX"
        ]
        outer = len(inner) - len(first.shape)
        is_inside = all(letter not in "YXS" for letter, _ in inner[:outer])
        return is_inside and [*zip(first.axes, first.shape, strict=True)] == inner[outer:]

    def _check_memory(self) -> None:
        needed = int(self._series.nbytes)
        allowed = available_memory() // 2
        if needed > allowed:
            raise UsageError(
                "with such axes the stack is read whole, and it is too large for that",
                where=f"axes {self._letters}, {self._path}",
                expected=f"at most {allowed / 2**20:.0f} MiB",
                got=f"{needed / 2**20:.0f} MiB",
                remedy="save it with Y and X as the last axes",
            )

    def check(self, position: Position, p: int) -> None:
        """Refuse planes that are missing, cut off, or of another size, before any is read.

        Decoders fill a missing part with zeros, in silence.
        """
        for t in range(position.times):
            for c in range(len(position.channels)):
                for z in range(position.depths):
                    at = self.layout.number(p=p, t=t, c=c, z=z)
                    trouble = self._trouble(at)
                    if trouble is not None:
                        raise InputError(
                            trouble[0],
                            where=f"{self._path}, {position.where(t, c, z)}",
                            expected=f"a plane of {position.width} x {position.height}",
                            got=trouble[1],
                            remedy="copy or export the file again",
                        )

    def _trouble(self, number: int) -> tuple[str, str] | None:
        if self._is_whole:
            return next(filter(None, map(self._trouble_of_page, self._pages)), None)
        if self._is_block:
            end = self._series.dataoffset + (number + 1) * self._plane_bytes
            size = self._file.filehandle.size
            if end > size:
                return "A plane is cut off.", f"the file ends {end - size} bytes too early"
            return None
        return self._trouble_of_page(self._pages[number])

    def _trouble_of_page(self, page: Any) -> tuple[str, str] | None:  # noqa: ANN401
        if page is None:
            return (
                "A plane is missing.",
                "nothing: its page, or the file that holds it, is not there",
            )
        expected = self._series.keyframe.shape
        if tuple(page.shape) != tuple(expected):
            return "The planes differ in size.", f"{page.shape} in place of {expected}"
        trouble = _segments(page).trouble(page.parent.filehandle.size)
        return None if trouble is None else ("A plane is cut off.", trouble)

    @property
    def _plane_bytes(self) -> int:
        return int(np.prod(self.plane)) * np.dtype(self._series.dtype).itemsize

    def read(self, **at: int) -> NDArray[Any]:
        """Return a plane, ``(Y, X)`` or ``(Y, X, S)``, native byte order."""
        if self._is_whole:
            return np.ascontiguousarray(self._whole[tuple(at.get(k, 0) for k in "ptcz")])
        number = self.layout.number(**at)
        pixels = self._block(number) if self._is_block else self._page(number)
        return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))

    @cached_property
    def _whole(self) -> NDArray[Any]:
        """The series with its axes in order, ``(P, T, C, Z, Y, X[, S])``."""
        self._open(self._series.keyframe)
        array: NDArray[Any] = self._series.asarray(maxworkers=1).reshape(self._shape)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        kept = [n for n, letter in enumerate(self._letters) if letter != "?"]
        array = array.reshape([self._shape[n] for n in kept])
        letters = "".join(self._letters[n] for n in kept)
        wanted = "PTCZYXS" if self.plane[2] > 1 else "PTCZYX"
        letters, array = _without_single(letters, array, wanted)
        missing = [letter for letter in wanted if letter not in letters]
        array = array.reshape((1,) * len(missing) + array.shape)
        letters = "".join(missing) + letters
        return array.transpose([letters.index(letter) for letter in wanted])

    def _open(self, page: Any) -> None:  # noqa: ANN401
        handle = page.parent.filehandle
        if not is_there(Path(handle.path)):  # the open file would go on to be read, but is not safe
            raise FileNotFoundError(2, os.strerror(2), handle.path)
        handle.open()

    def _page(self, number: int) -> NDArray[Any]:
        page = self._pages[number]
        self._open(page)
        trouble = jpeg_trouble(page)
        if trouble:
            raise ValueError(trouble)
        pixels: NDArray[Any] = page.asarray(maxworkers=1, buffersize=_READ_AHEAD)
        if pixels.ndim == 3 and page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        return pixels

    def _block(self, number: int) -> NDArray[Any]:
        dtype = np.dtype(self._series.dtype).newbyteorder(self._file.byteorder)
        height, width, samples = self.plane
        with self._path.open("rb") as file:
            file.seek(self._series.dataoffset + number * self._plane_bytes)
            data = file.read(self._plane_bytes)
        if len(data) != self._plane_bytes:
            raise ValueError("the file is cut off")
        shape = (height, width, samples) if samples > 1 else (height, width)
        return np.frombuffer(data, dtype).reshape(shape)


def _without_single(letters: str, array: NDArray[Any], wanted: str) -> tuple[str, NDArray[Any]]:
    """Drop axes of size 1 that are not wanted: colours of grey pixels."""
    for n in reversed(range(len(letters))):
        if letters[n] not in wanted:
            array = array.squeeze(axis=n)
            letters = letters[:n] + letters[n + 1 :]
    return letters, array


def _segments(page: Any) -> Segments:  # noqa: ANN401  a page without complete types
    first = page.keyframe
    depth = int(first.imagedepth)
    tile = (int(first.tilelength) * depth, int(first.tilewidth)) if first.is_tiled else None
    # subsampled colours without JPEG are refused by their decoder; their size is another
    subsampled = int(first.photometric) == _YCBCR
    return Segments(
        page.dataoffsets,
        page.databytecounts,
        int(first.imagelength) * depth,
        int(first.imagewidth),
        int(first.samplesperpixel),
        int(first.bitspersample),
        int(first.planarconfig) == _SEPARATE,
        0 if subsampled else int(first.compression),
        int(first.rowsperstrip or first.imagelength) * depth,
        tile,
    )
