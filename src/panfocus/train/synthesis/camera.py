"""The light that a scene sends out, and how a camera turns light into a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from panfocus.arrays.discs import GAMMA
from panfocus.arrays.types import Float
from panfocus.synthesis import defocus as lens
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.samples import mixed
from panfocus.train.synthesis.sources import MARGIN


@dataclass(frozen=True)
class Developer:
    """Turn the light that blur works in into the picture that a camera stores."""

    gamma: float

    def linearised(self, encoded: Float) -> Float:
        """Undo the encoding."""
        return encoded if self.gamma == 1 else lens.to_linear(encoded, self.gamma)

    def __call__(self, light: Float) -> Float:
        """Clip at white and encode."""
        if self.gamma == 1:
            return np.clip(light, 0, 1)
        return lens.expose(light, self.gamma)


def camera(rng: np.random.Generator, encoded: Float, odds: Odds) -> tuple[Float, Developer]:
    """Choose the light in which to blur, and put lights beyond white into the scene."""
    if rng.random() < odds.painted:
        encoded = painted(rng, encoded)
    if rng.random() < odds.framed:
        encoded = framed(rng, encoded)
    with_lights = rng.random() < odds.lights
    in_linear = rng.random() < odds.linear
    develop = Developer(GAMMA if with_lights or in_linear else 1.0)
    light = develop.linearised(encoded)
    if rng.random() < odds.soft_source:
        light = lens.defocus(light, rng.uniform(0.5, 1.5), "gaussian")
    if with_lights:
        light = lit(rng, light)
    return light, develop


def painted(rng: np.random.Generator, encoded: Float) -> Float:
    """Paint one to three signs, bars or edges of one colour each."""
    out = encoded
    size = encoded.shape[0]
    for _ in range(1 + mattes.pick(rng, 3)):
        draw = (mattes.lines, mattes.discs, mattes.half_plane)[mattes.pick(rng, 3)]
        white_or_black = np.full(3, float(rng.random() < 0.6), np.float32)
        any_colour = rng.random(3, dtype=np.float32)
        colour = white_or_black if rng.random() < 0.6 else any_colour
        out = mixed(np.broadcast_to(colour, out.shape), out, draw(rng, size))
    return out


def framed(rng: np.random.Generator, encoded: Float) -> Float:
    """Paint bars of one colour along some sides, 1 to 8 px of them within the picture."""
    out = encoded.copy()
    colour = rng.random(3, dtype=np.float32) if rng.random() < 0.5 else np.float32(rng.random())
    for side in rng.permutation(4)[: int(rng.integers(1, 5))]:
        width = MARGIN + int(rng.integers(1, 9))
        out[(np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:])[side]] = colour
    return out


def lit(rng: np.random.Generator, light: Float) -> Float:
    """Add 1 to 11 lights of 1 to 3 px radius and 1 to 55 times white, mostly warm or white."""
    out = light.copy()
    height, width = light.shape[:2]
    for _ in range(int(rng.integers(1, 12))):
        spot = np.zeros((height, width), np.uint8)
        x, y = int(rng.random() * width * 16), int(rng.random() * height * 16)
        cv2.circle(spot, (x, y), round(rng.uniform(1, 3) * 16), 255, -1, cv2.LINE_AA, 4)
        cover = (spot.astype(np.float32) / 255)[..., None]
        tint = rng.uniform(0.6, 1, 3).astype(np.float32)
        out += cover * (np.float32(55 ** rng.random()) * tint - out)
    return out
