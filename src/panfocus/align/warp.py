"""Resample a frame once, from its native pixels, into the geometry of the reference frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.align.transforms import Field, Matrix, corner_shift, normalised
from panfocus.blend import Pixels

#: Corner shift in pixels below which resampling would cost more sharpness than it mends.
STILL = 0.1


def window_of(matrix: Matrix, field: Field) -> Matrix:
    """Return the matrix from pixels of a field of the reference frame to the other frame."""
    start = np.array([[1, 0, field.left], [0, 1, field.top], [0, 0, 1]], np.float64)
    return normalised(matrix @ start)


def _resample(plane: Pixels, matrix: Matrix, size: tuple[int, int]) -> Pixels:
    way = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101
    if np.abs(matrix[2, :2]).max() == 0:
        out = cv2.warpAffine(plane, matrix[:2], size, flags=way, borderMode=border)
    else:
        out = cv2.warpPerspective(plane, matrix, size, flags=way, borderMode=border)
    return np.asarray(out, plane.dtype)


def warp(pixels: Pixels, matrix: Matrix, field: Field) -> Pixels:
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
        out = np.stack([_resample(plane, whole, size) for plane in planes], axis=-1)
    else:
        out = _resample(pixels, whole, size).reshape(size[1], size[0], *pixels.shape[2:])
    if pixels.dtype == np.float32:  # integers stop at black and white by themselves
        out = np.clip(out, pixels.min(), pixels.max())
    return np.asarray(out, pixels.dtype)


def cover(matrix: Matrix, field: Field, height: int, width: int) -> NDArray[np.uint8] | None:
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
