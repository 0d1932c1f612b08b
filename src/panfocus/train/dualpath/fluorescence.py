"""Fluorescence: light that comes from structures in the dark, at many depths.

OURS. In a photograph what is out of focus is softer; in an optically sectioned stack (confocal,
light sheet) it is *dark*, and a network that has only seen photographs takes the dark: a soft
bright thing before a fine dark ground is a defocused light there. So one set in several is made
of structures in a dark volume (spots, filaments, bodies, dense tissue), photographed plane by
plane (`panfocus.synthesis.microscope`): sections from half a plane thick to none at all (widefield,
and haze), camera noise that grows with the light, single frames that are empty, and everything
turned over in one of four (stained things in bright field). The frame to
take is the one in whose plane the brightest structure of a place lies.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis.microscope import GaussianSpread, Optics, noise_variance
from panfocus.train.dualpath.specimen import Slice, specimen_of
from panfocus.train.dualpath.stack import MARGIN, MadeStack, differing, mirrored
from panfocus.train.synthesis.degradation import jpeg
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Thickness of a section, planes; and the share of stacks that are not sectioned at all.
THICKNESS = (0.5, 4.0)
WIDEFIELD = 0.2
#: Light beside a structure that still belongs to its plane, and how far, pixels.
GLOW, GLOW_REACH = 0.03, 5.0
#: Light, of the brightest, below which nothing claims a place.
CLAIM = 1e-3
#: Shares of stacks: turned over, with an empty frame, encoded for the eye.
INVERTED, EMPTY, ENCODED = 0.25, 0.2, 0.3


class LightVolume(NamedTuple):
    """What the planes of a stack show.

    Attributes:
        planes: light ``(N, 3, H, W)``.
        claims: ``(N, H, W)``, how much in-focus light of a place lies in each plane.
    """

    planes: Float
    claims: Float


def stack(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> MadeStack:
    """Photograph a volume in `count` planes, `size` pixels square, in random order."""
    outer = size + 2 * MARGIN
    optics = microscope(rng)
    volume = photographed(specimen_of(rng, sources, outer, count), optics, count, outer)
    clean = exposed(rng, volume.planes)
    claims = volume.claims
    empty = int(rng.integers(count)) if rng.random() < EMPTY else None
    if empty is not None:  # a plane that was not taken, or a lamp that did not burn
        claims[empty] = -1
        clean[empty] = np.float32(rng.choice((0, clean.min(), rng.uniform(0, 0.3))))
    mask = to_take(claims, empty)
    truth = np.einsum("nchw,nhw->chw", clean, mask, dtype=np.float32)
    order = rng.permutation(count)
    inner = np.s_[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    claimed = np.asarray(mask.max(0) == 1, np.float32)
    asked = differing(clean) * (1 if empty is not None else claimed)
    clean, truth, mask, valid = mirrored(
        rng, [a[inner] for a in (clean[order], truth, mask[order], asked)]
    )
    frames, variance = photon_noise(rng, clean)
    if rng.random() < odds.jpeg / 2:
        quality = int(rng.integers(80, 99))
        coded = [jpeg(np.moveaxis(f, 0, -1), quality) for f in frames]
        frames = np.ascontiguousarray(np.moveaxis(np.stack(coded), -1, 1), np.float32)
    if rng.random() < INVERTED:
        frames, clean, truth = 1 - frames, 1 - clean, 1 - truth
    return MadeStack(frames, truth, mask, valid, clean, np.asarray(variance, np.float32))


def microscope(rng: np.random.Generator) -> Optics:
    """Draw blur and thickness of the sections."""
    low, high = THICKNESS
    section = float(low * (high / low) ** rng.random())
    is_widefield = rng.random() < WIDEFIELD
    spread = GaussianSpread(rng.uniform(0.4, 1.1), float(0.2 * 8 ** rng.random()))
    return Optics(spread, None if is_widefield else section)


def photographed(volume: list[Slice], optics: Optics, count: int, size: int) -> LightVolume:
    """Add up what every plane sees of every slice."""
    planes = np.zeros((count, 3, size, size), np.float32)
    claims = np.zeros((count, size, size), np.float32)
    for part in volume:
        own = int(np.clip(round(part.depth), 0, count - 1))
        for k in range(count):
            away = abs(part.depth - k)
            if optics.share(away) < CLAIM:
                continue
            light = optics.see(part.light, away)
            planes[k] += part.tint[:, None, None] * light
            if k == own:
                glow = cv2.GaussianBlur(light, (0, 0), GLOW_REACH)
                claims[k] += light + np.float32(GLOW) * np.asarray(glow, np.float32)
    return LightVolume(planes, claims)


def exposed(rng: np.random.Generator, planes: Float) -> Float:
    """Bring light ``(N, 3, H, W)`` to [0, 1]: a ground, a haze, a brightest value."""
    peak = max(float(planes.max()), 1e-3)
    ground = 0.25 * rng.random() ** 2
    top = rng.uniform(0.4, 1.15)  # above 1 the brightest is clipped
    light = planes * np.float32(max(top - ground, 0.2) / peak)
    if rng.random() < 0.3:
        haze = light.mean(axis=(0, 2, 3), keepdims=True) + light.max(0, keepdims=True) * 0.02
        light = light + np.float32(rng.random()) * haze
    out = np.clip(light + np.float32(ground), 0, 1)
    if rng.random() < ENCODED:
        out = out ** np.float32(rng.uniform(0.45, 0.9))
    return np.asarray(out, np.float32)


def to_take(claims: Float, empty: int | None) -> Float:
    """Return the mask ``(N, H, W)``: the plane with most light in focus, or all that show any.

    Args:
        claims: ``(N, H, W)``.
        empty: frame that shows nothing, never to be taken.
    """
    count = len(claims)
    best = np.arange(count)[:, None, None] == claims.argmax(0)
    anyone = np.full(count, 1 / count, np.float32)
    if empty is not None:
        anyone = np.where(np.arange(count) == empty, 0, np.float32(1 / (count - 1)))
    claimed = claims.max(0) > CLAIM * max(float(claims.max()), 1e-3)
    return np.asarray(np.where(claimed, best, anyone[:, None, None]), np.float32)


def photon_noise(rng: np.random.Generator, clean: Float) -> tuple[Float, float]:
    """Add noise that grows with the light, grey frames the same in all colours.

    Returns:
        The frames ``(N, 3, H, W)`` and the mean variance of their noise.
    """
    if rng.random() < 0.2:
        return clean, 0.0
    gain = 3e-5 * 1000 ** rng.random()  # half a per cent to a sixth of white, at white
    read = 0.012 * rng.random() ** 2
    is_grey = bool((clean[:, :1] == clean).all())
    shape = clean[:, :1].shape if is_grey else clean.shape
    spread = np.sqrt(noise_variance(clean, gain, read))
    frames = clean + spread * rng.standard_normal(shape, dtype=np.float32)
    return np.clip(frames, 0, 1, dtype=np.float32), float(np.mean(spread**2))
