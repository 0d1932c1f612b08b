"""Fluorescence: light that comes from structures in the dark, at many depths.

OURS. In a photograph what is out of focus is softer; in an optically sectioned stack (confocal,
light sheet) it is *dark*, and a network that has only seen photographs takes the dark: a soft
bright thing before a fine dark ground is a defocused light there. So one set in several is made
of structures in a dark volume (spots, filaments, bodies, dense tissue), photographed plane by
plane (`panfocus.synthesis.microscope`): sections from half a plane thick to none at all (widefield,
and haze), camera noise that grows with the light, single frames that are empty, and everything
turned over in one of four (stained things in bright field). The frame to
take is the one in whose plane the brightest structure of a place lies. Structures are procedural;
dense tissue takes its texture from the defocused frames.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.synthesis.microscope import GaussianSpread, Optics, noise_variance
from panfocus.train import mattes, synthesis
from panfocus.train.dualpath.stack import MadeStack, differing, mirrored
from panfocus.train.synthesis import Odds, Sources

Float = NDArray[np.float32]

#: Pixels made around a stack and cut off again.
MARGIN = 12
#: Most slices of a volume, each with all structures of one depth.
SLICES = 12
#: Thickness of a section, planes; and the share of stacks that are not sectioned at all.
THICKNESS = (0.5, 4.0)
WIDEFIELD = 0.2
#: Light beside a structure that still belongs to its plane, and how far, pixels.
GLOW, GLOW_REACH = 0.03, 5.0
#: Light, of the brightest, below which nothing claims a place.
CLAIM = 1e-3
#: Share of volumes that are hollow bodies, cut by every plane.
SHELLS = 0.15
#: Shares of stacks: grey, turned over, with an empty frame, encoded for the eye.
GREY, INVERTED, EMPTY, ENCODED = 0.6, 0.25, 0.2, 0.3


class Slice(NamedTuple):
    """Structures of one depth: light ``(H, W)`` in [0, 1], depth in planes, colour ``(3,)``."""

    light: Float
    depth: float
    tint: Float


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
    volume = photographed(volume_of(rng, sources, outer, count), optics, count, outer)
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
        coded = [synthesis.jpeg(np.moveaxis(f, 0, -1), quality) for f in frames]
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


def volume_of(rng: np.random.Generator, sources: Sources, size: int, count: int) -> list[Slice]:
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
    grey = synthesis.crop(rng, sources, size).mean(-1, dtype=np.float32)
    low, high = np.quantile(grey, (0.02, 0.995))
    spread = np.clip((grey - low) / max(float(high - low), 0.02), 0, 1)
    return np.asarray(spread ** np.float32(rng.uniform(1, 3)), np.float32)


def mixture(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Draw two kinds of structures, ``(size, size)``."""
    kinds = (spots, bodies, filaments, tissue)
    first, second = (kinds[mattes.pick(rng, 4)](rng, sources, size) for _ in range(2))
    return np.maximum(first, second)


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
