"""Shapes of things in made scenes: mattes ``(H, W)`` in [0, 1], 1 where a thing covers all."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.arrays.types import Float


def blob_matte(rng: Generator, height: int, width: int, cover: float, scale: float) -> Float:
    """Return a random smooth-edged shape ``(H, W)`` in [0, 1] covering about `cover`.

    Args:
        rng: source of randomness.
        height: of the picture.
        width: of the picture.
        cover: wanted share of covered pixels.
        scale: feature size as a share of the picture's smaller side.
    """
    sigma = max(scale * min(height, width) / 2, 1.0)
    shrink = max(int(sigma // 3), 1)
    small = rng.standard_normal((height // shrink + 8, width // shrink + 8)).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    field = cv2.resize(small, (width + 8, height + 8), interpolation=cv2.INTER_CUBIC)
    field = field[4 : 4 + height, 4 : 4 + width]
    level = np.quantile(field, 1 - cover)
    slope = np.hypot(*np.gradient(field)) + 1e-6
    # signed distance over the local slope: an edge about one pixel wide, as a sensor sees it
    return np.clip((field - level) / slope + 0.5, 0, 1).astype(np.float32)


def boundary(matte: Float, reach: int) -> NDArray[np.bool_]:
    """Mask ``(H, W)`` what lies within `reach` pixels of a matte's edge."""
    solid = (matte > 0.5).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(solid, disc) != cv2.erode(solid, disc))


def hair_matte(rng: Generator, height: int, width: int) -> Float:
    """Return 40 to 120 bent fibres ``(H, W)`` in [0, 1], 0.7 to 2.5 px wide, crossing at will.

    Others than `panfocus.train.synthesis.mattes.hair` draws: what is learned from must not be what
    is measured on.
    They are drawn four times as large and made smaller: a fibre finer than a pixel covers a part.
    """
    fine = 4
    canvas = np.zeros((fine * height, fine * width), np.uint8)
    x = np.linspace(-0.1, 1.1, 24)
    across = float(np.hypot(height, width))
    for _ in range(int(rng.integers(40, 121))):
        start, end = rng.uniform(-0.1, 1.1, (2, 2)) * (height, width)
        away = (end - start) / max(float(np.hypot(*(end - start))), 1.0)
        bow = across * rng.normal(0, 0.05) * np.sin(np.pi * rng.uniform(1, 2.5) * x)
        bent = bow[:, None] * away[::-1] * (1, -1)
        places: NDArray[np.float64] = start + x[:, None] * (end - start) + bent
        path = np.asarray(np.round(fine * places[:, ::-1]), np.int32)
        thickness = round(fine * rng.uniform(0.7, 2.5))
        cv2.polylines(canvas, [path], False, 255, thickness, cv2.LINE_AA)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)
