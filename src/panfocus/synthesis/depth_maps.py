"""Scenes from a sharp picture and its depth map."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis.layers import Layer, lay_over
from panfocus.synthesis.scene import Byte, Light, Scene, linear_of


def depth_map_stack(
    picture: Byte, depth: Float, count: int, largest_radius: float = 6.0, slices: int = 32
) -> Scene:
    """`count` frames of a sharp picture whose depth is known, such as a stereo pair gives.

    See `depth_map_light`; the truth is the picture.
    """
    return depth_map_light(picture, depth, count, largest_radius, slices).expose()


def depth_map_light(
    picture: Byte, depth: Float, count: int, largest_radius: float = 6.0, slices: int = 32
) -> Light:
    """Return the light of a sharp picture whose depth is known.

    The scene is cut into `slices` planes by depth, each blurred by its own circle of confusion and
    laid over those behind it. What a plane hides is not known, so light is divided by the coverage
    that was laid down, which keeps holes behind nearer planes from darkening.

    Args:
        picture: ``(H, W, 3)`` uint8, sharp everywhere.
        depth: ``(H, W)``, 0 nearest to 1 farthest.
        count: frames, focused from 0 to 1.
        largest_radius: circle of confusion across the whole depth, pixels.
        slices: planes.
    """
    sharp = linear_of(picture)
    level = np.clip((depth * slices).astype(np.intp), 0, slices - 1)
    # coverage is a colour, of which each plane has 1: it adds up as light does
    covering = np.concatenate((sharp, np.ones_like(sharp[..., :1])), axis=2)
    far_to_near = range(slices - 1, -1, -1)
    planes = [Layer(covering, (level == k).astype(np.float32), k / slices) for k in far_to_near]
    foci = np.linspace(0, 1, count)

    def photograph(focus: float) -> Float:
        radii = [abs((k + 0.5) / slices - focus) * largest_radius for k in far_to_near]
        light = lay_over(np.zeros_like(covering), planes, radii)
        return np.asarray(light[..., :3] / np.maximum(light[..., 3:], 1e-3), np.float32)

    frames = [photograph(float(f)) for f in foci]
    index = np.abs(depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    jump = cv2.morphologyEx(level.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8))
    return Light(frames, sharp, index, np.asarray(jump > slices // 8))
