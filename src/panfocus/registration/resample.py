"""Values of a frame between its pixels: nearly all of its detail, and no rings that show.

Affine transforms that hardly turn take a long filter for every place (`two_pass`). For others each
part is doubled by a long filter, and taken from the doubled part by OpenCV's bicubic interpolation,
which alone would lose detail near the Nyquist frequency. All are linear, and
neither encoded values nor light may be interpolated so without harm: pixels gather light, so
encoded values bend at edges; but where light is encoded, a ring of light beside something bright
becomes a broad one in the dark. In between lies the square of the encoded value raised a little.
Kernel, lift and slack are MEASURED, see docs/decisions/0015-resampling.md.

bicubic:  R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP
          29 (6), 1981; the filter is a least-squares design, benchmarks/resampling_filter.py
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from panfocus.arrays.pixels import luminance, white, without_negatives
from panfocus.arrays.types import Float, Pixels
from panfocus.registration.transforms import Matrix
from panfocus.registration.two_pass import REACH as REACH_OF_TWO
from panfocus.registration.two_pass import suits, take

#: Right half of the symmetric filter that makes the values half-way between two samples.
_HALF = (0.62816, -0.19828, 0.11413, -0.07274, 0.04824, -0.03141, 0.01963, -0.00773)
_BETWEEN = np.array([*_HALF[::-1], *_HALF], np.float32)
_ALONE = np.ones(1, np.float32)
#: Pixels around a place that its value depends on: half the filter, and bicubic on doubled pixels.
REACH = max(len(_HALF) + 2, REACH_OF_TWO + 1)
#: Added to encoded values in [0, 1] before they are squared.
_LIFT = 0.1
#: By which share of the range of the 4 x 4 pixels around it a value may leave that range: enough
#: for the tops of fine waves; less below, where the square root widens rings.
_SLACK = 0.5
_SLACK_BELOW = 0.15
_MIRROR = cv2.BORDER_REFLECT_101


#: Fourth differences are about so many times what bicubic interpolation loses half-way between two
#: pixels, at any frequency: 42 at 0.1 cycles a pixel, 34 at 0.25, 24 at 0.4.
_FOURTH = 30.0
_DIFFERENCE = np.array([[1, -4, 6, -4, 1]], np.float32)
#: What may be lost in a part without harm, grey levels: root mean square, and anywhere.
_LOST, _LOST_ANYWHERE = 0.5, 2.5


def is_smooth(pixels: Pixels) -> bool:
    """Whether a part of a frame ``(H, W[, C])`` has no detail that asks for a long filter.

    So it is with most of a frame of a focal stack: it is out of focus there. Only 8 bits are looked
    at: OpenCV's places are multiples of a 32nd of a pixel, which shows in deeper numbers.
    """
    if pixels.dtype != np.uint8 or min(pixels.shape[:2]) < _DIFFERENCE.size:
        return False
    grey = luminance(pixels) if pixels.ndim == 3 and pixels.shape[2] == 3 else pixels
    for kernel in (_DIFFERENCE, _DIFFERENCE.T):
        lost = cv2.filter2D(grey, cv2.CV_16S, kernel, borderType=_MIRROR)
        most = cv2.norm(lost, cv2.NORM_INF)
        square = cv2.norm(lost, cv2.NORM_L2SQR) / lost.size
        if most > _LOST_ANYWHERE * _FOURTH or square > (_LOST * _FOURTH) ** 2:
            return False
    return True


def interpolate(
    pixels: Pixels, matrix: Matrix, size: tuple[int, int], *, is_encoded: bool
) -> Pixels:
    """Return the values of a part of a frame at other places.

    Args:
        pixels: ``(H, W[, C])``, up to 4 channels, of any range.
        matrix: from pixels of the result to those of `pixels`; what lies beyond is mirrored.
        size: width and height of the result.
        is_encoded: whether values stand for light as a display shows it, and not for light itself.

    Returns:
        ``(h, w[, C])``, a single channel without its axis, same dtype, rounded once.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    for axis in (0, 1):
        if pixels.shape[axis] == 1:  # nothing to mirror, and OpenCV never comes back from trying
            pixels = np.repeat(pixels, 2, axis=axis)
    if is_smooth(pixels):
        return _take(pixels, matrix, size, cv2.INTER_CUBIC)
    made = _between_pixels(pixels, matrix, size, is_encoded=is_encoded)
    bounds = _bounds(pixels, _SLACK_BELOW if is_encoded else _SLACK)
    low, high = (_take(m, _to_corner(matrix), size, cv2.INTER_NEAREST) for m in bounds)
    return np.asarray(cv2.min(cv2.max(made, low), high), pixels.dtype)


