"""Frames that breathe: a still scene filmed while scale, angle and place change."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from panfocus.arrays.types import Float
from panfocus.synthesis.focal_stacks import depth_light
from panfocus.synthesis.motion import Motion, draw_motions, margin_of
from panfocus.synthesis.scene import Byte, Light, Scene, encode


def _seen(light: Float, motion: Motion) -> Byte:
    """Return what a sensor sees of moved light, 8 bit, same size.

    Light is moved between samples half a pixel apart, where interpolation is all but exact, and
    then gathered over each pixel's area: a pixel sees the same detail wherever the light falls.
    """
    height, width = light.shape[:2]
    fine = cv2.resize(light, (2 * width, 2 * height), interpolation=cv2.INTER_LANCZOS4)
    if motion != Motion():
        # pixel x has its middle at 2 x + 1/2 of the fine grid
        grow = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
        whole = np.vstack([motion.matrix(height, width), [0, 0, 1]])
        matrix = grow @ whole @ np.linalg.inv(grow)
        fine = cv2.warpAffine(fine, matrix[:2], (2 * width, 2 * height), flags=cv2.INTER_LANCZOS4)
    return encode(
        np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    )


def film(light: Light, motions: Sequence[Motion], margin: int) -> Scene:
    """Expose frames each with its motion, all through the same pixels.

    Args:
        light: of the still scene.
        motions: of each frame against the truth.
        margin: border in pixels that is cut from frames and truth alike, see `margin_of`, so that
            no pixel is made up.
    """
    height, width = light.truth.shape[:2]
    inner = (slice(margin, height - margin), slice(margin, width - margin))
    pairs = zip(light.frames, motions, strict=True)
    return Scene(
        np.stack([_seen(frame, motion)[inner] for frame, motion in pairs]),
        _seen(light.truth, Motion())[inner],
        light.index[inner],
        light.band[inner],
        tuple(motions),
    )


def breathe(
    rng: Generator, light: Light, growth: float = 0.004, shift: float = 2.5, turn: float = 0.15
) -> Scene:
    """Film a still scene's light with frames that grow, shift and turn, see `draw_motions`."""
    motions = draw_motions(rng, len(light.frames), growth, shift, turn)
    return film(light, motions, margin_of(motions, *light.truth.shape[:2]))


def breathing_scene(rng: Generator, pictures: Sequence[Byte], count: int = 8) -> Scene:
    """`count` frames of a depth scene, each 0.4 % larger than the last, shifted and turned."""
    return breathe(rng, depth_light(rng, pictures, count))
