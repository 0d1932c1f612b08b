"""Scenes in any number of frames, focused from near to far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from panfocus.arrays.types import Float
from panfocus.synthesis.defocus import defocus, expose, rungs
from panfocus.synthesis.layers import Layer, lay_over, render
from panfocus.synthesis.mattes import blob_matte, boundary
from panfocus.synthesis.scene import Byte, Light, Scene, encode, linear_of


def _ramp_background(
    back: Float, depth: Float, focus: float, gain: float, radii: Sequence[float]
) -> Float:
    """Blur each pixel by its own circle, between renderings at the radii of a ladder."""
    out = np.zeros_like(back)
    place = np.interp(np.abs(depth - focus) * gain, radii, np.arange(len(radii)))
    for k, share in rungs(place, len(radii)):
        out += share[..., None] * defocus(back, radii[k])
    return out


def depth_scene(
    rng: Generator, pictures: Sequence[Byte], count: int = 8, largest_radius: float = 12.0
) -> Scene:
    """`count` frames through a ramp of depth 0 to 1 with three objects before it."""
    return depth_light(rng, pictures, count, largest_radius).expose()


def depth_light(
    rng: Generator, pictures: Sequence[Byte], count: int = 8, largest_radius: float = 12.0
) -> Light:
    """Return the light of a `depth_scene`."""
    back = linear_of(pictures[0])
    height, width = back.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = x * np.cos(angle) + y * np.sin(angle) + 0.15 * np.sin(3 * x + rng.uniform(0, 6))
    depth = ((slope - slope.min()) / np.ptp(slope)).astype(np.float32)
    shapes = [blob_matte(rng, height, width, float(rng.uniform(0.05, 0.1)), 0.35) for _ in range(3)]
    fronts = [linear_of(p) for p in pictures[1:4]] or [back]
    planes = sorted(rng.uniform(0, 1, 3), reverse=True)
    objects = [
        Layer(fronts[k % len(fronts)], matte, plane)
        for k, (matte, plane) in enumerate(zip(shapes, planes, strict=True))
    ]
    foci = np.linspace(0, 1, count)
    radii = [r * largest_radius / 12 for r in (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12)]

    def photograph(focus: float | None) -> Float:
        out = back if focus is None else _ramp_background(back, depth, focus, largest_radius, radii)
        spread = [0.0 if focus is None else abs(o.depth - focus) * largest_radius for o in objects]
        return lay_over(out, objects, spread)

    scene_depth = depth.copy()
    band = np.zeros((height, width), bool)
    for matte, plane in zip(shapes, planes, strict=True):
        scene_depth[matte > 0.5] = plane
        band |= boundary(matte, 12)
    index = np.abs(scene_depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    return Light([photograph(float(f)) for f in foci], photograph(None), index, band)


def void_scene(
    rng: Generator, pictures: Sequence[Byte], count: int = 4, sigma: float = 3.0
) -> Scene:
    """`count` noisy frames of two objects before a far background that is never in focus.

    Args:
        rng: source of randomness.
        pictures: background, then objects.
        count: frames.
        sigma: of the sensor's noise, in grey levels.
    """
    back = linear_of(pictures[0])
    fronts = [linear_of(p) for p in pictures[1:3]] or [back]
    height, width = back.shape[:2]
    mattes = [blob_matte(rng, height, width, float(rng.uniform(0.15, 0.25)), 0.3) for _ in range(2)]
    planes = [0.7, 0.15]
    far = 2.0
    foci = np.linspace(0, 1, count)
    gain = 8.0

    def photograph(focus: float | None) -> Float:
        sharp = focus is None
        layers = [Layer(back, None, far)]
        # the truth shows the background as the frame focused farthest away sees it
        radii = [(far - (foci[-1] if sharp else focus)) * gain]
        for k, (matte, plane) in enumerate(zip(mattes, planes, strict=True)):
            layers.append(Layer(fronts[k % len(fronts)], matte, plane))
            radii.append(0.0 if focus is None else abs(plane - focus) * gain)
        return render(layers, [float(r) for r in radii])

    frames: list[Byte] = []
    for focus in foci:
        clean = expose(photograph(float(focus))) * 255
        noisy = clean + rng.normal(0, sigma, clean.shape)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    depth = np.full((height, width), far)
    for matte, plane in zip(mattes, planes, strict=True):
        depth[matte > 0.5] = plane
    index = np.abs(depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    background = np.all([m < 0.02 for m in mattes], axis=0)
    return Scene(np.stack(frames), encode(photograph(None)), index, background)
