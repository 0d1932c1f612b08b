"""A specimen that shines: structures scattered over the depths that a stack goes through."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.train.dualpath.structures import (
    bodies,
    brightness,
    filaments,
    mixture,
    spots,
    tissue,
)
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.sources import Sources

#: Most slices of a volume, each with all structures of one depth.
SLICES = 12
#: Share of volumes that are hollow bodies, cut by every plane.
SHELLS = 0.15
#: Share of volumes in one colour, grey.
GREY = 0.6


class Slice(NamedTuple):
    """Structures of one depth: light ``(H, W)`` in [0, 1], depth in planes, colour ``(3,)``."""

    light: Float
    depth: float
    tint: Float


def specimen_of(rng: np.random.Generator, sources: Sources, size: int, count: int) -> list[Slice]:
    """Scatter structures over slices, now and then in a part of the planes only."""
    if rng.random() < SHELLS:
        return shells(rng, size, count)
    low, high = np.sort(rng.uniform(-0.5, count - 0.5, 2))
    if rng.random() < 0.6:
        low, high = -0.5, count - 0.5
    grey = np.ones(3, np.float32)
    tint = grey if rng.random() < GREY else colour(rng)
    many_colours = tint is not grey and rng.random() < 0.5
    draw = (spots, spots, bodies, filaments, tissue, mixture)[mattes.pick(rng, 6)]
    out: list[Slice] = []
    for _ in range(int(rng.integers(1, SLICES + 1))):
        light = draw(rng, sources, size)
        out.append(Slice(light, rng.uniform(low, high), colour(rng) if many_colours else tint))
    return out


def shells(rng: np.random.Generator, size: int, count: int) -> list[Slice]:
    """Draw hollow bodies over many planes: a rim where they are wide, a bright patch at their ends.

    Envelopes of nuclei, membranes, vesicles: the dark middle of a crisp rim is no reason to take
    its plane there, since the ends lie in others.
    """
    depths = np.linspace(-0.5, count - 0.5, max(SLICES, count) + 1)
    lights = np.zeros((len(depths), size, size), np.float32)
    y, x = np.indices((size, size), np.float32)
    for _ in range(int(rng.integers(1, 9))):
        radius = float(6 * 6 ** rng.random())
        reach = rng.uniform(0.3, 1) * count / 2
        centre, middle = rng.uniform(0, size, 2), rng.uniform(0, count - 1)
        away = np.hypot(y - centre[0], x - centre[1]) / radius
        bright, wall = brightness(rng), rng.uniform(0.05, 0.2)
        for light, depth in zip(lights, depths, strict=True):
            # distance to the surface of the ellipsoid, in radii
            off = np.hypot(away, (depth - middle) / reach) - 1
            np.maximum(light, bright * np.exp(-0.5 * (off / wall) ** 2), out=light)
    grain = rng.uniform(0, 0.5) * rng.standard_normal((size, size), dtype=np.float32)
    patches = np.clip(1 + np.asarray(cv2.GaussianBlur(grain, (0, 0), 1.2)) * 3, 0.2, 2)
    tint = np.ones(3, np.float32) if rng.random() < GREY else colour(rng)
    return [
        Slice(np.asarray(light * patches, np.float32), float(depth), tint)
        for light, depth in zip(lights, depths, strict=True)
    ]


def colour(rng: np.random.Generator) -> Float:
    """Draw the colour of a dye, ``(3,)``, its strongest part 1."""
    drawn = rng.random(3).astype(np.float32) ** 2
    return drawn / drawn.max()
