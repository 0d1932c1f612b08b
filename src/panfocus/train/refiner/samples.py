"""Made decisions of a reduced scale, and what they should have been at full scale."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import floats, luminance, shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.fusion.blend import chain, mix
from panfocus.systems import System
from panfocus.systems.refiner.evidence import evidence
from panfocus.train.dualpath import redefocus
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Side of a scene, pixels; whole at all reductions and enlargements.
SCENE = 360
#: Reductions at which is decided, and by how much a scene is enlarged first: pictures of cameras
#: are softer than their pixels.
_REDUCTIONS = (2, 2, 3, 3, 4, 5)
_ENLARGED = (1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0)
#: Share of pairs; numbers of frames of the others.
_PAIRS = 0.65
_COUNTS = (3, 4, 6)
#: Share of places that are taken wherever they lie; of the others, the part that is to be unclear
#: in them, and how often such a one is looked for.
_ANYWHERE, _LEAST, _TRIES = 0.25, 0.03, 12


class Mixed(NamedTuple):
    """A frame that is mixed into what was fused so far.

    Attributes:
        below: what was fused so far, ``(H, W, 3)`` uint8.
        above: the frame, the same.
        truth: the picture before it was blurred, the same.
        weight: of the frame, decided small and enlarged, ``(H, W)`` in [0, 1].
    """

    below: Pixels
    above: Pixels
    truth: Pixels
    weight: Float


class RefinerSample(NamedTuple):
    """A place in a picture, or a batch of them with a leading axis.

    Attributes:
        seen: see `panfocus.systems.refiner.evidence`, ``(13, h / 2, w / 2)``.
        levels: luminances below and above, and the weight, ``(3, h, w)`` in [0, 1].
        colours: below, above and truth, ``(3, 3, h, w)`` in grey levels.
    """

    seen: Float
    levels: Float
    colours: Float


def mixed(rng: np.random.Generator, sources: Sources, system: System, odds: Odds) -> Mixed:
    """Photograph a scene, decide about it small, and mix up to one of its frames."""
    count = 2 if rng.random() < _PAIRS else int(rng.choice(_COUNTS))
    enlarge = float(rng.choice(_ENLARGED))
    made = redefocus.scene(rng, sources, round(SCENE / enlarge), count, odds)
    frames = [_grown(frame) for frame in made.frames]
    factor = int(rng.choice(_REDUCTIONS))
    weights = system.decide(floats(np.stack([shrink(frame, factor) for frame in frames])))
    alphas = [_at_full_scale(alpha, factor) for alpha in chain(weights)]
    soft = [_soft(alpha) for alpha in alphas[1:]]
    chosen = 1 + int(np.argmax(soft))
    below = frames[0]
    for frame, alpha in zip(frames[1:chosen], alphas[1:chosen], strict=True):
        below = mix(below, frame, alpha)
    return Mixed(below, frames[chosen], _grown(made.truth), alphas[chosen])


def place(rng: np.random.Generator, scene: Mixed, size: int) -> RefinerSample:
    """Cut a place of `size` pixels out, turned and mirrored, with pictures in either order."""
    part = _part(rng, scene, size)
    below, above = scene.below[part], scene.above[part]
    weight = scene.weight[part]
    if rng.random() < 0.5:
        below, above, weight = above, below, 1 - weight
    greys = [floats(luminance(one)) for one in (below, above)]
    turns, is_mirrored = int(rng.integers(4)), rng.random() < 0.5

    def turned(*planes: Pixels) -> Float:
        out = np.rot90(np.stack(planes), turns, (-2, -1))
        return np.ascontiguousarray(out[..., ::-1] if is_mirrored else out, np.float32)

    levels = turned(*greys, weight)
    colours = turned(*(np.moveaxis(one, -1, 0) for one in (below, above, scene.truth[part])))
    return RefinerSample(evidence(*levels), levels, colours)


def _part(rng: np.random.Generator, scene: Mixed, size: int) -> tuple[slice, slice]:
    tries = 1 if rng.random() < _ANYWHERE else _TRIES
    part = slice(0, size), slice(0, size)
    for _ in range(tries):
        top, left = (2 * int(n) for n in rng.integers(0, (SCENE - size) // 2 + 1, 2))
        part = slice(top, top + size), slice(left, left + size)
        if _soft(scene.weight[part]) > _LEAST:
            break
    return part


def _grown(picture: Float) -> Pixels:
    """Return ``(3, h, w)`` in [0, 1] as a picture of `SCENE` pixels, ``(H, W, 3)`` uint8."""
    image = np.ascontiguousarray(np.moveaxis(picture, 0, -1))
    large = cv2.resize(image, (SCENE, SCENE), interpolation=cv2.INTER_CUBIC)
    return np.rint(np.clip(large, 0, 1) * 255).astype(np.uint8)


def _at_full_scale(alpha: Float, factor: int) -> Float:
    whole = slice(0, SCENE), slice(0, SCENE)
    return np.clip(enlarged(alpha, factor, whole), 0, 1)


def _soft(alpha: Float) -> float:
    return float(((alpha > 0.01) & (alpha < 0.99)).mean())
