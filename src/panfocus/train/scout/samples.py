"""Made stacks as the scout sees them, and which frames their blocks' pixels would take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.candidates import BLOCK, pooled
from panfocus.systems.scout.evidence import evidence
from panfocus.train.dualpath import focal_stacks
from panfocus.train.dualpath.misfire import misfired
from panfocus.train.dualpath.stack import MadeStack
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Numbers of frames that are learned from.
COUNTS = (3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48)
#: Squared grey levels by which a frame may be farther from the truth and still be as good.
SAME = 2.25
#: Errors are compared as means over so much, pixels of the halved picture, by weight: where nothing
#: near is to be told, what lies around decides, as a depth seldom ends in a flat place.
_SPREADS = ((0.7, 1.0), (4.0, 0.1), (12.0, 0.03))
#: Largest error that is kept, squared grey levels; numbers of 16 bits end soon after.
_LARGEST = 60_000


class ScoutSample(NamedTuple):
    """One stack, or a batch of stacks of as many frames with a leading axis.

    Attributes:
        measures: ``(N, 5, a, b)`` float32, see `panfocus.systems.scout.evidence`.
        shares: of pixels of a block that each frame would serve best, ``(N, a, b)``.
        errors: how much farther from the truth each frame is than the best, ``(N, a, b)``, squared
            grey levels.
    """

    measures: Float
    shares: Float
    errors: Float


def sample(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> ScoutSample:
    """Make one stack of `count` frames, `size` pixels square."""
    made = focal_stacks.stack(rng, sources, size, count, odds)
    if rng.random() < odds.misfired:
        made = misfired(rng, made)
    return seen(made)


def seen(made: MadeStack) -> ScoutSample:
    """Return what the scout sees of a stack, and what it should say."""
    pictures = [np.moveaxis(frame, 0, -1) for frame in made.frames]
    frames = [np.rint(np.clip(each, 0, 1) * 255).astype(np.uint8) for each in pictures]
    measures = np.stack([evidence(np.ascontiguousarray(frame)) for frame in frames])
    return ScoutSample(measures, *answers(made.clean, made.truth))


def answers(frames: Sequence[Float] | Float, truth: Float) -> tuple[Float, Float]:
    """Return shares and errors of blocks, each ``(N, a, b)``.

    Args:
        frames: ``(3, h, w)`` each, in [0, 1], without noise.
        truth: ``(3, h, w)``.
    """
    errors = np.stack([_spread_error(frame, truth) for frame in frames])
    farther = errors - errors.min(axis=0)
    best = np.exp(-farther / np.float32(SAME))
    best /= best.sum(axis=0)
    shares, far = (
        np.stack([pooled(each, BLOCK // 2) for each in maps]) for maps in (best, farther)
    )
    return shares, np.minimum(far, np.float32(_LARGEST))


def _spread_error(frame: Float, truth: Float) -> Float:
    """Return squared errors of ``(3, h, w)``, halved and spread, ``(h / 2, w / 2)``."""
    squared = np.square((frame - truth) * np.float32(255)).mean(0)
    half = pooled(squared, 2)
    spread = (np.asarray(cv2.GaussianBlur(half, (0, 0), s), np.float32) * k for s, k in _SPREADS)
    return np.asarray(np.sum(list(spread), axis=0), np.float32)
