"""Where the frames of a stack were found to lie, and how each is put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from panfocus.frame import Frame
from panfocus.frozen import frozen
from panfocus.io.icc import linear_profile
from panfocus.registration import exposure
from panfocus.registration.alignment import Alignment
from panfocus.registration.burnt import Highlights
from panfocus.registration.curves import Curve, apply_curve
from panfocus.registration.moved import MovedPixels
from panfocus.registration.transforms import Crop
from panfocus.registration.warp import cover, warp

if TYPE_CHECKING:
    from panfocus.registration.local import LocalShifts
    from panfocus.registration.motion import MovingParts


@frozen
class Registration:
    """Where the frames of a stack lie and how bright they are.

    Attributes:
        alignment: their transforms.
        curves: for every frame how its levels change, or None.
        field: part of the reference frame that is made.
        notes: for the user.
        local: for every frame by how much its places are shifted besides its transform; empty
            where none is.
        motion: which frames are hidden where something moves; None where nothing does.
        highlights: where the reference is white; None where no frame is darkened to match it by so
            much that it matters.
    """

    alignment: Alignment
    curves: Sequence[Curve | None]
    field: Crop
    notes: Sequence[str] = ()
    local: Sequence[LocalShifts | None] = ()
    motion: MovingParts | None = None
    highlights: Highlights | None = None

    def part(self, numbers: range) -> Registration:
        """Return the same of some of the frames, in the geometry of the same reference frame."""
        return replace(
            self,
            alignment=self.alignment.part(numbers),
            curves=[self.curves[n] for n in numbers],
            notes=(),
            local=[self.local[n] for n in numbers] if self.local else (),
            motion=None if self.motion is None else self.motion.part(numbers),
        )

    def matched(self) -> list[str]:
        """Return a line on the brightness that was matched; none where none was."""
        names = [placed.name for placed in self.alignment.frames]
        return exposure.notes(self.curves, names, self.alignment.reference)

    def place(self, number: int, frame: Frame) -> Frame:
        """Return a frame in place; the very same object if it lies there already."""
        whole = self._placed(number, frame)
        shifts = self.local[number] if self.local else None
        if shifts is None:
            return whole
        from panfocus.registration.local_warp import place_locally  # noqa: PLC0415  few are

        curve = self.curves[number]
        if curve is not None:
            pixels = apply_curve(frame.pixels, curve, has_alpha=frame.has_alpha)
            frame = replace(frame, pixels=pixels)
        matrix = self.alignment.frames[number].matrix
        return place_locally(whole, frame, matrix, self.field, shifts, is_light=_is_light(frame))

    def hide(self, number: int, frame: Frame, placed: Frame) -> Frame:
        """Return a frame in place, hidden where another stands for it.

        Args:
            number: of the frame.
            frame: as it was taken.
            placed: the same in place.
        """
        if self.motion is not None:
            placed = self.motion.hide(number, placed, self.field)
        if self.highlights is None:
            return placed
        matrix = self.alignment.frames[number].matrix
        return self.highlights.hide(placed, frame.pixels, self.curves[number], matrix, self.field)

    def _placed(self, number: int, frame: Frame) -> Frame:
        """Return a frame where its transform alone puts it."""
        curve = self.curves[number]
        pixels = frame.pixels
        if curve is not None:
            pixels = apply_curve(pixels, curve, has_alpha=frame.has_alpha)
        whole = self.field == self.alignment.whole()
        if whole and not self.alignment.moves(number):
            return frame if curve is None else replace(frame, pixels=pixels)
        matrix = self.alignment.frames[number].matrix
        height, width = pixels.shape[:2]
        shown = cover(matrix, self.field, height, width)
        is_opaque_colour = pixels.ndim == 3 and pixels.shape[2] == 3 and not frame.has_alpha
        if is_opaque_colour and frame.guide is None and self.alignment.is_resampled(number):
            made = MovedPixels(pixels, matrix, self.field, is_light=_is_light(frame))
            return replace(frame, pixels=made, cover=shown)
        return replace(
            frame,
            pixels=warp(pixels, matrix, self.field, is_light=_is_light(frame)),
            guide=None if frame.guide is None else warp(frame.guide, matrix, self.field),
            cover=shown,
        )


def _is_light(frame: Frame) -> bool:
    """Whether colour is stored in proportion to light."""
    return frame.metadata.icc is not None and frame.metadata.icc == linear_profile()


def largest_shifts(local: Sequence[LocalShifts | None]) -> list[float]:
    """Return by how many pixels a place of each frame is shifted at most."""
    return [0.0 if one is None else one.largest for one in local]
