"""What sensors, files and other programs do to pictures: noise, JPEG, dark rims, empty strips."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis import defocus as lens
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.blur import apertures
from panfocus.train.synthesis.samples import Shots


def noisy(rng: np.random.Generator, picture: Float, sigma: float) -> Float:
    """Add Gaussian noise."""
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(sigma)
    return np.asarray(np.clip(picture + noise, 0, 1), np.float32)


def jpeg(picture: Float, quality: int) -> Float:
    """Encode and decode."""
    stored = np.round(picture[..., ::-1] * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.float32)
    return decoded[..., ::-1] / np.float32(255)


def rim(rng: np.random.Generator, size: int) -> Float:
    """Return what blurring leaves of light ``(size, size)`` where all outside some sides is black.

    MEASURED on others' pairs: 0.61, 0.81 and 0.98 of it on the outermost three pixels.
    """
    reach = 4
    lit = rng.random((2, 2)) < 0.4
    inside = np.pad(np.ones((size, size), np.float32), reach, constant_values=lit.astype(int))
    return lens.defocus(inside, rng.uniform(0.6, 2.5), apertures(rng))[reach:-reach, reach:-reach]


def shaded(rng: np.random.Generator, scene: Shots) -> Shots:
    """Darken each picture's rim where the other one is to be taken."""
    left = rim(rng, scene.mask.shape[0])
    shades = (np.where(taken > 0.5, np.float32(1), left) for taken in (scene.mask, 1 - scene.mask))
    first, second = (
        np.asarray(shot * shade[..., None], np.float32)
        for shot, shade in zip((scene.first, scene.second), shades, strict=True)
    )
    return Shots(first, second, scene.truth, scene.mask)


def emptied(rng: np.random.Generator, scene: Shots) -> Shots:
    """Blacken a strip of one frame, as alignment leaves it; the other frame is right there."""
    size = scene.mask.shape[0]
    width = int(rng.integers(1, max(2, size // 8)))
    first, mask = scene.first.copy(), scene.mask.copy()
    second = scene.second.copy()
    side = mattes.pick(rng, 4)
    strip = (
        np.s_[:width],
        np.s_[-width:],
        np.s_[:, :width],
        np.s_[:, -width:],
    )[side]
    if rng.random() < 0.5:
        first[strip], mask[strip] = 0, 0
    else:
        second[strip], mask[strip] = 0, 1
    return Shots(first, second, scene.truth, mask)
