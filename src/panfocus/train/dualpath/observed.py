"""Crops of real sets with the imperfect masks of classical measures: no truth of any kind.

Every crop is a function of its random generator alone, as in `panfocus.train.synthesis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from panfocus.train.dualpath import masks
from panfocus.train.pairs import FocalSet

Float = NDArray[np.float32]
#: Pixels measured around a crop, so that windows find real neighbours.
MARGIN = 8


class Observed(NamedTuple):
    """One crop, or a batch of them with a leading axis.

    Attributes:
        frames: ``(N, 3, H, W)`` float32 in [0, 1].
        mask: imperfect, ``(N, H, W)``: the predictor's input.
        target: imperfect, ``(N, H, W)``: what it is asked for.
        valid: ``(H, W)``: where the target's measure found evidence.
    """

    frames: Float
    mask: Float
    target: Float
    valid: Float


def batch(
    sets: Sequence[FocalSet],
    size: int,
    count: int,
    key: tuple[int, int],
    positions: range,
    *,
    cross: bool,
) -> Observed:
    """Draw the crops at `positions` of a batch.

    Args:
        sets: to draw from.
        size: height and width of a crop.
        count: frames of each; a set with fewer repeats some.
        key: (seed, step).
        positions: of this process in the batch.
        cross: take the target from another measure and window than the input.
    """
    made: list[Observed] = [
        observe(np.random.default_rng((*key, position)), sets, size, count, cross=cross)
        for position in positions
    ]
    return Observed(*(np.stack([sample[k] for sample in made]) for k in range(4)))


def observe(
    rng: np.random.Generator, sets: Sequence[FocalSet], size: int, count: int, *, cross: bool
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
    frames = np.stack([held[n][window] for n in order]).transpose(0, 3, 1, 2)
    frames = frames.astype(np.float32) / np.float32(255)
    grey = masks.luminance(frames)
    asked = masks.draw(rng, grey)
    given = masks.draw(rng, grey) if cross else asked
    cut = (outer - size) // 2
    inner = np.s_[..., cut : cut + size, cut : cut + size]
    arrays = [a[inner] for a in (frames, given.mask, asked.mask, asked.valid)]
    up, across = (-1 if rng.random() < 0.5 else 1 for _ in range(2))
    arrays = [a[..., ::up, ::across] for a in arrays]
    if rng.random() < 0.5:
        arrays = [a.swapaxes(-1, -2) for a in arrays]
    return Observed(*(np.ascontiguousarray(a, np.float32) for a in arrays))
