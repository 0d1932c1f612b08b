"""How much detail every frame has where: the curve of focus through the stack at each place.

Defocus of radius ``r`` takes ``w^2 r^2 / 4`` from the logarithm of a narrow band's energy, ``w``
its frequency (by a Gaussian of the same second moment), and ``r`` grows evenly from frame to frame:
so these logarithms lie on a parabola (Nayar and Nakagawa, PAMI 1994, fit the same curve for depth).
Its peak tells how far the frame that won was focused from a place; its bend, over the whole stack,
by how much defocus grows from frame to frame. Both together tell what blur is left.

The band is a coarse one, of `REDUCTION` pixels: a sixteenth of the pixels, little of their noise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision

#: Frames that make a curve, at least.
LEAST = 3
#: How far frames are shrunk for the band that is measured, working pixels.
REDUCTION = 2
#: Standard deviation of the Gaussian before the Laplacian, pixels of the reduced scale. Without it,
#: how a frame that is moved lies on the grid of pixels changes its energy by a fifth.
_SIGMA = 1.0
#: Side of the square over which its energy is averaged, and of a block of the map that is kept,
#: pixels of the reduced scale.
_WINDOW = 11
_BLOCK = 4
#: Energy of the band that rounding to whole numbers makes, in squares of a step.
_ROUNDING = 0.1
#: Share of blocks with least detail, which tells the noise; and how many times its energy is taken
#: off.
_FLATTEST = 0.05
_OFF = 4.0
#: Share of all changes from frame to frame that lead to the peak before it and from it afterwards:
#: at most in frames out of order, and from which on they are in order. MEASURED: .97 and more in
#: stacks with defocus of 6 to 24 pixels, noise, JPEG, breathing or motion; .80 and .90 where one
#: frame was out of its place, and at most .78 where all were.
_DISORDER, _ORDER = 0.92, 0.96
#: The same of one place, where two depths may meet.
_TWO_PEAKS, _ONE_PEAK = 0.6, 0.9
#: Every how many working pixels the frame that won is kept: what is asked of it changes slowly.
EVERY = 2
#: Pixels that are shrunk at once.
_BAND = 1 << 16
#: What a place's detail must be to tell of the step, in units of the noise; how far its curve must
#: be trusted; and how many places are enough.
_CLEAR = 8
_SURE = 0.9
_FEWEST = 20
#: Radius of defocus between frames whose curves bend by 1, working pixels. MEASURED on made stacks.
_STEP = 2.25
#: Least bend of a curve that has a peak, in logarithms.
_BEND = 1e-3
#: How far a peak may lie from the frame that was chosen, as a share of the way to its neighbour:
#: past the middle that neighbour is nearer, and was not chosen for some reason.
_REACH = 0.75


class _Fits(NamedTuple):
    """Parabolas through every frame and its neighbours.

    Attributes:
        away: how far the peak lies from the frame, in frames, ``(N, a, b)``; 0 where none is near.
        trust: how far that may be believed, ``(a, b)`` in [0, 1].
        step: radius of the defocus between two neighbours, working pixels; 0 where nothing tells.
    """

    away: Float
    trust: Float
    step: float


class FocusCurves:
    """Gathers the detail of frames, one number for each frame and block, and which frame won."""

    def __init__(self, factor: int) -> None:
        """Set up.

        Args:
            factor: of the working scale.
        """
        self._factor = factor * REDUCTION
        self._details: list[Float] = []
        self._numbers: list[int] = []
        self._rounding = 0.0
        self._index: NDArray[np.uint16] | None = None
        self._largest = np.zeros((0, 0), np.float32)

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        self._details.append(frame.measured(self._energy, self._factor)[::_BLOCK, ::_BLOCK].copy())
        self._numbers.append(frame.number)
        if frame.dtype.kind != "f":
            self._rounding = _ROUNDING

    def take(self, decision: Decision) -> None:
        """Take what was decided about a frame: it may have won somewhere."""
        alpha = decision.chosen[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY]
        if self._index is None:
            self._index = np.full(alpha.shape, decision.frame.number, np.uint16)
            self._largest = np.ones(alpha.shape, np.float32)
            return
        self._largest *= 1 - alpha
        won = alpha > self._largest
        np.copyto(self._largest, alpha, where=won)
        np.copyto(self._index, decision.frame.number, where=won)

    def step(self) -> float:
        """Return the defocus between two neighbours, a radius in working pixels; 0: unknown."""
        fits = self._fits()
        return 0.0 if fits is None else fits.step

    def blur(self) -> tuple[Float, Float] | None:
        """Return the radius of the defocus that the frame that won has, and how far to believe it.

        Returns:
            In working pixels, and in [0, 1], both every `EVERY` working pixels; None where nothing
            tells.
        """
        fits = self._fits()
        if fits is None or self._index is None or not fits.step:
            return None
        return self._of_winners(np.abs(fits.away) * np.float32(fits.step)), self._small(fits.trust)

    def depth(self) -> tuple[Float, Float] | None:
        """Return where the peaks lie, in frames, and how far each may be believed, in [0, 1].

        Returns:
            Both every `EVERY` working pixels; None where there are too few frames.
        """
        fits = self._fits()
        if fits is None or self._index is None:
            return None
        is_peak = np.where(fits.away != 0, fits.trust, 0).astype(np.float32)
        return self._index + self._of_winners(fits.away), self._of_winners(is_peak)

    def _of_winners(self, blocks: Float) -> Float:
        """Return of maps ``(N, a, b)`` those of the frames that won, bilinear."""
        assert self._index is not None
        out = np.zeros(self._index.shape, np.float32)
        for number, block in zip(self._numbers, list(blocks), strict=True):
            if block.any():
                np.copyto(out, self._small(block), where=self._index == number)
        return out

    def _small(self, block: Float) -> Float:
        """Return a map ``(a, b)`` every `EVERY` working pixels."""
        assert self._index is not None
        height, width = self._index.shape
        return np.asarray(cv2.resize(block, (width, height)), np.float32)

    def _fits(self) -> _Fits | None:
        if len(self._details) < LEAST:
            return None
        details = np.stack(self._details)
        noise = np.float32(_OFF * ends(details.min(axis=0), _FLATTEST)[0] + self._rounding)
        noise = max(noise, np.float32(1e-12))
        curves = np.log(np.maximum(details, noise))
        away, bend = peaks(curves)
        sure = trust(curves)
        clear = details.max(axis=0) > _CLEAR * noise
        return _Fits(away, sure, step_of(curves, bend, clear & (sure > _SURE)))

    def _energy(self, grey: Pixels) -> Float:
        """Return the energy of the band, averaged, ``(h, w)``, in squares of a frame's numbers."""
        small = cv2.GaussianBlur(_shrunk(grey, self._factor), (0, 0), _SIGMA)
        fine = cv2.Laplacian(small, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
        side = _WINDOW, _WINDOW
        mean = cv2.sqrBoxFilter(fine, cv2.CV_32F, side, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(mean, np.float32)


def _shrunk(grey: Pixels, factor: int) -> Float:
    """Return a luminance ``(H // factor, W // factor)`` that is not rounded."""
    height, width = (side // factor for side in grey.shape)
    out = np.empty((height, width), np.float32)
    rows = max(_BAND // (factor * grey.shape[1]), 1)
    for top in range(0, height, rows):  # in bands that stay in the processor's cache
        band = grey[top * factor : min(top + rows, height) * factor, : width * factor]
        out[top : top + rows] = shrink(band.astype(np.float32), factor)
    return out


def peaks(curves: Float) -> tuple[Float, Float]:
    """Return how far each frame's peak lies from it, and the bend of its curve, both ``(N, a, b)``.

    0 where no peak is near, and for the first and the last frame, which lack a neighbour.

    Args:
        curves: logarithms of detail, ``(N, a, b)``, of frames at even distances. A frame that was
            left out counts as none: whether it left a gap nobody knows. MEASURED: where it did, as
            much is gained as lost beside it.

    Example:
        >>> import numpy as np
        >>> curve = np.array([-1.0, 0.0, -0.5], np.float32).reshape(3, 1, 1)
        >>> away, bend = peaks(curve)
        >>> round(float(away[1, 0, 0]), 4), float(bend[1, 0, 0])
        (0.1667, 1.5)
    """
    away, bend = np.zeros_like(curves), np.zeros_like(curves)
    for n in range(1, len(curves) - 1):
        before, here, after = curves[n - 1 : n + 2]
        np.maximum(2 * here - before - after, 0, out=bend[n])
        slope = (after - before) / 2
        sharp = np.maximum(bend[n], np.float32(_BEND))
        np.copyto(away[n], slope / sharp, where=np.abs(slope) < _REACH * sharp)
    return away, bend


def step_of(curves: Float, bend: Float, told: NDArray[np.bool_]) -> float:
    """Return the radius of the defocus between two neighbours, working pixels.

    The median over all places that have a peak within the stack. A curve's bend is ``w^2 s^2 / 2``,
    with ``s`` the step: one for the whole stack, while ``w`` goes by what there is to be seen.

    Args:
        curves: logarithms of detail, ``(N, a, b)``.
        bend: of them, see `peaks`.
        told: places that may be asked, ``(a, b)``.

    Returns:
        0 where fewer than `_FEWEST` places tell.
    """
    best = curves.argmax(axis=0)
    found = np.take_along_axis(bend, best[None], axis=0)[0]
    found = found[told & (best > 0) & (best < len(curves) - 1) & (found > _BEND)]
    return _STEP * float(np.sqrt(np.median(found))) if found.size >= _FEWEST else 0.0


def trust(curves: Float) -> Float:
    """Return how far curves of frames in order may be believed, ``(a, b)`` in [0, 1].

    Detail rises up to one frame and falls from it on. Where it does not, two depths meet, something
    moves, or, if that is so all over, the frames are out of order.

    Args:
        curves: logarithms of detail, ``(N, a, b)``.
    """
    steps = np.diff(curves, axis=0)
    is_before = np.arange(len(steps))[:, None, None] < curves.argmax(axis=0)
    right = np.where(is_before, np.maximum(steps, 0), np.maximum(-steps, 0)).sum(axis=0)
    changes = np.abs(steps).sum(axis=0)
    order = _between(float(right.sum()) / max(float(changes.sum()), 1e-6), _DISORDER, _ORDER)
    return order * _between(right / np.maximum(changes, np.float32(1e-6)), _TWO_PEAKS, _ONE_PEAK)


def _between(value: Any, low: float, high: float) -> Float:  # noqa: ANN401  a number or a map
    """Return how far values lie on the way, in [0, 1]."""
    return np.clip((np.asarray(value, np.float32) - low) / (high - low), 0, 1).astype(np.float32)
