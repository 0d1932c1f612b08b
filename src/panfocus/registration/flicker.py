"""Bands of brightness that lie elsewhere in each frame: flickering light and a rolling shutter.

A shutter that rolls exposes line after line along the shorter side, so that a lamp that flickers
leaves bands. How much brighter each line of one frame is than that of another is measured twice, on
either half of the lines: what both halves say is light, what one alone says is the scene.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.registration.transforms import Matrix, corner_shift

Array = NDArray[np.float64]
#: Groups of lines along the shorter side; pixels of half a group that tell, and share of groups.
LINES = 96
_FEWEST, _ENOUGH = 12, 0.75
#: Groups along either side that do not tell: some frames have bad pixels at their borders.
_MARGIN = 2
#: Difference from what light explains, in logarithms, up to which a pixel tells as much as it
#: says, and rounds in which light is found.
_MOST, _ROUNDS = 0.08, 3
#: Waves along the side, in halves, from which on they are bands, and beyond which they are noise.
_WAVES = slice(4, LINES // 2)
#: Root mean square of bands, logarithms of levels, and correlation between halves, from which on
#: they are believed. MEASURED: of 201 pairs and stacks without bands none had both, the nearest
#: .007 with .81, and .03 with .77; of 20 with bands of 10 % of light 17 have, of 3 % half.
_LEAST, _AGREE = 0.01, 0.8
#: Steps without which nothing is said.
_STEPS = 2
#: Correlation below which it is not looked at twice.
_HOPE = 0.3
#: How much farther apart than neighbours frames may be, root mean squares: with bands 1.2 times at
#: most; glints on a circuit board, which wander as the lens nears, 3.6 times.
_TO_AND_FRO = 1.5
#: Groups of lines by which frames may lie apart to be compared: parallax makes bands, too.
_FARTHEST = 2.0
#: Waves beside each by which it is judged how much of it is light.
_BESIDE = 2


@frozen
class Lines:
    """How much brighter the lines of one frame are than those of the next.

    Attributes:
        halves: ``(2, LINES)`` cosine transforms of logarithms, one of either half of the lines.
    """

    halves: Array

    def logs(self) -> Array:
        """Return logarithms of levels of fixed over moving ``(LINES,)``, mean 0: what halves share.

        Each wave counts by how much halves agree on it and those beside it.
        """
        one, other = self.halves
        kernel = np.ones(2 * _BESIDE + 1)
        shared = np.convolve(one * other, kernel, "same")
        power = np.convolve((one * one + other * other) / 2, kernel, "same")
        mean = (one + other) / 2 * np.clip(shared / np.maximum(power, 1e-12), 0, 1)
        mean[0], mean[_WAVES.stop :] = 0, 0
        return np.asarray(cv2.idct(mean[None]), np.float64)[0]


def lines_of(logs: Float, useful: NDArray[np.bool_]) -> Lines | None:
    """Measure how much brighter lines are; None where too few pixels tell.

    Args:
        logs: of one frame's levels over the next's, ``(h, w)``, finite where useful.
        useful: which pixels tell ``(h, w)``.
    """
    if useful.shape[0] > useful.shape[1]:
        logs, useful = logs.T, useful.T
    if useful.shape[0] < LINES or not useful.any():
        return None
    middle = np.float32(median(logs[useful]))
    shares = _halves(useful.astype(np.float32))
    tells = np.all(shares * (useful.size / (2 * LINES)) >= _FEWEST, axis=0)
    tells[:_MARGIN] = tells[-_MARGIN:] = False
    if tells.sum() < _ENOUGH * LINES:
        return None
    at = np.arange(LINES)
    found = Lines(np.zeros((2, LINES)))
    for _ in range(_ROUNDS):
        light = middle + spread(found.logs(), len(logs)).astype(np.float32)[:, None]
        apart = np.where(useful, np.clip(logs - light, -_MOST, _MOST) + light - middle, 0)
        means = _halves(np.asarray(apart, np.float32))[:, tells] / shares[:, tells]
        found = Lines(np.zeros((2, LINES)))
        for half, mean in zip(found.halves, means, strict=True):
            line = np.asarray(np.interp(at, at[tells], mean - mean.mean()), np.float64)
            half[:] = np.asarray(cv2.dct(line[None]), np.float64)[0]
        if _agreement([found])[0] < _HOPE:
            break
    return found


def _halves(plane: Float) -> Array:
    """Return the means of groups of lines ``(2, LINES)``, of either half of the lines."""
    groups = cv2.resize(plane, (2, LINES), interpolation=cv2.INTER_AREA)
    return np.asarray(groups.T, np.float64)


def are_near(matrix: Matrix, height: int, width: int) -> bool:
    """Whether frames lie near enough on each other to be compared line by line.

    Args:
        matrix: from the one to the other, pixels of both.
        height: of both.
        width: of both.
    """
    return corner_shift(matrix, height, width) <= _FARTHEST * min(height, width) / LINES


def are_bands(lines: Sequence[Lines | None]) -> bool:
    """Whether neighbours of a stack differ by bands, all taken together.

    A lamp flickers to and fro: what grows from frame to frame is the scene's. Two frames alone are
    not judged: repeated patterns and dark borders that blur make bands, too.
    """
    found = [one for one in lines if one is not None]
    if len(found) < _STEPS:
        return False
    steps = np.array([one.logs() for one in found])
    most, farthest = (_rms(one).max() for one in (steps, np.cumsum(steps, axis=0)))
    correlation, amount = _agreement(found)
    return bool(correlation >= _AGREE and amount >= _LEAST and farthest <= _TO_AND_FRO * most)


def _agreement(found: Sequence[Lines]) -> tuple[float, float]:
    """Return the correlation of halves, and the root mean square that they share; no trend."""
    ones, others = np.stack([one.halves[:, _WAVES] for one in found], axis=1)
    shared = float((ones * others).sum())
    power = float(np.sqrt(np.square(ones).sum() * np.square(others).sum()))
    amount = float(np.sqrt(max(shared, 0.0) / (LINES * len(found))))
    return shared / max(power, 1e-12), amount


def _rms(rows: Array) -> Array:
    return np.sqrt(np.square(rows).mean(axis=1))


def spread(logs: Array, count: int) -> Array:
    """Return logarithms of `LINES` groups for every one of `count` lines."""
    at = (np.arange(count) + 0.5) * (LINES / count) - 0.5
    return np.interp(at, np.arange(LINES), logs)
