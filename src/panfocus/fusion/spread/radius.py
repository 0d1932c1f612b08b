"""How far the content of one frame's focus is out of focus in the other frame, place by place."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.fusion.spread.light import brightest, defocused, grey, smooth

#: Radii that are tried, pixels.
LADDER = np.array([1.25, 1.75, 2.25, 2.75, 3.25, 4, 4.75, 5.5, 6.5, 7.5, 9, 11, 13], np.float32)
#: From what radius on half the scale will do.
_HALVED = 4.0
#: From what radius on, in the middle, a coarser look tells more: wider ones are not tried. MEASURED
#: (docs/decisions/0043).
_WIDE = 11.0
#: Pixels of a map's grid, and over how many of them its errors are averaged (sigma).
_GRID, _REACH = 4, 6.0
#: How much the whole picture counts beside a place: so much as so many of its pixels do.
_WHOLE = 0.15
#: Pixels, on the grid, that a radius must be judged by.
_LEAST = 30
#: Light that counts as clipped: what it was before nobody knows, nor what its blur would be.
_CLIPPED = 0.97
#: How far around clipped light nothing is judged, pixels.
_AROUND = 10


@frozen
class Radius:
    """How wide a blur is.

    Attributes:
        pixels: radius of the disc, ``(H, W)``.
        unexplained: share of the difference between both frames that such a blur leaves, around a
            place, ``(H, W)``: 0 where a disc of that radius is all that there is.
    """

    pixels: Float
    unexplained: Float

    def is_wide(self, at: Float) -> bool:
        """Whether blurs at most of some pixels ``(H, W)``, those above 0, are too wide."""
        there = self.pixels[at > 0]
        return there.size > 0 and 2 * int(np.count_nonzero(there >= _WIDE)) >= there.size


@frozen
class Radii:
    """How each of two frames' regions is blurred in the other one.

    Attributes:
        both: None where either cannot be told, or the first is not enough.
        is_wide: whether they should be looked at smaller.
    """

    both: tuple[Radius, Radius] | None
    is_wide: bool


def radius_of(sharp: Float, blurred: Float, region: Float, glare: Float) -> Radius | None:
    """Return how a region, sharp in one frame, is blurred in the other.

    Args:
        sharp: linear light of the frame that is focused on the region, ``(H, W, C)``.
        blurred: of the other one.
        region: ``(H, W)``, 1 within and 0 outside.
        glare: where either is clipped nearby, see `clipped`.

    Returns:
        None where too little of the region is far enough from its edges.
    """
    errors, counts, base = _errors(sharp, blurred, region, glare)
    found = counts.sum(axis=(1, 2))
    if not (found > _LEAST).any():
        return None
    overall = np.where(found > _LEAST, errors.sum(axis=(1, 2)) / np.maximum(found, 1), 9.0)
    means = np.stack(
        [_mean(e, n, float(o)) for e, n, o in zip(errors, counts, overall, strict=True)]
    )
    pixels = smooth(_lowest(means), 1.0)
    unexplained = means.min(axis=0) / (base + np.float32(1e-7))
    shape = region.shape[::-1]
    grown = (cv2.resize(a.astype(np.float32), shape) for a in (pixels, unexplained))
    return Radius(*(np.asarray(a, np.float32) for a in grown))


def radii_of(
    one: Float,
    other: Float,
    first: Float,
    glare: Float,
    *,
    at: Float,
    enough: Callable[[Float], bool],
) -> Radii:
    """Return how each frame's region is blurred in the other one.

    Args:
        one: linear light of the first frame, ``(H, W, C)``.
        other: of the second.
        first: ``(H, W)``, 1 where the first frame is in focus, else 0.
        glare: see `radius_of`.
        at: where it matters how wide they are: above 0 there, ``(H, W)``.
        enough: whether what the first blur leaves unexplained is worth the second: half of the work
            is saved where one side alone shows that no lens made both frames.
    """
    front = radius_of(one, other, first, glare)
    if front is None:
        return Radii(None, is_wide=False)
    is_wide = front.is_wide(at)
    if not enough(front.unexplained):
        return Radii(None, is_wide)
    back = radius_of(other, one, 1 - first, glare)
    if back is None:
        return Radii(None, is_wide)
    return Radii((front, back), is_wide or back.is_wide(at))


@frozen
class _Scale:
    """Both frames and the region at a scale at which radii are tried.

    Attributes:
        light: linear light of the frame that is focused on the region, grey, ``(h, w)``.
        seen: root of that of the other one.
        inward: how deep a pixel lies in the region, in pixels of this scale.
        usable: 0 where clipped light is near, else 1.
        grid: pixels of this scale from one of the map's to the next.
    """

    light: Float
    seen: Float
    inward: Float
    usable: Float
    grid: int

    def halved(self) -> _Scale:
        """Return it at half the scale."""
        light, seen, inward, usable = (
            _shrunk(each, 2)
            for each in (self.light, np.square(self.seen), self.inward, self.usable)
        )
        return _Scale(
            light,
            np.sqrt(seen),
            np.asarray(inward / 2, np.float32),
            np.floor(usable),
            self.grid // 2,
        )

    def error(self, radius: float) -> tuple[Float, Float]:
        """Return what a blur by so many pixels misses, and of how many pixels, on the grid."""
        inner = np.multiply(self.inward > radius + 2.5, self.usable, dtype=np.float32)
        missed = defocused(self.light, radius) if radius else self.light.copy()
        np.maximum(missed, 0, out=missed)  # in place, here and below: nothing is made anew
        np.sqrt(missed, out=missed)
        missed -= self.seen
        missed *= missed
        missed *= inner
        return _shrunk(missed, self.grid), _shrunk(inner, self.grid)


def _errors(
    sharp: Float, blurred: Float, region: Float, glare: Float
) -> tuple[Float, Float, Float]:
    """Return errors and counts for each radius on the grid, and the difference without any blur."""
    inward = cv2.distanceTransform((region > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    light, seen = grey(sharp), np.sqrt(grey(blurred))
    full = _Scale(light, seen, np.asarray(inward, np.float32), 1 - glare, _GRID)
    half = full.halved()
    tried = [
        full.error(float(radius)) if radius < _HALVED else half.error(float(radius) / 2)
        for radius in LADDER
    ]
    difference, count = full.error(0.0)
    overall = float(difference.sum() / max(float(count.sum()), 1.0))
    errors, counts = (np.stack([each[k] for each in tried]) for k in (0, 1))
    return errors, counts, _mean(difference, count, overall)


def clipped(one: Float, other: Float) -> Float:
    """Return where either of two frames is clipped nearby, ``(H, W)``, 0 or 1."""
    most = (np.maximum(brightest(one), brightest(other)) > _CLIPPED).astype(np.uint8)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _AROUND + 1,) * 2)
    return np.asarray(cv2.dilate(most, around), np.float32)


def _shrunk(values: Float, factor: int) -> Float:
    height, width = values.shape
    size = max(width // factor, 1), max(height // factor, 1)
    trimmed = values[: size[1] * factor, : size[0] * factor]
    return np.asarray(cv2.resize(trimmed, size, interpolation=cv2.INTER_AREA), np.float32)


def _mean(sums: Float, count: Float, overall: float) -> Float:
    """Return the mean around each place, drawn to that of the whole picture where few tell."""
    top = smooth(sums, _REACH) + np.float32(_WHOLE * overall)
    return np.asarray(top / (smooth(count, _REACH) + np.float32(_WHOLE)), np.float32)


def _lowest(means: Float) -> Float:
    """Return the radius of least error, between those of the ladder by a parabola."""
    best = means.argmin(axis=0)
    at = np.clip(best, 1, len(LADDER) - 2)
    left, middle, right = (np.take_along_axis(means, (at + o)[None], 0)[0] for o in (-1, 0, 1))
    logs = np.log(LADDER)
    low, mid, high = logs[at - 1], logs[at], logs[at + 1]
    rise, fall = (right - middle) / (high - mid), (middle - left) / (mid - low)
    bend = (rise - fall) / (high - low)
    peak = (low + mid) / 2 - fall / 2 / np.maximum(bend, 1e-12)
    peak = np.where(bend > 1e-12, np.clip(peak, low, high), logs[best])
    return np.asarray(np.where(best == at, np.exp(peak), LADDER[best]), np.float32)