def _between_pixels(
    pixels: Pixels, matrix: Matrix, size: tuple[int, int], *, is_encoded: bool
) -> Pixels:
    """Return values that may ring, as `interpolate` does."""
    if suits(matrix) and (pixels.dtype != np.float32 or np.isfinite(pixels).all()):
        values = _lifted(pixels, is_encoded=is_encoded)
        made = take(values.reshape(*pixels.shape[:2], -1), matrix, size)
        height, channels, width = made.shape
        flat = made.reshape(height * channels, width)
        low = _lowered(flat, pixels.dtype, is_encoded=is_encoded).reshape(made.shape)
        planes = [low[:, k] for k in range(channels)]
        return np.asarray(cv2.merge(planes) if channels > 1 else planes[0], pixels.dtype)
    values = _lifted(pixels, is_encoded=is_encoded)
    taken = _take(_doubled(values), np.diag([2.0, 2.0, 1.0]) @ matrix, size, cv2.INTER_CUBIC)
    return _lowered(np.asarray(taken, np.float32), pixels.dtype, is_encoded=is_encoded)


def _lifted(pixels: Pixels, *, is_encoded: bool) -> Float:
    """Return what is interpolated in place of values: for encoded ones the square, once lifted."""
    lift, top = _LIFT if is_encoded else 0.0, white(pixels.dtype)
    flat = pixels.reshape(len(pixels), -1)
    values = cv2.addWeighted(flat, 1 / top, flat, 0, lift, dtype=cv2.CV_32F)
    if is_encoded:
        np.square(values, out=values)
    return np.asarray(values, np.float32).reshape(pixels.shape)


def _lowered(made: Float, dtype: np.dtype[Any], *, is_encoded: bool) -> Pixels:
    """Return values of what was interpolated in their place, which is overwritten."""
    lift, top = _LIFT if is_encoded else 0.0, white(dtype)
    depth = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U, "float32": cv2.CV_32F}[dtype.name]
    if is_encoded:
        cv2.sqrt(without_negatives(made), dst=made)
    return np.asarray(cv2.addWeighted(made, top, made, 0, -lift * top, dtype=depth), dtype)


def _doubled(values: Float) -> Float:
    """Return ``(2 h - 1, 2 w - 1[, C])``, whose even rows and columns are those of `values`."""
    height, width = values.shape[:2]
    out = np.empty((2 * height - 1, 2 * width - 1, *values.shape[2:]), np.float32)
    across = _between(values, _BETWEEN, _ALONE)
    out[::2, ::2] = values
    out[::2, 1::2] = across[:, :-1]
    out[1::2, ::2] = _between(values, _ALONE, _BETWEEN)[:-1]
    out[1::2, 1::2] = _between(across, _ALONE, _BETWEEN)[:-1, :-1]
    return out


def _between(values: Float, x: Float, y: Float) -> Float:
    """Filter rows by `x` and columns by `y`; what lies between two samples goes to the first."""
    anchor = ((len(x) - 1) // 2, (len(y) - 1) // 2)
    out = cv2.sepFilter2D(values, -1, x, y, anchor=anchor, borderType=_MIRROR)
    return np.asarray(out, np.float32)


def _bounds(pixels: Pixels, below: float) -> tuple[Pixels, Pixels]:
    """Return the least and greatest value allowed between each pixel and the one right below.

    Args:
        pixels: ``(H, W[, C])``; the bounds have its shape and dtype.
        below: by which share of their range values may fall below it.
    """
    box = np.ones((4, 4), np.uint8)
    low = cv2.erode(pixels, box, anchor=(1, 1), borderType=_MIRROR)
    high = cv2.dilate(pixels, box, anchor=(1, 1), borderType=_MIRROR)
    out = (
        cv2.addWeighted(low, 1 + below, high, -below, 0),
        cv2.addWeighted(high, 1 + _SLACK, low, -_SLACK, 0),
    )
    return np.asarray(out[0], pixels.dtype), np.asarray(out[1], pixels.dtype)


def _to_corner(matrix: Matrix) -> Matrix:
    """Return a matrix by which the nearest pixel is the one above and to the left."""
    return np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]], np.float64) @ matrix


def _take(pixels: Pixels, matrix: Matrix, size: tuple[int, int], way: int) -> Pixels:
    flags = way | cv2.WARP_INVERSE_MAP
    if np.abs(matrix[2, :2]).max() == 0:
        out = cv2.warpAffine(
            pixels, matrix[:2] / matrix[2, 2], size, flags=flags, borderMode=_MIRROR
        )
    else:
        out = cv2.warpPerspective(pixels, matrix, size, flags=flags, borderMode=_MIRROR)
    return np.asarray(out, pixels.dtype)
