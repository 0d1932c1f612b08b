"""Training pairs made on the fly: one sharp picture in, two defocused ones and the truth out.

Every sample is a function of its random generator alone, and a batch a function of (seed, step,
position), so that a resumed run sees what an uninterrupted one would have seen, and several
processes share one batch without overlap.

Two syntheses:

* ``published``: crops of 128 x 128, complementary hard masks, a 7 x 7 Gaussian of sigma 1.5
  applied one to three times, JPEG.
* ``varied``: hard composites and occlusion-aware layers, discs and Gaussians of 0.6 to 8 px,
  linear and encoded light, lights beyond white, thin things, empty borders, noise, JPEG.

Inside this module a picture is float32 ``(H, W, 3)`` in [0, 1], a mask float32 ``(H, W)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError
from panfocus.synthesis import defocus as lens
from panfocus.synthesis.layers import Layer, render
from panfocus.train import mattes
from panfocus.train.levels import Picture, unit
from panfocus.train.pictures import Pictures

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]
#: Pixels made around a crop and cut off again, so that blur finds real neighbours.
MARGIN = 10


class Sample(NamedTuple):
    """One pair, or a batch of them with a leading axis.

    Attributes:
        first: ``(3, H, W)`` float32 in [0, 1].
        second: the same scene, focused elsewhere.
        truth: sharp everywhere (as sharp as the source picture was).
        mask: ``(H, W)``, 1 where `first` is the one to take.
        valid: ``(H, W)``, 1 where the two differ, so that there is evidence for `mask`.
        clean: ``(2, 3, H, W)``, first and second before noise and compression: what a loss on
            the fused picture should blend. Nobody can choose noise away, so noise in that loss
            is noise in its gradient and nothing else.
        noise: variance of the noise that each has, a scalar.
    """

    first: Float
    second: Float
    truth: Float
    mask: Float
    valid: Float
    clean: Float
    noise: Float


@dataclass(frozen=True)
class Sources:
    """What samples are made from.

    Attributes:
        pictures: sharp ones, or defocused ones (Dual-Path), whose blur is then part of the truth.
        masks: from a folder of masks or mattes; may be empty.
        sharp_only: prefer crops without blurred edges; off for defocused pictures.
    """

    pictures: Pictures
    masks: Sequence[Byte] = ()
    sharp_only: bool = True


@dataclass(frozen=True)
class Odds:
    """Probabilities and ranges of the varied synthesis.

    Attributes:
        layers: an occlusion-aware pair rather than a hard composite.
        foreign: the foreground comes from another picture.
        from_masks: the matte is cut from the masks given, if any.
        uniform: one picture wholly sharp, the other wholly blurred.
        linear: blur in linear light (with lights, always).
        painted: paint flat shapes with hard edges, white and black ones among them; else every
            sharp white rim would be the rim of a light's disc.
        lights: add lights beyond white.
        soft_source: blur the source a little first: sharpness is relative.
        borders: leave parts of a frame empty, as alignment does.
        shaded: darken the rim of the picture where it is out of focus, as blurring does that takes
            what lies outside for black.
        framed: paint bars along sides of a scene, as scans and prints have them; else a bright
            glow at the rim would look like the light that a shaded rim lacks.
        moved: let what is out of focus lie a little elsewhere and be a little brighter or darker,
            as lenses do that breathe; detail decides, not agreement with the other picture.
        ringed: defocus as of a transparent thing in bright field, which makes its coarse contrast
            stronger, or turns it over; the sharp picture is then the paler one.
        fluorescent: a microscope's stack of light in the dark (Dual-Path).
        misfired: one frame shows nothing (Dual-Path).
        hairy: what stands in front is hair, fur or fibres.
        translucent: what stands in front covers a fifth to four fifths of the light behind it.
        recoloured: exchange the colours of a source and bend its tones; few scenes become many.
        crisp: sharpen a source; for sources that are themselves a little soft.
        noise: add sensor noise.
        jpeg: encode each picture.
        radius: least and largest circle of confusion, in pixels.
    """

    layers: float = 0.6
    foreign: float = 0.5
    from_masks: float = 0.5
    uniform: float = 0.04
    linear: float = 0.6
    painted: float = 0.25
    lights: float = 0.35
    soft_source: float = 0.15
    borders: float = 0.08
    shaded: float = 0.12
    framed: float = 0.06
    moved: float = 0.3
    ringed: float = 0.1
    fluorescent: float = 0.15
    misfired: float = 0.04
    hairy: float = 0.0
    translucent: float = 0.0
    recoloured: float = 0.5
    crisp: float = 0.0
    noise: float = 0.3
    jpeg: float = 0.4
    radius: tuple[float, float] = (0.6, 10.0)


class Shots(NamedTuple):
    """A pair before the camera's flaws; arrays as in `Sample`, channels last."""

    first: Float
    second: Float
    truth: Float
    mask: Float


