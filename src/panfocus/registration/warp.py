"""Resample a frame once, from its native pixels, into the geometry of the reference frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels
from panfocus.registration.transforms import Crop, Matrix, corner_shift, corners, move, normalised

#: Corner shift in pixels below which resampling would cost more sharpness than it mends.
STILL = 0.1
#: Rows that are resampled at once.
_STRIP = 128
#: Rows around a pixel that the interpolation sees, and one for rounding.
_REACH = 5


def window_of(matrix: Matrix, field: Crop) -> Matrix:
    """Return the matrix from pixels of a field of the reference frame to the other frame."""
    start = np.array([[1, 0, field.left], [0, 1, field.top], [0, 0, 1]], np.float64)
    return normalised(matrix @ start)


def _source_rows(matrix: Matrix, width: int, rows: int, height: int) -> tuple[int, int]:
    """Return the rows, from and to, of a frame of `height` that a strip is made from.

    Args:
        matrix: from pixels of the strip to those of the frame.
        width: of the strip.
        rows: of the strip.
        height: of the frame.
    """
    y = move(matrix, corners(rows, width))[:, 1]
    first, last = int(np.floor(y.min())) - _REACH, int(np.ceil(y.max())) + _REACH
    bottom = height - 1
    # what lies outside is mirrored at the frame's border, not at the strip's
    first, last = min(first, 2 * bottom - last), max(last, -first)
    return min(max(first, 0), bottom), min(max(last, 0), bottom) + 1


def _resample(plane: Pixels, matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """Return ``(h, w[, C])``, of the frame's dtype and within its range.

    Strip by strip, as float32: there OpenCV's Lanczos takes half the time that it takes at 16 bit
    and no more than at 8, and a strip costs little memory.
    """
    width, height = size
    low, high = float(np.nanmin(plane)), float(np.nanmax(plane))
    out = np.empty((height, width, *plane.shape[2:]), plane.dtype)
    for top in range(0, height, _STRIP):
        rows = min(_STRIP, height - top)
        strip = window_of(matrix, Crop(top, top + rows, 0, width))
        first, last = _source_rows(strip, width, rows, plane.shape[0])
        lift = np.array([[1, 0, 0], [0, 1, -first], [0, 0, 1]], np.float64)
        source = plane[first:last].astype(np.float32, copy=False)
        made = _by_lanczos(source, normalised(lift @ strip), (width, rows))
        # what rings beyond black or white, or the brightest there is, is no light
        made = np.clip(made, low, high, out=made).reshape(out[top : top + rows].shape)
        out[top : top + rows] = made if plane.dtype == np.float32 else np.rint(made, out=made)
    return out


def _by_lanczos(source: Float, matrix: Matrix, size: tuple[int, int]) -> Float:
    way = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101
    if np.abs(matrix[2, :2]).max() == 0:
        out = cv2.warpAffine(source, matrix[:2], size, flags=way, borderMode=border)
    else:
        out = cv2.warpPerspective(source, matrix, size, flags=way, borderMode=border)
    return np.asarray(out, np.float32)


def warp(pixels: Pixels, matrix: Matrix, field: Crop) -> Pixels:
    """Return a field of the reference frame as another frame shows it.

    Args:
        pixels: ``(H, W[, C])`` of the other frame; uint8, uint16 or float32.
        matrix: from the reference frame to the other, pixels.
        field: what to make; what the frame does not show is mirrored at its border.

    Returns:
        ``(h, w[, C])``, same dtype. Where the corners move by less than `STILL`, native pixels.
    """
    height, width = pixels.shape[:2]
    if corner_shift(matrix, height, width) < STILL:
        return np.ascontiguousarray(pixels[field.top : field.bottom, field.left : field.right])
    whole = window_of(matrix, field)
    size = (field.right - field.left, field.bottom - field.top)
    if pixels.ndim == 3 and pixels.shape[2] > 4:  # more channels than OpenCV resamples at once
        planes = [np.ascontiguousarray(pixels[..., c]) for c in range(pixels.shape[2])]
        return np.stack([_resample(plane, whole, size) for plane in planes], axis=-1)
    return _resample(pixels, whole, size)


def cover(matrix: Matrix, field: Crop, height: int, width: int) -> NDArray[np.uint8] | None:
    """Return where a frame has pixels of a field of the reference frame.

    Args:
        matrix: from the reference frame to the other, pixels.
        field: of the reference frame.
        height: of the other frame.
        width: of the other frame.

    Returns:
        ``(h, w)`` uint8, 255 where it has and 0 where not; None when it has all.
    """
    if corner_shift(matrix, height, width) < STILL:
        return None
    size = (field.right - field.left, field.bottom - field.top)
    white = np.full((height, width), 255, np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    out = cv2.warpPerspective(white, window_of(matrix, field), size, flags=flags)
    return None if out.min() == 255 else np.asarray(out, np.uint8)
