"""Fused planes on their way out: held on disk plane by plane, then one TIFF or OME-Zarr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from panfocus.io.volumes.volume import Channel, Position


@dataclass(frozen=True)
class Picture:
    """What one position's planes of one kind make up.

    Attributes:
        position: what they were fused from; names, sizes and facts are kept.
        times: size of T.
        channels: one per C.
        dtype: of the numbers.
        samples: colours of a pixel.
        depths: size of Z, more than 1 of slabs alone.
        is_shared: whether all channels of a Z come before the next Z, as where one decides for all.
        is_numbered: whether pixels are numbers of frames, between which nothing lies.
    """

    position: Position
    times: int
    channels: Sequence[Channel]
    dtype: np.dtype[Any]
    samples: int = 1
    depths: int = 1
    is_shared: bool = False
    is_numbered: bool = False

    @property
    def plane(self) -> tuple[int, ...]:
        """``(Y, X)`` or ``(Y, X, S)``."""
        tail = (self.samples,) if self.samples > 1 else ()
        return (self.position.height, self.position.width, *tail)

    @property
    def count(self) -> int:
        """How many planes it has."""
        return self.times * self.depths * len(self.channels)

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Yield (T, C, Z) of each plane in the order in which they come."""
        for t in range(self.times):
            if self.is_shared:
                yield from ((t, c, z) for z in range(self.depths) for c in self._numbers)
            else:
                yield from ((t, c, z) for c in self._numbers for z in range(self.depths))

    @property
    def _numbers(self) -> range:
        return range(len(self.channels))


class Sink(Protocol):
    """Takes planes in the order of positions, T and C."""

    def add(self, plane: NDArray[Any]) -> None:
        """Take the next plane.

        Raises:
            OSError: the disk is full.
        """
        ...

    def finish(self) -> list[str]:
        """Make the file, or folder, whole; return notes for the user."""
        ...
