"""How much detail every frame has where: the curve of focus through the stack at each place.

Where the sharpest of all frames was focused a little before or behind a place, its neighbours
tell by how much. Defocus of radius ``r`` takes ``w^2 r^2 / 4`` from the logarithm of a narrow
band's energy, ``w`` its frequency (by a Gaussian of the same second moment), and ``r`` grows evenly
from frame to frame: so these logarithms lie on a parabola (Nayar and Nakagawa, PAMI 1994, fit the
same curve for depth), and how far its peak rises above the chosen frame tells what blur is left.

The band is a coarse one, of `REDUCTION` pixels. Blur that is too small to see hardly shows in it,
it has a sixteenth of the pixels, and little of their noise. MEASURED: what a picture gains by
sharpening goes by the rise in this band, whatever the number and spacing of frames; in the finest
band of all it does not (docs/decisions/0026).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame

#: Frames that make a curve, at least.
LEAST = 3
#: How far frames are shrunk for the band that is measured, working pixels.
REDUCTION = 4
#: Side of the square over which its energy is averaged, and of a block of the map that is kept,
#: pixels of the reduced scale.
_WINDOW = 5
_BLOCK = 2
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
#: Pixels that are shrunk at once.
_BAND = 1 << 16
#: Least bend of a curve that has a peak, in logarithms.
_BEND = 1e-3
#: How far a peak may lie from the frame that was chosen, as a share of the way to its neighbour:
#: past the middle that neighbour is nearer, and was not chosen for some reason.
_REACH = 0.75


class FocusCurves:
    """Gathers the detail of frames, one number for each frame and block."""

    def __init__(self, factor: int) -> None:
        """Set up.

        Args:
            factor: of the working scale.
        """
        self._factor = factor * REDUCTION
        self._details: list[Float] = []
        self._numbers: list[int] = []
        self._rounding = 0.0

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        self._details.append(frame.measured(self._energy, self._factor)[::_BLOCK, ::_BLOCK].copy())
        self._numbers.append(frame.number)
        if frame.dtype.kind != "f":
            self._rounding = _ROUNDING

    def _energy(self, grey: Pixels) -> Float:
        """Return the energy of the band, averaged, ``(h, w)``, in squares of a frame's numbers."""
        small = _shrunk(grey, self._factor)
        fine = cv2.Laplacian(small, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
        side = _WINDOW, _WINDOW
        mean = cv2.sqrBoxFilter(fine, cv2.CV_32F, side, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(mean, np.float32)

    def missing(self, index: NDArray[np.uint16]) -> Float | None:
        """Return how far the peak lies above the chosen frame, logarithms of energy.

        Args:
            index: numbers of the frames that were chosen, ``(h, w)``, any scale.

        Returns:
            ``(h, w)``, at least 0; None where nothing is missing anywhere.
        """
        if len(self._details) < LEAST:
            return None
        details = np.stack(self._details)
        noise = np.float32(_OFF * ends(details.min(axis=0), _FLATTEST)[0] + self._rounding)
        noise = max(noise, np.float32(1e-12))
        curves = np.log(np.maximum(details, noise))
        above = peaks_above(curves, self._numbers)
        above *= trust(curves)
        if not above.any():
            return None
        out = np.zeros(index.shape, np.float32)
        size = index.shape[1], index.shape[0]
        for number, blocks in zip(self._numbers, above, strict=True):
            if blocks.any():
                chosen = (index == number).astype(np.uint8)
                cv2.copyTo(cv2.resize(blocks, size, interpolation=cv2.INTER_LINEAR), chosen, out)
        return out


def _shrunk(grey: Pixels, factor: int) -> Float:
    """Return a luminance ``(H // factor, W // factor)`` that is not rounded."""
    height, width = (side // factor for side in grey.shape)
    out = np.empty((height, width), np.float32)
    rows = max(_BAND // (factor * grey.shape[1]), 1)
    for top in range(0, height, rows):  # in bands that stay in the processor's cache
        band = grey[top * factor : min(top + rows, height) * factor, : width * factor]
        out[top : top + rows] = shrink(band.astype(np.float32), factor)
    return out


def peaks_above(curves: Float, numbers: Sequence[int]) -> Float:
    """Return how far each frame's parabola rises above it, ``(N, a, b)``.

    0 where no peak is near, and for frames without a neighbour on either side: the first, the last,
    and those beside one that was left out, of which nobody knows whether it left a gap.

    Args:
        curves: logarithms of detail, ``(N, a, b)``.
        numbers: of the frames in their stack, rising.

    Example:
        >>> import numpy as np
        >>> curve = np.array([-1.0, 0.0, -0.5], np.float32).reshape(3, 1, 1)
        >>> peaks_above(curve, [0, 1, 2]).ravel().astype(float).round(4).tolist()
        [0.0, 0.0208, 0.0]
    """
    out = np.zeros_like(curves)
    for n in range(1, len(curves) - 1):
        if numbers[n + 1] - numbers[n - 1] != 2:
            continue
        before, here, after = curves[n - 1 : n + 2]
        bend = np.minimum(before - 2 * here + after, np.float32(-_BEND))
        slope = (after - before) / 2
        np.copyto(out[n], -(slope**2) / (2 * bend), where=np.abs(slope) < -_REACH * bend)
    return out


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
