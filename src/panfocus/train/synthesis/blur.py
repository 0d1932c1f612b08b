"""Defocus by chance: circles of confusion, and coarse contrast in bright field."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis import defocus as lens
from panfocus.train.synthesis.odds import Odds


def radius(rng: np.random.Generator, odds: Odds) -> float:
    """Draw a circle of confusion, log-uniform."""
    low, high = odds.radius
    return float(low * (high / low) ** rng.random())


def apertures(rng: np.random.Generator) -> lens.Aperture:
    """Draw disc or Gaussian."""
    return "disc" if rng.random() < 0.5 else "gaussian"


def blur(rng: np.random.Generator, light: Float, odds: Odds) -> Float:
    """Defocus by a random circle of confusion."""
    by = radius(rng, odds)
    soft = lens.defocus(light, by, apertures(rng))
    if rng.random() < odds.ringed:
        soft = np.maximum(soft + contrast(rng) * ring(soft, by), 0)
    return np.asarray(soft, np.float32)


def contrast(rng: np.random.Generator) -> np.float32:
    """Draw how much stronger coarse contrast is out of focus; below -1 it is turned over."""
    return np.float32(rng.uniform(0.4, 2.2) * (1 if rng.random() < 0.6 else -1))


def ring(soft: Float, by: float) -> Float:
    """Return the coarse contrast of light ``(H, W, 3)`` already defocused by `by` pixels.

    What a transparent thing gains in contrast when it goes out of focus, in the crudest form: a
    band of scales around the circle of confusion, without anything finer. It grows with `by`.
    """
    shown = np.minimum(soft, 1)  # lights far beyond white are no transparent things
    near, far = (cv2.GaussianBlur(shown, (0, 0), max(by * k, 0.4)) for k in (0.5, 2.0))
    return np.asarray((near - far) * np.float32(min(1.0, (by / 2) ** 2)), np.float32)
