"""Re-defocus: exact labels from defocused pictures alone.

OURS. A picture that is itself out of focus in places is blurred once more, by masks and circles
of confusion that we draw. Which frame was blurred less is then known exactly, and so is the
picture before: the target. No sharp picture and no annotated mask enters: shapes are procedural
(`panfocus.train.synthesis.mattes`). Sets fused by a classical system serve as sources too: they
hold more detail than any frame. Where the source holds no detail, blurring it again changes nothing
and there is nothing to learn: such places are left out of the loss on masks (`valid`), give no
gradient to the loss on pictures, and crops that lie in them are drawn again (`flat_areas`).

Pairs come from `panfocus.train.synthesis.pairs`, stacks from `focal_stacks`, and what shines in the
dark from `fluorescence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import fuse
from panfocus.train.dualpath import fluorescence, focal_stacks
from panfocus.train.dualpath.misfire import misfired
from panfocus.train.dualpath.stack import MadeStack
from panfocus.train.levels import Picture, luminance
from panfocus.train.pairs import Material
from panfocus.train.pictures import Pictures, soft_areas
from panfocus.train.shelf import masks_beside
from panfocus.train.synthesis.ends import End
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.pairs import varied
from panfocus.train.synthesis.samples import Sample
from panfocus.train.synthesis.sources import Sources

Byte = NDArray[np.uint8]

#: Share of the sets whose pictures end before the network's field does.
PADDED = 0.4
#: Grey levels of finest detail below which a place has nothing to lose by being blurred.
DETAIL = 4.0


def sources_of(pictures: Sequence[Picture]) -> Sources:
    """Wrap defocused pictures RGB ``(H, W, 3)`` so that crops with detail are preferred."""
    lacking = masks_beside(pictures, lambda p: np.maximum(soft_areas(p), flat_areas(p)))
    names = [f"frame {n}" for n in range(len(pictures))]
    return Sources(Pictures(list(pictures), lacking, names))


def fused(material: Material, system: str) -> list[Picture]:
    """Fuse every real set: pictures that are sharper than any of their frames.

    Nothing new enters: they are made of the defocused frames themselves, by a system that no
    truth has taught either.

    Args:
        material: whose sets are fused.
        system: name of a system.
    """
    results = (fuse(list(s.frames), system=system, maps=False) for s in material.sets)
    return [cast("Picture", result.image) for result in results]


def flat_areas(picture: Picture) -> Byte:
    """Mark places ``(H, W)`` without any fine detail: 255 there, else 0."""
    grey = luminance(picture)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 0.8))
    around = cv2.dilate(fine, np.ones((25, 25), np.uint8))
    return np.asarray(around < DETAIL, np.uint8) * np.uint8(255)


def batch(
    sources: Sources,
    size: int,
    count: int,
    key: tuple[int, int],
    positions: range,
    *,
    odds: Odds,
) -> MadeStack:
    """Make the sets of `count` frames at `positions` of a batch; `key` is (seed, step)."""
    made: list[MadeStack] = []
    for position in positions:
        rng = np.random.default_rng((*key, position))
        one = scene(rng, sources, size, count, odds)
        made.append(padded(rng, one) if rng.random() < PADDED else one)
    return MadeStack(*(np.stack(arrays) for arrays in zip(*made, strict=True)))


def scene(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> MadeStack:
    """Make one set of any kind: fluorescence, a pair of photographs, a stack of them."""
    # odds of 0 draw nothing: samples of recipes without these kinds stay as they were
    if odds.fluorescent and rng.random() < odds.fluorescent:
        return fluorescence.stack(rng, sources, size, count, odds)
    if count == 2 and rng.random() < 0.85:
        made = as_stack(varied(rng, sources, size, odds))
    else:
        made = focal_stacks.stack(rng, sources, size, count, odds)
    return misfired(rng, made) if odds.misfired and rng.random() < odds.misfired else made


def padded(rng: np.random.Generator, made: MadeStack) -> MadeStack:
    """Let the pictures end before a network's field does (`panfocus.train.synthesis.ends`)."""
    end = End(rng)
    return made._replace(
        frames=end.pushed(made.frames),
        truth=end.pushed(made.truth),
        mask=end.pushed(made.mask, 1 / len(made.mask)),
        valid=end.pushed(made.valid, 0.0),
        clean=end.pushed(made.clean),
    )


def as_stack(sample: Sample) -> MadeStack:
    """Write a pair as a set of two frames."""
    frames = np.stack((sample.first, sample.second))
    masks = np.stack((sample.mask, 1 - sample.mask))
    return MadeStack(frames, sample.truth, masks, sample.valid, sample.clean, sample.noise)
