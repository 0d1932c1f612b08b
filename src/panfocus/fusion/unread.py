"""Pixels of a frame that is read a second time only if somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame, Tile


class UnreadPixels:
    """What a frame shows that is mixed in nowhere, see `panfocus.frame.UnmadePixels`."""

    def __init__(
        self, read: Callable[[], Frame], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        """Set up.

        Args:
            read: returns the frame.
            shape: ``(H, W[, C])`` of its pixels.
            dtype: of them.
        """
        self._read = read
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = dtype

    @cached_property
    def _frame(self) -> Frame:
        return self._read()

    @property
    def taken_grey(self) -> Pixels:
        """Luminance ``(h, w)`` of the frame as it was taken."""
        return self._frame.taken_grey

    @property
    def largest_sample(self) -> float:
        """Largest sample of the frame."""
        return self._frame.largest_sample

    def forget_grey(self) -> None:
        """Let go of all: it is read once more should it be asked for again."""
        vars(self).pop("_frame", None)

    def whole(self) -> Pixels:
        """Return all pixels ``(H, W[, C])``."""
        return self._frame.pixels

    def region(self, tile: Tile) -> Pixels:
        """Return those of a part."""
        return self._frame.region(tile)

    def region_quickly(self, tile: Tile) -> Pixels:
        """Return the same as an array of its own."""
        return self._frame.region_quickly(tile)

    def grey(self) -> Pixels:
        """Return luminance ``(H, W)``."""
        return self._frame.grey

    def colour(self, factor: int) -> Pixels:
        """Return the pixels, averaged over blocks."""
        return self._frame.colour(factor)

    def measured(self, measure: Callable[[Pixels], Float], factor: int) -> Float:
        """Return what is measured on the frame as it was taken."""
        return self._frame.measured(measure, factor)
