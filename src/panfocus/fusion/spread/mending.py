"""Two frames' blend without the light that the near thing spreads: ``--spread mend``."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame, Tile
from panfocus.frozen import frozen
from panfocus.fusion.decision import Decision
from panfocus.fusion.spread.changes import Changes
from panfocus.fusion.spread.edge import edge_of
from panfocus.fusion.spread.evidence import UNEXPLAINED, belief
from panfocus.fusion.spread.layers import behind, reach_of
from panfocus.fusion.spread.light import Blur, Encoding, small, smooth, total
from panfocus.fusion.spread.radius import Radius, clipped, radii_of

#: Pixels of a frame at the scale at which it is looked at.
_LOOKED_AT = 450_000
#: What clipped light nearby adds to what blurs leave unexplained: what it was nobody knows.
_GLARE = 0.015
#: Pixels at edges that are worth it.
_LEAST = 50
#: Pixels around edges that a blur may reach, at that scale.
_PAD = 40
#: How much coarser is looked where blurs are wider than can be told, and how many pixels a side of
#: what is looked at so has at least.
COARSER = (1, 2, 4, 8)
_SMALLEST = 96


def scale_for(shape: tuple[int, ...]) -> int:
    """Return pixels of a picture ``(H, W[, C])`` for one of the scale at which it is looked at."""
    return max(int(np.ceil(np.sqrt(shape[0] * shape[1] / _LOOKED_AT))), 1)


class PairSpread:
    """Holds the frames of a pair until their blend is done, and mends it."""

    def __init__(self, *, is_linear: bool) -> None:
        """Set up; `is_linear` tells that samples are light as measured."""
        self._is_linear = is_linear
        self._count = 0
        self._frames: list[Frame] = []
        self._first: Float | None = None
        self._kept: Float | None = None

    def push(self, frame: Frame) -> None:
        """Take the next frame; of more than two none is held."""
        self._count += 1
        self._frames = [*self._frames, frame] if self._count <= 2 else []

    def take(self, decision: Decision) -> None:
        """Take what was decided of the latest frame, at any scale."""
        self._first = (decision.chosen <= 0.5).astype(np.float32)
        self._kept = decision.kept

    def mended(self, picture: Pixels) -> tuple[Pixels, float]:
        """Return the blend without spread light, and the part of it that changed visibly.

        Args:
            picture: the blend ``(H, W[, C])`` of both frames.
        """
        frames = self._frames
        if len(frames) != 2 or self._first is None or any(frame.has_alpha for frame in frames):
            return picture, 0.0
        first, scale = self._first, scale_for(picture.shape)
        best: Told | None = None
        for coarser in COARSER:
            if coarser > 1 and min(picture.shape[:2]) < _SMALLEST * scale * coarser:
                break
            both = Both.of(
                frames, first, scale * coarser, is_linear=self._is_linear, kept=self._kept
            )
            told, is_wide = both.told()
            best = told if best is None or (told and told.length >= best.length) else best
            if not is_wide:
                break
        return (picture, 0.0) if best is None else best.changes().applied(picture, frames)


@frozen
class Both:
    """Both frames and the decision between them, at the scale at which they are looked at.

    Attributes:
        scale: pixels of full scale for one of this.
        how: samples become light.
        light: linear light of both, ``(h, w, C)``.
        first: 1 where the first frame was taken, else 0, ``(h, w)``.
        shown: where both frames show anything, and something may change.
    """

    scale: int
    how: Encoding
    light: tuple[Float, Float]
    first: Float
    shown: Float

    @classmethod
    def of(
        cls,
        frames: Sequence[Frame],
        first: Float,
        scale: int,
        *,
        is_linear: bool,
        kept: Float | None,
    ) -> Both:
        """Look at frames, shrunk by `scale`.

        Args:
            frames: both.
            first: 1 where the first of them was taken, else 0, at any scale.
            scale: pixels of theirs for one that is looked at.
            is_linear: whether samples are light as measured.
            kept: above 0 where nothing may change, at any scale; None for nowhere.
        """
        how = Encoding.of([frame.largest_sample for frame in frames], is_linear=is_linear)
        one, other = (how.linear(_shrunk(frame, scale)) for frame in frames)
        size = one.shape[1], one.shape[0]
        taken = cv2.resize(first, size, interpolation=cv2.INTER_AREA) > 0.5
        shown = np.ones(one.shape[:2], np.float32)
        for cover in [frame.cover for frame in frames if frame.cover is not None]:
            least = cv2.erode(cover, np.ones((9, 9), np.uint8))
            shown *= cv2.resize(least, size, interpolation=cv2.INTER_NEAREST) > 0
        if kept is not None:
            shown *= cv2.resize(kept, size, interpolation=cv2.INTER_LINEAR) <= 0
        return cls(scale, how, (one, other), taken.astype(np.float32), shown)

    def told(self, allowed: float = 0.0) -> tuple[Told | None, bool]:
        """Return what blurs tell, and whether they are too wide for this scale.

        None where no blur tells of anything.

        Args:
            allowed: share of the frames' difference that blurs may leave unexplained and are yet
                believed.
        """
        first, shown = self.first, self.shown
        turns = cv2.morphologyEx(first, cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) * shown
        if _too_few(np.asarray(turns, np.float32)):
            return None, False
        one, other = self.light
        contour, glare = np.asarray(turns, np.float32), clipped(one, other)
        radii = radii_of(
            one, other, first, glare, at=contour,
            enough=lambda left: not _too_few(_lens_like(contour, left - allowed, glare)),
        )  # fmt: skip
        if radii.both is None:
            return None, radii.is_wide
        unexplained = np.maximum(np.maximum(*(r.unexplained for r in radii.both)) - allowed, 0)
        at = _lens_like(contour, unexplained, glare)
        if _too_few(at):
            return None, radii.is_wide
        return Told(self, radii.both, contour, at, _doubt(unexplained, glare)), radii.is_wide

    def part(self, area: Tile) -> Both:
        """Return an area of both."""
        one, other = (np.ascontiguousarray(light[area]) for light in self.light)
        first, shown = (np.ascontiguousarray(each[area]) for each in (self.first, self.shown))
        return Both(self.scale, self.how, (one, other), first, shown)

    def mended(
        self, area: Tile, blurs: Sequence[Blur], contour: Float, unexplained: Float
    ) -> Changes:
        """Return what is to be changed, of frames that are cut to an area."""
        seen = [self.how.samples(light) / np.float32(self.how.top) for light in self.light]
        edges = [edge_of(seen[0], self.first), edge_of(seen[1], 1 - self.first)]
        found = [
            behind(self.light[k], self.light[1 - k], edges[k], blurs[k], blurs[1 - k])
            for k in (0, 1)
        ]
        fine = [_fine(each) for each in seen]
        beliefs = belief(found, fine, contour, unexplained)
        weights = [
            b * reach_of(e, f) * self.shown for b, e, f in zip(beliefs, edges, found, strict=True)
        ]
        return Changes(area, self.scale, self.how, found, weights)


@frozen
class Told:
    """What blurs tell of a pair.

    Attributes:
        pair: both frames.
        radii: of both blurs.
        contour: where the decision changes, ``(h, w)``, 0 or 1.
        at: the part of it where blurs explain how the frames differ.
        unexplained: what they leave unexplained, ``(h, w)``.
    """

    pair: Both
    radii: tuple[Radius, Radius]
    contour: Float
    at: Float
    unexplained: Float

    @property
    def length(self) -> int:
        """How much of the contour blurs explain, in pixels that every scale has."""
        return int(np.count_nonzero(self.at)) * self.pair.scale

    def changes(self) -> Changes:
        """Return what is to be changed."""
        area = _around(self.at)
        near = cv2.dilate(self.at[area], np.ones((15, 15), np.uint8)) > 0
        blurs = [Blur.of(radius.pixels[area], near) for radius in self.radii]
        return self.pair.part(area).mended(area, blurs, self.contour[area], self.unexplained[area])


def _shrunk(frame: Frame, scale: int) -> Pixels:
    """Return a frame ``(h, w, C)``; one that lies elsewhere is shrunk before it is moved."""
    return (
        small(np.asarray(frame.pixels), scale) if frame.guide is not None else frame.colour(scale)
    )


def _doubt(unexplained: Float, glare: Float) -> Float:
    """Return what blurs leave unexplained, and more of it where light is clipped, ``(h, w)``."""
    return np.asarray(unexplained + np.float32(_GLARE) * glare, np.float32)


def _lens_like(contour: Float, unexplained: Float, glare: Float) -> Float:
    """Return the part of a contour ``(h, w)`` where blurs explain how the frames differ."""
    return np.asarray(contour * (_doubt(unexplained, glare) < UNEXPLAINED), np.float32)


def _too_few(at: Float) -> bool:
    """Return whether pixels that are not 0 are fewer than are worth anything."""
    return int(np.count_nonzero(at)) < _LEAST


def _fine(seen: Float) -> Float:
    """Return the square of what is finer than a pixel or two, of all colours, ``(H, W)``."""
    detail = seen - smooth(seen, 1.0).reshape(seen.shape)
    return total(np.square(detail))


def _around(where: Float) -> Tile:
    """Return the least rectangle around pixels, with what blurs may reach."""
    found = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    rows, columns = (
        slice(max(int(each[0]) - _PAD, 0), min(int(each[-1]) + _PAD + 1, length))
        for each, length in zip(found, where.shape, strict=True)
    )
    return rows, columns
