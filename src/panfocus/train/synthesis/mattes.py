"""Shapes of things: procedural mattes, and mattes cut from a folder of masks.

A matte is float32 ``(H, W)`` in [0, 1]: 1 where the thing covers what lies behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float

Byte = NDArray[np.uint8]

#: Lines are drawn on a raster finer by 2**SHIFT, so that they may lie between pixels.
SHIFT = 4


def noise_blob(rng: np.random.Generator, size: int) -> Float:
    """Threshold smooth noise of a random scale: from one coast line to many islands."""
    cells = int(rng.integers(2, max(3, min(14, size // 6))))
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    field = np.asarray(field, np.float32)
    level = np.quantile(field, rng.uniform(0.25, 0.75))
    slope = np.abs(np.gradient(field)).sum(0).mean() + 1e-6
    return np.clip((field - level) / slope + 0.5, 0, 1).astype(np.float32)


def half_plane(rng: np.random.Generator, size: int) -> Float:
    """Cover one side of a random straight line near the middle."""
    angle = rng.uniform(0, 2 * np.pi)
    through = size * rng.uniform(0.25, 0.75, 2)
    axis = np.arange(size, dtype=np.float32)
    distance = (axis[None, :] - through[0]) * np.cos(angle) + (axis[:, None] - through[1]) * np.sin(
        angle
    )
    return np.clip(distance + 0.5, 0, 1).astype(np.float32)


def discs(rng: np.random.Generator, size: int) -> Float:
    """Scatter a few discs, from two pixels of radius to half the picture."""
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(1, 7))):
        radius = 2 * (size / 4) ** rng.random()
        centre = rng.uniform(0, size, 2)
        _disc(canvas, centre, radius)
    return _unit(canvas)


def lines(rng: np.random.Generator, size: int) -> Float:
    """Draw thin broken lines, as of twigs, hair, wires and grids: 1 to 5 pixels wide."""
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        start = rng.uniform(-0.2, 1.2, (1, 2)) * size
        steps = rng.normal(0, size / 3, (int(rng.integers(1, 5)), 2))
        points = np.concatenate((start, start + np.cumsum(steps, 0)))
        cv2.polylines(
            canvas,
            [np.round(points * 2**SHIFT).astype(np.int32)],
            bool(rng.random() < 0.2),
            255,
            int(rng.integers(1, 6)),
            cv2.LINE_AA,
            SHIFT,
        )
    return _unit(canvas)


def hair(rng: np.random.Generator, size: int) -> Float:
    """Draw 6 to 40 fine curves, most of them about one way: hair, fur, fibres; 0.4 to 2 px wide.

    Drawn at four times the scale, so that a hair may be finer than a pixel: its matte then is
    below 1 everywhere.
    """
    fine = 4
    canvas = np.zeros((fine * size, fine * size), np.uint8)
    way, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.5)
    along = np.linspace(0, 1, 12)
    for _ in range(int(rng.integers(6, 41))):
        root = rng.uniform(-0.1, 1.1, 2)
        turned = way + rng.normal(0, 0.35) + (bend + rng.normal(0, 0.3)) * along
        pace = rng.uniform(0.3, 1.2) / len(along)
        steps = pace * np.stack([np.cos(turned), np.sin(turned)], 1)
        points = fine * size * (root + np.cumsum(steps, 0))
        path = [np.round(points * 2**SHIFT).astype(np.int32)]
        thickness = int(rng.integers(2, 9))
        cv2.polylines(canvas, path, False, 255, thickness, cv2.LINE_AA, SHIFT)
    return _unit(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA))


def procedural(rng: np.random.Generator, size: int) -> Float:
    """Return one of the shapes above, often two of them joined, `size` pixels square."""
    shapes = (noise_blob, noise_blob, half_plane, discs, lines)
    matte = shapes[pick(rng, len(shapes))](rng, size)
    if rng.random() < 0.25:
        other = shapes[pick(rng, len(shapes))](rng, size)
        matte = np.abs(matte - other)
    return 1 - matte if rng.random() < 0.5 else matte


def cut_out(rng: np.random.Generator, masks: Sequence[Byte], size: int) -> Float | None:
    """Cut a square that holds a boundary out of one of `masks`, at a random scale.

    Args:
        rng: of this sample.
        masks: grey ``(H, W)`` pictures, 255 where the thing is.
        size: of the square.

    Returns:
        The matte, or None when no boundary was found in a few tries.
    """
    for _ in range(6):
        mask = masks[pick(rng, len(masks))]
        height, width = mask.shape[:2]
        window = min(int(size * 2 ** rng.uniform(-0.5, 1.5)), height, width)
        top = pick(rng, height - window + 1)
        left = pick(rng, width - window + 1)
        piece: Byte = mask[top : top + window, left : left + window]
        share = float(piece.mean()) / 255
        if 0.03 < share < 0.97:
            method = cv2.INTER_AREA if window > size else cv2.INTER_LINEAR
            matte = _unit(cv2.resize(piece, (size, size), interpolation=method))
            if rng.random() < 0.5:
                matte = matte[:, ::-1]
            return np.ascontiguousarray(1 - matte if rng.random() < 0.3 else matte)
    return None


def pick(rng: np.random.Generator, count: int) -> int:
    """Draw one of ``0 .. count - 1``."""
    return int(rng.integers(count))


def _disc(canvas: Byte, centre: NDArray[np.float64], radius: float) -> None:
    x, y = (round(float(c) * 2**SHIFT) for c in centre)
    cv2.circle(canvas, (x, y), round(radius * 2**SHIFT), 255, -1, cv2.LINE_AA, SHIFT)


def _unit(canvas: object) -> Float:
    return np.asarray(canvas, np.float32) / np.float32(255)
