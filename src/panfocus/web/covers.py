"""Where a frame shows anything once it is put in place: beside its border nothing is painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panfocus.registration.stack import Registration
from panfocus.web.frames import StackFrames
from panfocus.web.pyramids import Byte


@dataclass(frozen=True)
class CoverPicture:
    """How far a frame in place covers each pixel, 255 for whole.

    Attributes:
        key: its name.
        frames: of the stack.
        number: of the frame.
        registration: that puts it in place.
        place: its number in the registration.
    """

    key: str
    frames: StackFrames
    number: int
    registration: Registration
    place: int
    exact: bool = True

    @property
    def height(self) -> int:
        """Pixels."""
        return self.registration.field.bottom - self.registration.field.top

    @property
    def width(self) -> int:
        """Pixels."""
        return self.registration.field.right - self.registration.field.left

    def read(self, level: int) -> tuple[Byte, int]:
        """Return it at full scale."""
        placed = self.registration.place(self.place, self.frames.read(self.number))
        if placed.cover is None:
            return np.full((self.height, self.width), 255, np.uint8), 0
        return np.asarray(placed.cover, np.uint8), 0


def cover_of(
    key: str, frames: StackFrames, number: int, registration: Registration | None, place: int
) -> CoverPicture | None:
    """Return where a frame shows anything; None for everywhere.

    A picture that is cropped is cropped to what all frames show.
    """
    if registration is None or registration.field != registration.alignment.whole():
        return None
    if not registration.alignment.moves(place) and not registration.local:
        return None
    return CoverPicture(key, frames, number, registration, place)
