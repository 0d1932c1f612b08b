"""Sizes, luminance and range of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels, SampleT


def working_factor(height: int, width: int, working_pixels: int | None) -> int:
    """Return how far to shrink, per axis, so that at most `working_pixels` remain.

    Pictures stay at least 16 pixels wide and high.
    """
    factor = 1
    while (
        working_pixels is not None
        and height * width > working_pixels * factor * factor
        and min(height, width) // (factor + 1) >= 16
    ):
        factor += 1
    return factor


def shrink(image: NDArray[SampleT], factor: int) -> NDArray[SampleT]:
    """Average blocks of ``factor x factor`` pixels; a last part of a block is left out.

    Args:
        image: ``(H, W)`` or ``(H, W, C)``.
        factor: >= 1.

    Returns:
        ``(H // factor, W // factor[, C])``, same dtype, rounded for integers.
    """
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    view = image[: height * factor, : width * factor]
    small = cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, image.dtype)


def luminance(
    pixels: Pixels, *, has_alpha: bool = False, room: Callable[..., Pixels] | None = None
) -> Pixels:
    """Return ``(H, W)`` luminance in the native dtype (BT.601 for RGB, else the mean channel).

    Args:
        pixels: ``(H, W)`` or ``(H, W, C)``.
        has_alpha: the last channel is opacity and carries no detail.
        room: makes the array for what is worked out of colour, as `numpy.empty` does; None for a
            new one.
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2] - has_alpha
    if channels == 1:
        return np.ascontiguousarray(pixels[..., 0])
    if channels == 3:
        code = cv2.COLOR_RGBA2GRAY if has_alpha else cv2.COLOR_RGB2GRAY
        out = None if room is None else room(pixels.shape[:2], pixels.dtype)
        return np.asarray(cv2.cvtColor(pixels, code, out), pixels.dtype)
    mean = pixels[..., :channels].mean(axis=-1, dtype=np.float32)
    return mean if pixels.dtype == np.float32 else np.rint(mean).astype(pixels.dtype)


def floats(pixels: Pixels) -> Float:
    """Return samples in [0, 1] of the dtype's range, float32; floats as they are."""
    if pixels.dtype == np.float32:
        return np.asarray(pixels, np.float32)
    out = pixels.astype(np.float32)
    out /= np.float32(white(pixels.dtype))  # in place: large arrays come page by page
    return out


def without_negatives(values: Float) -> Float:
    """Raise what is below 0 to 0, in place; NaNs stay.

    `numpy.maximum` compares with a single number four times as slowly as `numpy.clip` does.
    """
    return np.clip(values, 0, np.inf, out=values)


def white(dtype: np.dtype[Any]) -> float:
    """Return the value that 1.0 at the seam stands for: the dtype's largest, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
