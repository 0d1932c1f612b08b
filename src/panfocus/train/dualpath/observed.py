"""What a step of training sees: frames with their imperfect masks, and what else is known.

Every crop is a function of its random generator alone, as in `panfocus.train.synthesis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from panfocus.train.dualpath import masks
from panfocus.train.dualpath.config import Masking
from panfocus.train.dualpath.stack import MadeStack, mirrored
from panfocus.train.levels import unit
from panfocus.train.pairs import FocalSet

Float = NDArray[np.float32]
#: Pixels measured around a crop, so that windows find real neighbours.
MARGIN = 8


class Observed(NamedTuple):
    """One crop of a real set, or a batch of them with a leading axis: no truth of any kind.

    Attributes:
        frames: ``(N, 3, H, W)`` float32 in [0, 1].
        given: imperfect masks, ``(T, N, H, W)``.
        valid: ``(T, H, W)``: where the measure of each found evidence.
    """

    frames: Float
    given: Float
    valid: Float


class Made(NamedTuple):
    """A batch of sets that were blurred again, arrays as in `Observed` and in `MadeStack`."""

    frames: Float
    given: Float
    valid: Float
    truth: Float
    mask: Float
    differs: Float
    clean: Float
    noise: Float

    def untold(self) -> Observed:
        """Return what is seen of it, without what is known."""
        return Observed(self.frames, self.given, self.valid)


def batch(
    sets: Sequence[FocalSet],
    size: int,
    count: int,
    key: tuple[int, int],
    positions: range,
    *,
    masking: Masking,
) -> Observed:
    """Draw the crops at `positions` of a batch.

    Args:
        sets: to draw from.
        size: height and width of a crop.
        count: frames of each; sets that have so many are preferred, others repeat some.
        key: (seed, step).
        positions: of this process in the batch.
        masking: which measures are asked.
    """
    enough = [s for s in sets if len(s.frames) >= count] or sets
    made = [
        observe(np.random.default_rng((*key, position)), enough, size, count, masking)
        for position in positions
    ]
    return Observed(*(np.stack(arrays) for arrays in zip(*made, strict=True)))


def observe(
    rng: np.random.Generator, sets: Sequence[FocalSet], size: int, count: int, masking: Masking
) -> Observed:
    """Draw a crop of `count` random frames of a random set, mirrored and turned at random."""
    held = sets[int(rng.integers(len(sets)))].frames
    shape = held[0].shape
    order = [int(n) for n in np.resize(rng.permutation(len(held)), count)]
    height, width = int(shape[0]), int(shape[1])
    outer = min(size + 2 * MARGIN, height, width)
    top = int(rng.integers(height - outer + 1))
    left = int(rng.integers(width - outer + 1))
    window = np.s_[top : top + outer, left : left + outer]
    frames = unit(np.stack([held[n][window] for n in order]).transpose(0, 3, 1, 2))
    given = masks.all_of(masks.luminance(frames), masking.measures, masking.windows)
    cut = (outer - size) // 2
    inner = np.s_[..., cut : cut + size, cut : cut + size]
    return Observed(*mirrored(rng, [a[inner] for a in (frames, given.mask, given.valid)]))


def with_masks(made: MadeStack, masking: Masking) -> Made:
    """Ask the measures about a batch of sets that were blurred again."""
    asked = [
        masks.all_of(masks.luminance(f), masking.measures, masking.windows) for f in made.frames
    ]
    given, valid = (np.stack([a[k] for a in asked]) for k in range(2))
    return Made(
        made.frames, given, valid, made.truth, made.mask, made.valid, made.clean, made.noise
    )
