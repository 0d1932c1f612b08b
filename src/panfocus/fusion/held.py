"""A frame that waits for its decision."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.frozen import frozen
from panfocus.fusion.unread import UnreadPixels

#: Number of a frame to the frame, read a second time.
Again = Callable[[int], Frame]

#: Frames that are mended and mixed at once of those that were compared together.
PART = 8


@frozen
class Held:
    """What a fold keeps of a frame until it has decided.

    Attributes:
        name: of the frame.
        number: of the frame.
        picture: ``(h, w, C)`` at the working scale, native or in [0, 1].
        factor: of the working scale.
        shown: where the frame shows all of a working pixel, ``(h, w)``; None for everywhere.
        whole: the frame; None where it is read again.
        seen: opacity ``(h, w)`` in [0, 1] of one with opacity that is read again.
        cover: bits of the cover of one that is read again; None where it shows everything.
        shape: of the frame's pixels.
        dtype: of them.
        has_alpha: whether their last channel is opacity.
    """

    name: str
    number: int
    picture: Pixels
    factor: int
    shown: NDArray[np.bool_] | None
    whole: Frame | None
    seen: Float | None = None
    cover: NDArray[np.uint8] | None = None
    shape: tuple[int, ...] = ()
    dtype: Any = None
    has_alpha: bool = False

    @classmethod
    def of(cls, frame: Frame, factor: int, *, is_native: bool, is_read_again: bool) -> Held:
        """Hold a frame, or of one that is read again only what is decided by.

        Args:
            frame: the frame.
            factor: of the working scale.
            is_native: whether numbers of its picture are its own; else they are in [0, 1].
            is_read_again: whether it can be had a second time.
        """
        picture = frame.colour(factor) if is_native else frame.working(factor)
        shown = frame.shown(factor)
        if not is_read_again:
            return cls(frame.name, frame.number, picture, factor, shown, frame)
        return cls(
            frame.name,
            frame.number,
            picture,
            factor,
            shown,
            None,
            frame.opacity(factor) if frame.has_alpha else None,
            None if frame.cover is None else np.packbits(frame.cover == 255, axis=1),
            frame.shape,
            frame.dtype,
            frame.has_alpha,
        )

    @property
    def opacity(self) -> Float | None:
        """Opacity ``(h, w)`` in [0, 1], none where nothing is shown; None when all is opaque."""
        if self.whole is not None:
            return self.whole.opacity(self.factor)
        if self.seen is not None or self.shown is None:
            return self.seen
        return self.shown.astype(np.float32)

    def frame(self, again: Again | None, *, is_mixed: bool = True) -> Frame:
        """Return the frame.

        Args:
            again: reads it; None where it is held whole.
            is_mixed: whether any of its pixels is taken. Else it is read only if somebody asks for
                what it shows, as where frames are averaged that noise alone tells apart.

        Raises:
            InputError: it cannot be read again.
        """
        if self.whole is not None:
            return self.whole
        assert again is not None
        read = partial(again, self.number)
        if is_mixed:
            return self._covered(read())
        pixels = UnreadPixels(read, self.shape, self.dtype)
        return self._covered(Frame(self.name, pixels, self.has_alpha, number=self.number))

    def _covered(self, frame: Frame) -> Frame:
        """Return the frame with what it does not show marked as it was the first time."""
        if self.cover is None:
            return frame.covered(None)
        shown = np.unpackbits(self.cover, axis=1, count=frame.shape[1])
        return frame.covered(shown * np.uint8(255))