def varied(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Sample:
    """Make one sample of the varied synthesis, `size` pixels square."""
    outer = size + 2 * MARGIN
    make = layered if rng.random() < odds.layers else hard
    if rng.random() < odds.uniform:
        make = uniform
    scene = make(rng, sources, outer, odds)
    scene = Shots(*(a[MARGIN:-MARGIN, MARGIN:-MARGIN] for a in scene))
    scene = turned(rng, scene)
    if rng.random() < odds.shaded:
        scene = shaded(rng, scene)
    difference = np.asarray(np.abs(scene.first - scene.second).max(-1), np.float32)
    if rng.random() < odds.borders:
        scene = emptied(rng, scene)
    first, second = scene.first, scene.second
    clean = np.stack((planes(first), planes(second)))
    sigma = 0.025 * rng.random() if rng.random() < odds.noise else 0.0
    if sigma:
        first, second = noisy(rng, first, sigma), noisy(rng, second, sigma)
    if rng.random() < odds.jpeg:
        quality = int(rng.integers(70, 99))
        first, second = jpeg(first, quality), jpeg(second, quality)
    around = np.ones((9, 9), np.uint8)
    valid = np.asarray(cv2.dilate(difference, around) > 0.02, np.float32)
    pair, noise = (planes(first), planes(second)), np.asarray(sigma**2, np.float32)
    return Sample(*pair, planes(scene.truth), scene.mask, valid, clean, noise)


def hard(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Blur one picture, and cut sharp and blurred together along a matte, both ways."""
    encoded = source(rng, sources, size, odds)
    light, develop = camera(rng, encoded, odds)
    drift = drifting(rng, size, odds)
    blurred, other = (develop(blur(rng, drift(light), odds)) for _ in range(2))
    truth = develop(light)
    mask = np.asarray(shape(rng, sources, size, odds) > 0.5, np.float32)
    return Shots(mixed(truth, blurred, mask), mixed(other, truth, mask), truth, mask)


def uniform(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Return a sharp and a wholly blurred picture."""
    light, develop = camera(rng, source(rng, sources, size, odds), odds)
    truth = develop(light)
    soft = develop(blur(rng, drifting(rng, size, odds)(light), odds))
    return Shots(truth, soft, truth, np.ones((size, size), np.float32))


def layered(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Photograph a foreground before a background, focused on the one and on the other.

    The truth is the same scene with every circle of confusion 0.
    """
    back = source(rng, sources, size, odds)
    front = source(rng, sources, size, odds) if rng.random() < odds.foreign else back
    back, develop = camera(rng, back, odds)
    front = develop.linearised(front)
    matte = front_of(rng, shape(rng, sources, size, odds), odds)
    far, near = Layer(back, None, 1.0), Layer(front, matte, 0.0)
    drift = drifting(rng, size, odds)
    # what is out of focus drifts: the background in the first shot, the foreground in the second
    off_far, off_near = drift.layer(far), drift.layer(near)
    aperture = apertures(rng)
    shots = (
        render(scene, radii, aperture)
        for scene, radii in (
            ((off_far, near), (radius(rng, odds), 0.0)),
            ((far, off_near), (0.0, radius(rng, odds))),
            ((far, near), (0.0, 0.0)),
        )
    )
    first, second, truth = (develop(shot) for shot in shots)
    return Shots(first, second, truth, matte)


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
    develop = Developer(lens.GAMMA if with_lights or in_linear else 1.0)
    light = develop.linearised(encoded)
    if rng.random() < odds.soft_source:
        light = lens.defocus(light, rng.uniform(0.5, 1.5), "gaussian")
    if with_lights:
        light = lit(rng, light)
    return light, develop


@dataclass(frozen=True)
class Drift:
    """How what is out of focus lies and shines otherwise than when in focus.

    Attributes:
        matrix: ``(2, 3)``, from the picture to where it lies; None to stay.
        gain: of its light.
    """

    matrix: Float | None
    gain: float

    def moved(self, picture: Float) -> Float:
        """Move ``(H, W[, 3])``; what comes in from outside is mirrored."""
        if self.matrix is None:
            return picture
        size = (picture.shape[1], picture.shape[0])
        out = cv2.warpAffine(picture, self.matrix, size, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out, np.float32)

    def __call__(self, light: Float) -> Float:
        """Move and dim or brighten light ``(H, W, 3)``."""
        return light if self.matrix is None else self.moved(light) * np.float32(self.gain)

    def layer(self, still: Layer) -> Layer:
        """Move and dim a layer of a scene, its matte with it."""
        matte = None if still.matte is None else self.moved(still.matte)
        return replace(still, colour=self(still.colour), matte=matte)

    def part(self, share: float) -> Drift:
        """Return a share of it."""
        if self.matrix is None:
            return self
        still = np.eye(2, 3, dtype=np.float32)
        matrix = np.asarray(still + share * (self.matrix - still), np.float32)
        return Drift(matrix, 1 + share * (self.gain - 1))

    def bent(self, light: Float, share: Float) -> Float:
        """Move and dim each pixel of light ``(H, W, 3)`` by its own share ``(H, W)``."""
        if self.matrix is None:
            return light
        y, x = np.indices(share.shape, np.float32)
        to_x, to_y = (
            start + share * (row[0] * x + row[1] * y + row[2] - start)
            for row, start in zip(self.matrix, (x, y), strict=True)
        )
        map_x, map_y = (np.asarray(m, np.float32) for m in (to_x, to_y))
        mirror = cv2.BORDER_REFLECT_101
        out = cv2.remap(light, map_x, map_y, cv2.INTER_LINEAR, borderMode=mirror)
        return np.asarray(out * (1 + share * (self.gain - 1))[..., None], np.float32)


def drifting(rng: np.random.Generator, size: int, odds: Odds) -> Drift:
    """Draw a drift of up to 6 px (rarely) and 2 % of scale, and 6 % of light; mostly none."""
    if rng.random() >= odds.moved:
        return Drift(None, 1.0)
    grown, turned_by = 1 + rng.uniform(-0.02, 0.02), rng.uniform(-0.005, 0.005)
    centre = size / 2
    away = rng.uniform(-1, 1, 2)
    shift = 6 * away * np.abs(away) + centre - grown * centre
    matrix = [[grown, -turned_by, shift[0]], [turned_by, grown, shift[1]]]
    return Drift(np.array(matrix, np.float32), float(rng.uniform(0.94, 1.06)))


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


def source(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Float:
    """Cut a square out of the sources, often in other colours and tones, sometimes sharpened."""
    out = crop(rng, sources, size)
    if rng.random() < odds.crisp:
        soft = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.6, 1.4))
        out = np.clip(out + np.float32(rng.uniform(0.3, 1.8)) * (out - soft), 0, 1)
    if rng.random() < odds.recoloured:
        out = np.power(out[..., rng.permutation(3)], np.float32(1.6 ** rng.uniform(-1, 1)))
    return np.ascontiguousarray(out, np.float32)


def crop(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Cut a square at a random scale of at most 1, sharp if it can be had in a few tries."""
    best: Picture | None = None
    least = 2.0
    held = sources.pictures
    for _ in range(8):
        number = mattes.pick(rng, len(held.colour))
        picture = held.colour[number]
        height, width = picture.shape[:2]
        largest = min(height, width, int(size * 2.5))
        window = int(size * (largest / size) ** rng.random()) if largest > size else largest
        top = mattes.pick(rng, height - window + 1)
        left = mattes.pick(rng, width - window + 1)
        rows, columns = slice(top, top + window), slice(left, left + window)
        soft = float(held.soft[number][rows, columns].mean()) / 255 if sources.sharp_only else 0.0
        if soft < least:
            best, least = picture[rows, columns], soft
        if least < 0.1:
            break
    assert best is not None
    if best.shape[0] != size:
        method = cv2.INTER_AREA if best.shape[0] > size else cv2.INTER_LINEAR
        best = np.asarray(cv2.resize(best, (size, size), interpolation=method), best.dtype)
    return unit(best)


def shape(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Float:
    """Return a matte, cut from the masks given or procedural."""
    if sources.masks and rng.random() < odds.from_masks:
        matte = mattes.cut_out(rng, sources.masks, size)
        if matte is not None:
            return matte
    return mattes.procedural(rng, size)


def front_of(rng: np.random.Generator, matte: Float, odds: Odds) -> Float:
    """Return the matte of what stands in front: solid as given, or hair, or letting light through.

    Odds of 0 draw nothing: samples of recipes without these kinds stay as they were.
    """
    if odds.hairy and rng.random() < odds.hairy:
        matte = mattes.hair(rng, matte.shape[0])
    if odds.translucent and rng.random() < odds.translucent:
        matte = np.asarray(matte * np.float32(rng.uniform(0.2, 0.8)), np.float32)
    return matte


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


def mixed(inside: Float, outside: Float, mask: Float) -> Float:
    """Take `inside` where the mask is 1 and `outside` where it is 0."""
    return np.asarray(outside + mask[..., None] * (inside - outside), np.float32)


def turned(rng: np.random.Generator, scene: Shots) -> Shots:
    """Swap, transpose and mirror at random; a swap turns the mask over."""
    if rng.random() < 0.5:
        scene = Shots(scene.second, scene.first, scene.truth, 1 - scene.mask)
    if rng.random() < 0.5:
        scene = Shots(*(a.swapaxes(0, 1) for a in scene))
    up, left = (-1 if rng.random() < 0.5 else 1 for _ in range(2))
    return Shots(*(a[::up, ::left] for a in scene))


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


def planes(picture: Float) -> Float:
    """``(H, W, 3)`` to contiguous ``(3, H, W)``."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)


def published(rng: np.random.Generator, sources: Sources, size: int) -> Sample:
    """Make one sample as the authors did (FOUND: crops, masks, composites; MEASURED: blur).

    The crop is one of nine, stride 64, of the picture's central 256 x 256. The authors' 213
    templates are not to be had: a smooth blob covering 37 to 78 % stands in for one (INFERRED).
    JPEG quality 95 is OpenCV's default (INFERRED).
    """
    held = sources.pictures.colour
    picture = held[mattes.pick(rng, len(held))]
    starts = [
        (side - 2 * size) // 2 + mattes.pick(rng, 3) * size // 2 for side in picture.shape[:2]
    ]
    top, left = (
        int(np.clip(s, 0, side - size)) for s, side in zip(starts, picture.shape[:2], strict=True)
    )
    truth = unit(picture[top : top + size, left : left + size])
    blurred = truth
    for _ in range(int(rng.integers(1, 4))):
        blurred = np.asarray(cv2.GaussianBlur(blurred, (7, 7), 1.5), np.float32)
    coarse = rng.standard_normal((3, 3), dtype=np.float32)
    field = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))
    mask = np.asarray(field > np.quantile(field, rng.uniform(0.22, 0.63)), np.float32)
    first = jpeg(mixed(truth, blurred, mask), 95)
    second = jpeg(mixed(blurred, truth, mask), 95)
    if rng.random() < 0.5:
        first, second, mask = second, first, 1 - mask
    pair = np.stack((planes(first), planes(second)))
    noise = np.zeros((), np.float32)
    return Sample(pair[0], pair[1], planes(truth), mask, np.ones_like(mask), pair, noise)


@dataclass(frozen=True)
class Stream:
    """Batches as a function of (seed, step, position).

    Attributes:
        name: "published" or "varied".
        sources: pictures and masks.
        seed: of the whole stream.
        odds: of the varied synthesis.
    """

    name: str
    sources: Sources
    seed: int
    odds: Odds = field(default_factory=Odds)

    def __post_init__(self) -> None:
        """Refuse a synthesis that does not exist."""
        if self.name not in {"published", "varied"}:
            raise UsageError("unknown synthesis", expected="published or varied", got=self.name)

    def sample(self, rng: np.random.Generator, size: int) -> Sample:
        """Make one sample."""
        if self.name == "published":
            return published(rng, self.sources, size)
        return varied(rng, self.sources, size, self.odds)

    def batch(self, step: int, positions: Sequence[int], size: int) -> Sample:
        """Make the samples at `positions` of the batch of `step`, stacked on a new first axis."""
        samples = [
            self.sample(np.random.default_rng((self.seed, step, position)), size)
            for position in positions
        ]
        return Sample(*(np.stack(arrays) for arrays in zip(*samples, strict=True)))
