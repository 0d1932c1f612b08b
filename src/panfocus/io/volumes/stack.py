"""One stack along Z as frames for the pipeline, and the exact way back to the file's numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError
from panfocus.frame import Frame
from panfocus.io.frames import DAMAGE
from panfocus.io.volumes.volume import Position, damaged
from panfocus.resources.others import others_told


@dataclass(frozen=True)
class Scale:
    """A change of numbers that can be undone exactly: ``(value + offset) * 2**power``.

    Cameras fill 12 or 14 of 16 bits, and floats come in any range; systems expect that 1.0 is
    near white. Powers of two change no digit.

    Attributes:
        stored: dtype of the file.
        offset: makes negative integers positive.
        power: of two.
    """

    stored: np.dtype[Any]
    offset: int = 0
    power: int = 0

    @classmethod
    def of(cls, stored: np.dtype[Any], low: float, high: float) -> Scale:
        """Return the scale for values in [low, high]."""
        if stored.kind == "f":
            most = max(abs(low), abs(high))
            return cls(stored, 0, -int(np.ceil(np.log2(most))) if most > 0 else 0)
        bits = 8 * stored.itemsize
        offset = 2 ** (bits - 1) if low < 0 else 0
        top = int(high) + offset
        return cls(stored, offset, bits - max(top.bit_length(), 1))

    def to_frame(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the plane as uint8, uint16 or float32 near its full range."""
        if self.stored.kind == "f":
            return np.ldexp(plane, self.power)
        wide = plane.astype(np.int32) + self.offset
        return (wide << self.power).astype(f"uint{8 * self.stored.itemsize}")

    def from_frame(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels as the file's numbers; mixed ones are rounded."""
        if self.stored.kind == "f":
            return np.ldexp(pixels, -self.power)
        half = (1 << self.power) >> 1
        wide = ((pixels.astype(np.int32) + half) >> self.power) - self.offset
        top = np.iinfo(self.stored).max
        return np.minimum(wide, top).astype(self.stored)


class ZStack:
    """The planes along Z of one T and one or more channels; iterating reads them one by one."""

    #: Z says where each plane is: none can be out of order, and none is left out.
    is_of_volume = True

    def __init__(
        self,
        path: Path,
        position: Position,
        t: int,
        channels: Sequence[int],
        guide: int | None,
        *,
        depths: range | None = None,
    ) -> None:
        """Look through the planes once, for their range and for numbers that are none.

        Args:
            path: for messages.
            position: what to read from.
            t: time.
            channels: those to be fused together; one, or several.
            guide: the channel that decides, of `channels` or another; None: all, as a picture's
                colours.
            depths: numbers along Z; None for all.

        Raises:
            InputError: a plane cannot be read, has changed, or holds NaN.
        """
        self._path = path
        self._position = position
        self._t = t
        self._channels = list(channels)
        self._depths = range(position.depths) if depths is None else depths
        self._guide = guide
        ends = {c: self._ends(c) for c in (*channels, *([] if guide is None else [guide]))}
        if guide is None:  # colours stay to each other as they are
            whole = min(low for low, _ in ends.values()), max(high for _, high in ends.values())
            whole_ends = dict.fromkeys(ends, whole)
            ends = whole_ends
        self._scales: dict[int, Scale] = {c: Scale.of(position.dtype, *ends[c]) for c in ends}

    def __len__(self) -> int:
        return len(self._depths)

    def part(self, numbers: range) -> ZStack:
        """Return some of the planes, counted from this stack's first; nothing is read for it."""
        other = copy.copy(self)
        other._depths = self._depths[numbers.start : numbers.stop]
        return other

    @property
    def is_uneven(self) -> bool:
        """Whether the planes are unevenly apart, so that each frame says where it is."""
        return self._position.z_um is not None

    def __iter__(self) -> Iterator[Frame]:
        for z in self._depths:
            yield self.frame(z)

    def frame(self, z: int) -> Frame:
        """Return the planes of one Z as a frame.

        Raises:
            InputError: a plane cannot be read, has changed, or holds NaN.
        """
        planes = {c: scale.to_frame(self.plane(c, z)) for c, scale in self._scales.items()}
        has_alpha = self._position.samples in (2, 4)
        places = self._position.z_um
        place = None if places is None else places[z]
        fused = [planes[c] for c in self._channels]
        if len(planes) == 1:
            return Frame(f"Z {z}", fused[0], has_alpha, place_um=place)
        pixels = fused[0] if len(fused) == 1 else np.stack(fused, axis=-1)
        guide = None if self._guide is None else planes[self._guide]
        return Frame(f"Z {z}", pixels, guide=guide, place_um=place)

    def plane(self, c: int, z: int) -> NDArray[Any]:
        """Return a plane as stored, checked."""
        position = self._position
        where = position.where(self._t, c, z)
        with others_told(partial(damaged, self._path, where), OSError, *DAMAGE):
            plane = position.read(self._t, c, z)
        if plane.shape != position.shape or plane.dtype != position.dtype:
            raise InputError(
                "a plane is not what the file said",
                where=f"{self._path}, {where}",
                expected=f"{position.shape} {position.dtype}",
                got=f"{plane.shape} {plane.dtype}",
                remedy="do not change the file while it is read, or export it again",
            )
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            bad = int(plane.size - np.isfinite(plane).sum())
            raise InputError(
                "a plane holds values that are no numbers",
                where=f"{self._path}, {where}",
                expected="finite values",
                got=f"{bad} of {plane.size} are NaN or infinite",
                remedy="replace them (in Fiji: Process > Noise > Remove NaNs), or leave it out",
            )
        return plane

    def _ends(self, c: int) -> tuple[float, float]:
        """Return the range of a channel's numbers, with 0 in it; 8 bits are not looked at."""
        if self._position.dtype == np.uint8:
            return 0.0, 255.0
        low, high = 0.0, 0.0
        for z in self._depths:
            plane = self.plane(c, z)
            low, high = min(low, float(plane.min())), max(high, float(plane.max()))
        return low, high

    def split(self, pixels: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the fused planes, one per channel, in the file's numbers."""
        scales = [self._scales[c] for c in self._channels]
        if len(scales) == 1:
            return [scales[0].from_frame(pixels)]
        return [
            scale.from_frame(np.ascontiguousarray(pixels[..., n])) for n, scale in enumerate(scales)
        ]
