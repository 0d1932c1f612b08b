"""Compares reduced frames: where one lies on another, and how bright it is beside it."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from panfocus.arrays.likeness import Thumbnail
from panfocus.arrays.pixels import white
from panfocus.frame import Frame, Stack
from panfocus.frozen import frozen
from panfocus.registration.alignment import UNALIGNED, Placed
from panfocus.registration.exposure import FrameLevels, Ratio, compare
from panfocus.registration.options import RegistrationOptions, freedoms_of, whole_kind
from panfocus.registration.pyramid import Detail, make_detail, reduction
from panfocus.registration.transforms import Matrix, PairTransform, from_reduced, normalised

if TYPE_CHECKING:
    from panfocus.registration.links import Links


@frozen
class ReducedFrame:
    """A reduced frame, and what of it is compared; None where nothing is.

    Attributes:
        frame: the frame.
        detail: what tells where it lies.
        thumbnail: what tells whether it is of the scene.
    """

    frame: Frame
    detail: Detail | None
    thumbnail: Thumbnail

    @cached_property
    def levels(self) -> FrameLevels:
        """Its levels, which are compared twice: with the frame before and with the next."""
        return FrameLevels(self.frame.pixels, has_alpha=self.frame.has_alpha)


class Meter:
    """Measures pairs of reduced frames."""

    def __init__(
        self, settings: RegistrationOptions, height: int, width: int, *, leaves_out: bool = True
    ) -> None:
        """Set up for frames of one size, of which some may be left out."""
        self.settings = settings
        self.leaves_out = leaves_out
        self.height = height
        self.width = width
        self.factor = reduction(height, width)

    def look(self, small: Frame) -> ReducedFrame:
        """Prepare a reduced frame."""
        as_is = Thumbnail.of(small.grey, white(small.pixels.dtype))
        if self.settings.align == "none" or self.settings.load_transforms:
            return ReducedFrame(small, None, as_is)
        detail = make_detail(small.grey, self.factor, self.height, self.width)
        # what is compared of a frame is stretched to the full range, however dark it is
        return ReducedFrame(
            small, detail, replace(detail.thumbnail, shades=as_is.shades, burnt=as_is.burnt)
        )

    def links(self) -> Links:
        """Return what measures frames against those before them."""
        from panfocus.registration.links import Links  # noqa: PLC0415  not where none is aligned

        return Links(whole_kind(self.settings.align), freedoms_of(self.settings.align_dof))

    def ratio(self, fixed: ReducedFrame, moving: ReducedFrame, matrix: Matrix) -> Ratio | None:
        """Return how much brighter one frame is than another."""
        if self.settings.exposure == "none":
            return None
        grow = from_reduced(self.factor)
        small = normalised(np.linalg.inv(grow) @ matrix @ grow)
        return compare(fixed.levels, moving.levels, small)

    def past(
        self,
        strange: AbstractSet[int],
        stack: Stack,
        matrices: Sequence[Matrix],
        ratios: Sequence[Ratio | None],
    ) -> list[Ratio | None]:
        """Return ratios of brightness that lead past frames that are none of the scene.

        Args:
            strange: numbers of these frames.
            stack: all frames; those beside strange ones are looked at once more.
            matrices: where frames lie, from the reference frame to each.
            ratios: between neighbours; what is found goes to the frame before strange ones.
        """
        out = [None if {n, n + 1} & strange else ratio for n, ratio in enumerate(ratios)]
        kept = [n for n in range(len(matrices)) if n not in strange]
        for first, second in pairwise(kept):
            if second > first + 1 and self.settings.exposure != "none":
                one, other = map(self.look, stack.small((first, second), self.factor))
                step = normalised(matrices[second] @ np.linalg.inv(matrices[first]))
                out[first] = self.ratio(one, other, step)
        return out


def placed_by(name: str, found: PairTransform | None) -> Placed:
    """Return where a frame lies; the reference for nothing found."""
    if found is None:
        return Placed(name, np.eye(3), "identity", "reference", error=0.0)
    status = _STATUSES.get(found.status, found.status)
    return Placed(name, found.matrix, found.kind, status, found.gain, found.error)


_STATUSES = {
    "no detail": UNALIGNED + "no shared detail",
    "refused": UNALIGNED + "no transform between it and its neighbour is plausible",
}
