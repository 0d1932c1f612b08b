"""A frame that waits for its decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels
from panfocus.errors import InputError
from panfocus.frame import Frame

#: Frames that are mended and mixed at once of those that were compared together.
PART = 8


@dataclass(frozen=True)
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
    """

    name: str
    number: int
    picture: Pixels
    factor: int
    shown: NDArray[np.bool_] | None
    whole: Frame | None
    seen: Float | None = None
    cover: NDArray[np.uint8] | None = None

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
        )

    @property
    def opacity(self) -> Float | None:
        """Opacity ``(h, w)`` in [0, 1], none where nothing is shown; None when all is opaque."""
        if self.whole is not None:
            return self.whole.opacity(self.factor)
        if self.seen is not None or self.shown is None:
            return self.seen
        return self.shown.astype(np.float32)

    def frame(self, again: Iterator[Frame] | None) -> Frame:
        """Return the frame.

        Args:
            again: the frames a second time, from this one or one before it on.

        Raises:
            InputError: it does not come again.
        """
        if self.whole is not None:
            return self.whole
        for frame in again or ():
            if frame.number == self.number:
                return self._covered(frame)
        raise InputError(
            "a frame that was read cannot be read a second time",
            where=self.name,
            remedy="leave the frames where they are until they are fused",
        )

    def _covered(self, frame: Frame) -> Frame:
        """Return the frame with what it does not show marked as it was the first time."""
        if self.cover is None:
            return frame.covered(None)
        shown = np.unpackbits(self.cover, axis=1, count=frame.shape[1])
        return frame.covered(shown * np.uint8(255))
