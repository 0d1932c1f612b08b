"""Things that shine in the dark, drawn by chance: ``(size, size)`` light in [0, 1].

Procedural but for the texture of dense tissue, which comes from defocused frames.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.sources import Sources, crop


def brightness(rng: np.random.Generator) -> float:
    """Draw how bright a structure is: most are dim."""
    return float(10 ** rng.uniform(-1.1, 0))


def spots(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Scatter 1 to 5 points of half a pixel to four pixels, ``(size, size)``."""
    out = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 6))):
        radius = 0.5 * 8 ** rng.random()
        np.maximum(out, brightness(rng) * disc(rng, size, radius), out=out)
    return out


def disc(rng: np.random.Generator, size: int, radius: float) -> Float:
    """Draw a disc anywhere, ``(size, size)``; one of less than a pixel is paler."""
    canvas = np.zeros((size, size), np.uint8)
    scale = 2**mattes.SHIFT
    x, y = (round(float(c) * scale) for c in rng.uniform(0, size, 2))
    cv2.circle(canvas, (x, y), round(radius * scale), 255, -1, cv2.LINE_AA, mattes.SHIFT)
    return canvas.astype(np.float32) / np.float32(255)


def bodies(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Draw 1 to 3 nuclei or cells, some with the texture of a source, ``(size, size)``."""
    out = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        canvas = np.zeros((size, size), np.uint8)
        axes = [round(3 * 8 ** rng.random() * 2**mattes.SHIFT) for _ in range(2)]
        x, y = (round(float(c) * 2**mattes.SHIFT) for c in rng.uniform(0, size, 2))
        turn = rng.uniform(0, 180)
        cv2.ellipse(canvas, (x, y), axes, turn, 0, 360, 255, -1, cv2.LINE_AA, mattes.SHIFT)
        body = canvas.astype(np.float32) / np.float32(255)
        if rng.random() < 0.5:
            body = body * texture(rng, sources, size)
        if rng.random() < 0.3:  # a membrane: light at the rim alone
            body = np.abs(body - cv2.GaussianBlur(body, (0, 0), rng.uniform(0.8, 2.5)))
            body = body / max(float(body.max()), 1e-3)
        np.maximum(out, np.float32(brightness(rng)) * body, out=out)
    return out


def filaments(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Draw fibres 1 to 3 pixels wide, ``(size, size)``."""
    out = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        start = rng.uniform(0, 1, (1, 2)) * size
        steps = rng.normal(0, size / 5, (int(rng.integers(1, 6)), 2))
        points = np.concatenate((start, start + np.cumsum(steps, 0)))
        canvas = np.zeros((size, size), np.uint8)
        cv2.polylines(
            canvas,
            [np.round(points * 2**mattes.SHIFT).astype(np.int32)],
            False,
            255,
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
            mattes.SHIFT,
        )
        fibre = canvas.astype(np.float32) / np.float32(255)
        np.maximum(out, np.float32(brightness(rng)) * fibre, out=out)
    return out


def tissue(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Fill a part of the field with bright texture, ``(size, size)``."""
    part = mattes.noise_blob(rng, size) * texture(rng, sources, size)
    return np.asarray(part * np.float32(brightness(rng)), np.float32)


def texture(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Cut the luminance of a source, its bright parts alone, ``(size, size)`` in [0, 1]."""
    grey = crop(rng, sources, size).mean(-1, dtype=np.float32)
    low, high = np.quantile(grey, (0.02, 0.995))
    spread = np.clip((grey - low) / max(float(high - low), 0.02), 0, 1)
    return np.asarray(spread ** np.float32(rng.uniform(1, 3)), np.float32)


def mixture(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Draw two kinds of structures, ``(size, size)``."""
    kinds = (spots, bodies, filaments, tissue)
    first, second = (kinds[mattes.pick(rng, 4)](rng, sources, size) for _ in range(2))
    return np.maximum(first, second)
