"""Match brightness and white balance, only where frames truly differ in them.

Defocus changes edges and leaves flat parts as they are. So two frames are compared where both are
flat and neither is clipped, block by block; only what all of the picture agrees upon is believed.

A gain alone would push highlights beyond white: levels follow a curve, see `curves`. Where its knee
lies, and whether it holds for stored levels or for light, the blocks say too: cameras roll
highlights off, bare sensors do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.registration.curves import GAMMA, Curve, CurveShape, light_of, unbend
from panfocus.registration.flicker import Lines, are_near, lines_of
from panfocus.registration.levels import FrameLevels, mean_of, range_of, tells
from panfocus.registration.transforms import from_reduced

#: Difference of gain that is never mended.
TOLERANCE = 0.01
#: Level, share of white, that is as dark as none.
_LEVEL = np.float32(1e-3)
#: Blocks along the shorter side of the picture.
_BLOCKS = 8
#: Range within 3 x 3 pixels, share of white, up to which a place is flat; and what is tried in its
#: place where noise and texture leave too little that is. In that case blocks must agree to so
#: much, in logarithms. MEASURED: where brightness differs and nothing else .002 to .012, in pairs
#: that lie on each other .015 at most, in two that do not, .04 and .07.
_FLAT = (0.05, 0.08, 0.12)
_AGREED = 0.02
#: Flat pixels that make a block speak, and blocks that make a picture speak.
_FEWEST_PIXELS, FEWEST_BLOCKS = 25, 6
#: Frames up to which a note names each.
_NAMED = 3


@frozen
class CurveFit:
    """What one shape of curve makes of two frames.

    Attributes:
        log: natural logarithm of the gain of all channels together.
        cast: of each channel over that, ``(C,)``.
        variance: of each channel's cast, ``(C,)``.
        misfit: mean deviation of the blocks from it, in logarithms of stored levels.
    """

    log: float
    cast: NDArray[np.float64]
    variance: NDArray[np.float64]
    misfit: float


@frozen
class Ratio:
    """How much brighter one frame is than the next.

    Attributes:
        log: natural logarithm of fixed over moving, per channel ``(C,)``.
        scatter: spread of the blocks about it, per channel ``(C,)``.
        fixed: levels of the blocks in one frame, shares of `white`, ``(B, C)``.
        moving: the same in the next.
        lines: how much brighter its lines are; None where too little tells.
        white: the share of the samples' range that levels are shares of.
    """

    log: NDArray[np.float64]
    scatter: NDArray[np.float64]
    fixed: NDArray[np.float64]
    moving: NDArray[np.float64]
    lines: Lines | None = None
    white: float = 1.0

    def within(self, white: float) -> Ratio:
        """Return the same with levels that are shares of another white."""
        if white == self.white:
            return self
        shares = self.white / white
        return replace(self, fixed=self.fixed * shares, moving=self.moving * shares, white=white)

    def fit(self, shape: CurveShape) -> CurveFit:
        """Return what a shape of curve makes of the two frames."""
        fixed, moving, knee = self.fixed, self.moving, shape.knee
        if shape.linear:
            fixed, moving, knee = light_of(fixed), light_of(moving), float(light_of(np.array(knee)))
        logs = unbend(fixed, moving, knee)
        misfit = float(np.abs(logs - median(logs)).mean()) / (GAMMA if shape.linear else 1)
        return CurveFit(float(median(logs).mean()), *_cast(logs, self.fixed.mean(axis=1)), misfit)


def _blocks(fixed: Float, moving: Float, useful: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return medians of every block that has enough useful pixels, ``(B, C)`` each.

    Of the logarithms of fixed over moving, of fixed, and of moving.

    Args:
        fixed: levels ``(C, h, w)``.
        moving: the same of the other frame, in place.
        useful: which pixels tell ``(h, w)``.
    """
    side = max(min(useful.shape) // _BLOCKS, 1)
    medians: list[Float] = []
    for top in range(0, useful.shape[0] - side + 1, side):
        for left in range(0, useful.shape[1] - side + 1, side):
            block = (slice(top, top + side), slice(left, left + side))
            chosen = np.flatnonzero(useful[block])
            if len(chosen) >= _FEWEST_PIXELS:
                one, other = (
                    planes[:, *block].reshape(len(planes), -1).take(chosen, axis=1)
                    for planes in (fixed, moving)
                )
                medians.append(median(np.concatenate((np.log(one / other), one, other)), axis=1))
    found = np.array(medians, np.float64).reshape(-1, 3 * len(fixed))
    return np.split(found, 3, axis=1)


def _cast(
    logs: NDArray[np.float64], brightness: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much channels deviate from all together, ``(C,)``, and its variance.

    Blocks of one brightness may agree upon what is only a curve of another kind. So dark, middling
    and bright blocks are judged apart, and their disagreement is an error too.

    Args:
        logs: gains of blocks ``(B, C)``, logarithms.
        brightness: of the blocks ``(B,)``.
    """
    own = logs - logs.mean(axis=1, keepdims=True)
    parts = [median(own[part]) for part in np.array_split(np.argsort(brightness), 3)]
    cast = np.mean(parts, axis=0)
    spread = 1.4826 * median(np.abs(own - median(own)))
    of_blocks = np.pi / 2 * spread**2 / len(own)  # of a median
    of_parts = np.var(parts, axis=0, ddof=1) / len(parts)
    return cast - cast.mean(), np.maximum(of_blocks, of_parts)


def compare(fixed: FrameLevels, moving: FrameLevels, matrix: NDArray[np.float64]) -> Ratio | None:
    """Measure how much brighter `fixed` is than `moving`.

    Args:
        fixed: a reduced frame.
        moving: another.
        matrix: from the fixed frame to the moving one, pixels of the reduced scale.

    Returns:
        The ratio, or None where too little is flat and unclipped in both.
    """
    if fixed.is_halved:
        half = from_reduced(2)
        matrix = np.linalg.inv(half) @ matrix @ half
    most = max(fixed.white, moving.white)
    one, other = fixed.planes, moving.planes
    size = (one.shape[2], one.shape[1])
    is_apart = not np.allclose(matrix, np.eye(3), rtol=0, atol=1e-12)
    moved = other
    if is_apart:
        moved = np.stack(
            [
                cv2.warpPerspective(
                    plane,
                    matrix,
                    size,
                    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                    borderValue=(0,),  # too dark to be measured
                )
                for plane in other
            ]
        )
    moved = np.asarray(moved, np.float32)
    ranges = fixed.ranges(most), (range_of(moved, most) if is_apart else moving.ranges(most))
    for steepest in _FLAT:
        is_flat = (ranges[0] < steepest) & (ranges[1] < steepest)
        blocks, fixed_levels, moving_levels = _blocks(one, moved, is_flat)
        if len(blocks) >= FEWEST_BLOCKS:
            break
    else:
        return None
    log = median(blocks)
    scatter = 1.4826 * median(np.abs(blocks - log))
    if steepest > _FLAT[0] and np.any(scatter > _AGREED):
        return None  # what is less flat changes with focus, too
    lines = None
    if steepest == _FLAT[0] and are_near(matrix, size[1], size[0]):
        seen = moved / np.float32(most)
        useful = fixed.tells(most) & (tells(seen) if is_apart else moving.tells(most))
        lines = lines_of(np.log(_mean(one) / _mean(moved)), useful)
    return Ratio(log, scatter, fixed_levels / most, moving_levels / most, lines, most)


def _mean(planes: Float) -> Float:
    return np.maximum(mean_of(planes), _LEVEL)


def notes(curves: Sequence[Curve | None], names: Sequence[str], reference: int) -> list[str]:
    """Return a line for the user on what was matched, and one on bands; none where nothing was.

    Args:
        curves: of the frames.
        names: of the frames.
        reference: number of the reference frame.
    """
    bands = [_bands_told(curves)] if any(c is not None and c.has_bands for c in curves) else []
    changes = {
        n: 100 * (float(c.gain.mean()) - 1)
        for n, c in enumerate(curves)
        if c is not None and np.any(c.log)
    }
    if not changes:
        return bands
    casts = any(c is not None and np.ptp(c.log) > 0 for c in curves)
    what = "brightness and white balance" if casts else "brightness"
    told = {n: f"{change:+.0f}" for n, change in changes.items()}
    if casts and all(float(text) == 0 for text in told.values()):
        gains = np.concatenate([c.gain - 1 for c in curves if c is not None])
        many = f"{len(changes)} of {len(curves)} frames"
        which = f"{many} by up to {100 * np.abs(gains).max():.1f} % in a colour"
    elif len(changes) <= _NAMED:
        which = ", ".join(f"{names[n]} by {text} %" for n, text in told.items())
    else:
        ends = dict.fromkeys(told[of(changes, key=lambda n: changes[n])] for of in (min, max))
        which = f"{len(changes)} of {len(curves)} frames by {' to '.join(ends)} %"
    return [f"{what} matched to {names[reference]}: {which}", *bands]


def _bands_told(curves: Sequence[Curve | None]) -> str:
    lines = [c.lines for c in curves if c is not None and c.lines is not None]
    most = 100 * np.expm1(max(float(np.abs(one).max()) for one in lines))
    return (
        f"bands of brightness, as of light that flickers, evened in {len(lines)} of {len(curves)} "
        f"frames by up to {most:.0f} %"
    )
