"""Made scenes, decided about at two scales, and how wrong each came out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.arbiter import evidence, seen_of
from panfocus.systems.between_scales import BothScales
from panfocus.systems.candidates import REDUCTION
from panfocus.systems.network import NetworkSystem
from panfocus.train.dualpath import redefocus
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Side of a scene, pixels; whole at all enlargements.
SCENE = 480
#: By how much a scene is enlarged first: then its blurs are wide and its pixels soft, as those of
#: cameras are. And widest blurs of such that are, and are not, pixels before that.
_ENLARGED = (1.0, 1.0, 1.0, 1.5, 2.0, 3.0, 4.0)
_WIDEST, _WIDEST_SHARP = (6.0, 12.0, 16.0), (8.0, 14.0, 24.0, 40.0)
#: Share of pairs; numbers of frames of the others.
_PAIRS = 0.65
_COUNTS = (3, 4, 5, 8)


class Decided(NamedTuple):
    """A scene that was decided about at two scales.

    Attributes:
        frames: ``(N, H, W, 3)`` uint8.
        truth: the picture before it was blurred, ``(H, W, 3)`` uint8.
        both: weights by either scale.
    """

    frames: Pixels
    truth: Pixels
    both: BothScales


class ArbiterSample(NamedTuple):
    """A place in a scene, or a batch of them with a leading axis.

    Attributes:
        seen: see `panfocus.systems.arbiter.evidence`, ``(19, h / 4, w / 4)``.
        errors: of the picture by the full scale, and by the reduced, grey levels ``(2, 3, h, w)``.
    """

    seen: Float
    errors: Float


def decided(
    rng: np.random.Generator, sources: Sources, system: NetworkSystem, odds: Odds
) -> Decided:
    """Photograph a scene, out of focus by a little or by much, and decide about it."""
    count = 2 if rng.random() < _PAIRS else int(rng.choice(_COUNTS))
    enlarge = float(rng.choice(_ENLARGED))
    widest = float(rng.choice(_WIDEST if enlarge > 1 else _WIDEST_SHARP))
    blurs = replace(odds, radius=(odds.radius[0], widest))
    made = redefocus.scene(rng, sources, round(SCENE / enlarge), count, blurs)
    frames = np.stack([_grown(frame) for frame in made.frames])
    return Decided(frames, _grown(made.truth), system.at_both_scales(frames))


def sample(scene: Decided) -> ArbiterSample:
    """Return all of a scene as one place."""
    frames, truth, (fine, coarse, _) = scene
    whole = slice(0, SCENE), slice(0, SCENE)
    small = np.stack([shrink(weight, REDUCTION) for weight in fine])
    seen = evidence(np.stack([seen_of(frame) for frame in frames]), small, coarse)
    large = np.stack([enlarged(weight, REDUCTION, whole) for weight in coarse])
    errors = [
        np.moveaxis(np.einsum("nhwc,nhw->hwc", frames, weights) - truth, -1, 0)
        for weights in (fine, large)
    ]
    return ArbiterSample(seen, np.asarray(np.stack(errors), np.float32))


def place(rng: np.random.Generator, whole: ArbiterSample, size: int) -> ArbiterSample:
    """Cut a place of `size` pixels out, turned and mirrored."""
    steps = (SCENE - size) // REDUCTION + 1
    top, left = (int(n) for n in rng.integers(0, steps, 2))
    turns, is_mirrored = int(rng.integers(4)), rng.random() < 0.5

    def cut(values: Float, scale: int) -> Float:
        first, side = (top * scale, left * scale), size * scale // REDUCTION
        part = values[..., first[0] : first[0] + side, first[1] : first[1] + side]
        out = np.rot90(part, turns, (-2, -1))
        return np.ascontiguousarray(out[..., ::-1] if is_mirrored else out, np.float32)

    return ArbiterSample(cut(whole.seen, 1), cut(whole.errors, REDUCTION))


def _grown(picture: Float) -> Pixels:
    """Return ``(3, h, w)`` in [0, 1] as a picture of `SCENE` pixels, ``(H, W, 3)`` uint8."""
    image = np.ascontiguousarray(np.moveaxis(picture, 0, -1))
    large = cv2.resize(image, (SCENE, SCENE), interpolation=cv2.INTER_CUBIC)
    return np.rint(np.clip(large, 0, 1) * 255).astype(np.uint8)
