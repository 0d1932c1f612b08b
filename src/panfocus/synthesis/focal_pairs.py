"""Scenes in two frames: one thing before another, each in focus in one frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.synthesis.defocus import defocus
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte, boundary, hair_matte
from panfocus.synthesis.scene import Byte, Scene, encode, linear_of


def hard_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames by a binary mask: each sharp where the other is blurred, no spread."""
    sharp = linear_of(pictures[0])
    height, width = sharp.shape[:2]
    matte = (blob_matte(rng, height, width, rng.uniform(0.3, 0.6), 0.3) > 0.5)[..., None]
    blurred = encode(defocus(sharp, float(rng.uniform(2, 6))))
    truth = pictures[0]
    frames = np.stack([np.where(matte, truth, blurred), np.where(matte, blurred, truth)])
    index = np.where(matte[..., 0], 0, 1).astype(np.uint8)
    return Scene(frames, truth, index, boundary(matte[..., 0].astype(np.float32), 8))


def layers_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of an object before a background, with defocus spread, radii 3 to 7 px.

    The object is cut from the second picture when there is one, else from the first itself.
    """
    back, front = linear_of(pictures[0]), linear_of(pictures[-1])
    height, width = back.shape[:2]
    matte = blob_matte(rng, height, width, float(rng.uniform(0.15, 0.35)), 0.7)
    return _before(back, front, matte, rng.uniform(3, 7, 2), band=boundary(matte, 12))


def _before(
    back: Float, front: Float, matte: Float, radii: NDArray[np.float64], *, band: NDArray[np.bool_]
) -> Scene:
    """Two frames of a layer before another: of the far one and of the near one out of focus."""
    layers = [Layer(back, None, 1.0), Layer(front, matte, 0.0)]
    shots = [render(layers, [radii[0], 0]), render(layers, [0, radii[1]])]
    frames = np.stack([encode(shot) for shot in shots])
    index = (matte < 0.5 * matte.max()).astype(np.uint8)
    return Scene(frames, encode(render(layers, [0, 0])), index, band)


def hair_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of fibres before a background, circles of confusion of 2 to 6 px."""
    back, front = linear_of(pictures[0]), linear_of(pictures[-1])
    matte = hair_matte(rng, *map(int, back.shape[:2]))
    near = cv2.dilate((matte > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return _before(back, front, matte, rng.uniform(2, 6, 2), band=np.asarray(near))


def translucent_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of an object that covers 30 to 70 % of the light behind it, radii 3 to 7 px.

    Gauze, glass, a wing: both layers have detail at the same place, and each frame shows one of
    them, so no choice of pixels gives the truth. The band is the object.
    """
    back, front = linear_of(pictures[0]), linear_of(pictures[-1])
    height, width = map(int, back.shape[:2])
    matte = blob_matte(rng, height, width, float(rng.uniform(0.2, 0.4)), 0.7)
    sheer = np.asarray(matte * np.float32(rng.uniform(0.3, 0.7)), np.float32)
    return _before(back, front, sheer, rng.uniform(3, 7, 2), band=matte > 0.5)


def bokeh_scene(
    rng: Generator, pictures: Sequence[Byte], *, wider: int = 1, light: float = 0.25
) -> Scene:
    """Two frames: a foreground before a darkened background with 40 lights beyond white.

    Lights are 5 to 40 times white, discs of 4 to 9 px; the band is 12 px around lights and edge.

    Args:
        rng: draws the scene.
        pictures: background and foreground, ``(H, W, 3)`` uint8.
        wider: by what lights and their discs are wider.
        light: of the background, share of what the picture has.
    """
    back = linear_of(pictures[0]) * np.float32(light)
    front = linear_of(pictures[-1])
    height, width = map(int, back.shape[:2])
    lamps = np.zeros((height, width), np.uint8)
    for _ in range(40):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        radius = int(rng.integers(1, 4)) * wider
        power = rng.uniform(5, 40) * np.array(rng.uniform(0.6, 1, 3))
        disc = np.zeros((height, width), np.uint8)
        cv2.circle(disc, spot, radius, 1, -1)
        back = np.where(disc[..., None] > 0, power.astype(np.float32), back)
        lamps |= disc
    matte = blob_matte(rng, height, width, float(rng.uniform(0.2, 0.4)), 0.7)
    layers = [Layer(back.astype(np.float32), None, 1.0), Layer(front, matte, 0.0)]
    radii = rng.uniform(4, 9, 2) * wider
    frames = np.stack(
        [encode(render(layers, [radii[0], 0])), encode(render(layers, [0, radii[1]]))]
    )
    near_lamp = cv2.distanceTransform(1 - lamps, cv2.DIST_L2, 5) <= 12
    band = boundary(matte, 12) | near_lamp
    return Scene(frames, encode(render(layers, [0, 0])), (matte < 0.5).astype(np.uint8), band)
