"""Fused planes on their way out: held on disk plane by plane, then one TIFF or OME-Zarr."""

from __future__ import annotations

from collections.abc import Sequence
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
    """

    position: Position
    times: int
    channels: Sequence[Channel]
    dtype: np.dtype[Any]
    samples: int = 1

    @property
    def plane(self) -> tuple[int, ...]:
        """``(Y, X)`` or ``(Y, X, S)``."""
        tail = (self.samples,) if self.samples > 1 else ()
        return (self.position.height, self.position.width, *tail)


class Sink(Protocol):
    """Takes planes in the order of positions, T and C."""

    def add(self, plane: NDArray[Any]) -> None:
        """Take the next plane.

        Raises:
            OSError: the disk is full.
        """
        ...

    def finish(self) -> None:
        """Make the file, or folder, whole."""
        ...
