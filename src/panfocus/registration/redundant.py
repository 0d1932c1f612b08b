"""Frames that add nothing to a stack: a picture taken twice, and one that was shaken.

Of two neighbours that show the same focus one is enough. They are told by what differs between
them: blur takes from each place a part of its Laplacian, so the slope of the difference by the
Laplacian, tile by tile, is by how much one is softer. Noise, compression and a small shift have no
part in it. A shaken frame is told by the order of focus (`panfocus.arrays.focus_order`).
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from panfocus.arrays.focus_order import dipping, dips, leads
from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float
from panfocus.guard.left_out import Why
from panfocus.registration.meter import ReducedFrame
from panfocus.registration.patches import laid_on
from panfocus.registration.pyramid import Detail, Level
from panfocus.registration.transforms import Matrix, PairTransform, from_reduced, normalised

#: Frames that are looked at, the first of a stack; and the share of them that must be pictures of
#: the usual kind, see `panfocus.arrays.likeness`.
_MOST, _USUAL = 2048, 0.6
#: Tiles along the longer side, in which frames are compared, and how many must tell.
_TILES = 24
_FEWEST = 10
#: A tile tells if its Laplacian has so many times the energy that noise makes, and this share of
#: the usual tile's.
_ABOVE_NOISE, _SHARE = 4.0, 0.05
#: What differs more slowly than this, pixels, is light and not focus.
_SLOW = 4.0
#: Share of the usual difference between neighbours up to which two are twins: of the softness
#: that all but a tenth of the tiles stay below, of all that differs, and of what differs in any
#: tile, as a thing that one of them alone shows. MEASURED: in the same picture with noise, taken or
#: compressed again up to .21, .28 and .25, shaken by 3 px up to .16, .26 and .5; of 19 real stacks
#: no pair stays below .30 in the first and .36 in the second.
_SOFTNESS, _DIFFERENCE, _ANY_TILE = 0.22, 0.3, 0.3
#: Softness, squares of a pixel of the level, up to which twins are equally sharp; and the factor in
#: the energy of the finest detail up to which they are equally clean. MEASURED: noise makes it 1.2
#: to 8 times as large, compression 1.005 to 1.6 times.
_AS_SHARP, _AS_CLEAN = 0.03, 1.002
#: Side of the square over which the energy of detail is averaged, and of a block of its map, pixels
#: of the level.
_WINDOW, _BLOCK = 11, 8
#: Energy of the Laplacian of smoothed noise beside the variance of that noise; times the energy of
#: flat places, and of all, that are taken for noise, and that are clearly more.
_OF_NOISE = 2.0
_FLATTEST, _OFF, _CLEAR = 0.05, 4.0, 8.0
#: Share of places in which a frame that was shaken dips at least, and leads at most; and in which
#: it leads by so much (logarithm of energy), as the only sharp frame of something small would.
_SHAKEN, _LEADS = 0.3, 0.03
_MUCH, _ANYWHERE = 0.5, 0.004


@dataclass(frozen=True)
class Difference:
    """What differs between two neighbours.

    Attributes:
        softer: by how much the second is softer, squares of a pixel: a mean.
        softness: how much softer or sharper all but a tenth of the tiles are at most.
        amount: root mean square of all that differs, noise taken off.
        most: the same of the tile in which most differs.
    """

    softer: float
    softness: float
    amount: float
    most: float


class Redundancy:
    """Looks at frames as they pass, small; tells at the end which of them add nothing."""

    def __init__(self) -> None:
        self._energies: list[Float] = []
        self._noise: list[float] = []
        self._finest: list[float] = []
        self._is_usual: list[bool] = []
        self._pairs: list[Difference | None] = []
        self._before: Detail | None = None
        self._factor = 1

    def add(self, now: ReducedFrame, step: Matrix) -> None:
        """Take the next frame.

        Args:
            now: the frame.
            step: from the frame before to it, pixels of full scale.
        """
        if now.detail is None or len(self._energies) == _MOST:
            return
        level = _level(now.detail)
        self._factor = level.factor
        self._energies.append(_energy(level))
        self._noise.append(_noise(now.detail))
        lines = cv2.Laplacian(now.frame.grey, cv2.CV_32F)
        self._finest.append(cv2.norm(lines, cv2.NORM_L2SQR) / lines.size)
        self._is_usual.append(now.thumbnail.is_usual)
        if self._before is not None:
            self._pairs.append(difference(self._before, now.detail, step))
        self._before = now.detail

    def found(
        self, found: Sequence[PairTransform], others: AbstractSet[int], reference: int
    ) -> dict[int, Why]:
        """Return the frames that add nothing, and why; none of a few lights in the dark.

        Args:
            found: where each frame lies.
            others: frames that take no part.
            reference: a frame that stays, of two that are as good.
        """
        if sum(self._is_usual) < _USUAL * len(self._is_usual):
            return {}
        twins = self.duplicates(others, reference)
        shaken = self.shaken(found, others | twins)
        out: dict[int, Why] = dict.fromkeys(twins, "duplicate")
        out.update(dict.fromkeys(shaken, "shaken"))
        return out

    def duplicates(self, others: AbstractSet[int], reference: int) -> set[int]:
        """Return the frames that show what a frame beside them shows as well or better.

        Args:
            others: frames that take no part.
            reference: a frame that stays, of two that are as good.
        """
        known = [
            (n, pair)
            for n, pair in enumerate(self._pairs)
            if pair is not None and not {n, n + 1} & others
        ]
        if len(known) < 2:
            return set()
        pairs = [pair for _, pair in known]
        softness, amount, most = (
            float(np.sort(values)[len(known) // 2])
            for values in (
                [pair.softness for pair in pairs],
                [pair.amount for pair in pairs],
                [pair.most for pair in pairs],
            )
        )
        twins = {
            n: pair
            for n, pair in known
            if pair.softness < _SOFTNESS * softness
            and pair.amount < _DIFFERENCE * amount
            and pair.most < _ANY_TILE * most
        }
        out: set[int] = set()
        for group in _runs(sorted(twins)):
            out |= {*group} - {self._best(group, twins, reference)}
        return out

    def _best(self, group: Sequence[int], twins: dict[int, Difference], reference: int) -> int:
        """Return the sharpest of twins, and of these one with little noise and block edges."""
        soft = np.cumsum([0.0, *(twins[n].softer for n in group[:-1])])
        sharp = [n for n, s in zip(group, soft, strict=True) if s <= soft.min() + _AS_SHARP]
        least = min(self._finest[n] for n in sharp)
        good = [n for n in sharp if self._finest[n] <= least * _AS_CLEAN]
        return reference if reference in good else good[0]

    def shaken(self, found: Sequence[PairTransform], others: AbstractSet[int]) -> set[int]:
        """Return the frames that are blurred throughout, beside what is sharp before and after.

        Args:
            found: where each frame lies.
            others: frames that take no part.
        """
        kept = [n for n in range(len(self._energies)) if n not in others]
        if len(kept) < 3:
            return set()
        energies = np.stack([self._placed(n, found[n]) for n in kept]).reshape(len(kept), -1)
        flat = ends(energies.min(axis=0), _FLATTEST)[0]
        white = _OF_NOISE * float(median(np.array(self._noise)))
        noise = max(np.float32(_OFF * (flat + white)), np.float32(1e-12))
        curves = np.log(np.maximum(energies, noise))[:, energies.max(axis=0) > _CLEAR * noise]
        share = dips(curves) if curves.size else np.zeros(len(kept))
        return {
            kept[k] for k in dipping(curves) if share[k] >= _SHAKEN and _adds_nothing(curves, k)
        }

    def _placed(self, number: int, found: PairTransform) -> Float:
        """Return the energies of a frame where the reference frame has them."""
        energy = self._energies[number]
        if found.kind == "identity":
            return energy
        grow = from_reduced(self._factor * _BLOCK)
        matrix = normalised(np.linalg.inv(grow) @ found.matrix @ grow)
        size = energy.shape[1], energy.shape[0]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        placed = cv2.warpPerspective(
            energy, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(placed, np.float32)


def difference(fixed: Detail, moving: Detail, step: Matrix) -> Difference | None:
    """Return what differs between two frames; None where too little is to be seen.

    Args:
        fixed: of one frame.
        moving: of the other.
        step: from the one to the other, pixels of full scale.
    """
    level, other = _level(fixed), _level(moving)
    one, two = level.smooth, _laid_on(other, step)
    apart = two - one
    apart -= cv2.GaussianBlur(apart, (0, 0), _SLOW)
    mean = (one + two) / 2
    laplacian = cv2.Laplacian(mean, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    lines = np.asarray(laplacian, np.float32)
    by, of, amount = (_tiles(one_of) for one_of in (apart * lines, lines**2, apart**2))
    noise = [_noise(detail) for detail in (fixed, moving)]
    # smoothed noise has its own Laplacian, of minus its variance
    by = by + np.float32((noise[1] - noise[0]) / 2)
    least = max(_ABOVE_NOISE * _OF_NOISE * sum(noise) / 4, _SHARE * float(median(of.ravel())))
    tells = of > max(least, 1e-12)
    if np.count_nonzero(tells) < _FEWEST:
        return None
    slopes = by[tells] / of[tells]
    weight = np.sqrt(of[tells])
    softer = float((slopes * weight).sum() / weight.sum())
    mean, most = (
        float(np.sqrt(max(value - sum(noise), 0))) for value in (amount.mean(), amount.max())
    )
    return Difference(softer, float(ends(np.abs(slopes), 0.1)[1]), mean, most)


def _adds_nothing(curves: Float, number: int) -> bool:
    others = np.delete(curves, number, axis=0)
    much = leads(curves, number, others, by=_MUCH)
    return leads(curves, number, others) <= _LEADS and much <= _ANYWHERE


def _level(detail: Detail) -> Level:
    """Return the level that is compared: the second, which has a quarter of the pixels."""
    return detail.levels[min(1, len(detail.levels) - 1)]


def _noise(detail: Detail) -> float:
    """Return the variance of noise in the level that is compared: shrinking takes most of it."""
    return detail.noise * (detail.levels[0].factor / _level(detail).factor) ** 2


def _energy(level: Level) -> Float:
    """Return the energy of detail, averaged, every `_BLOCK` pixels."""
    lines = cv2.Laplacian(level.smooth, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    side = _WINDOW, _WINDOW
    mean = cv2.sqrBoxFilter(lines, cv2.CV_32F, side, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean, np.float32)[_BLOCK // 2 :: _BLOCK, _BLOCK // 2 :: _BLOCK].copy()


def _laid_on(level: Level, step: Matrix) -> Float:
    grow = from_reduced(level.factor)
    matrix = normalised(np.linalg.inv(grow) @ step @ grow)
    is_still = np.allclose(matrix, np.eye(3), atol=1e-6)
    return level.smooth if is_still else laid_on(level.smooth, matrix)


def _tiles(values: Float) -> Float:
    """Return the means of tiles."""
    step = max(values.shape) / _TILES
    size = [max(round(side / step), 1) for side in (values.shape[1], values.shape[0])]
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _runs(firsts: Sequence[int]) -> list[list[int]]:
    """Return runs of frames of which each is a twin of the next.

    Example:
        >>> _runs([1, 2, 5])
        [[1, 2, 3], [5, 6]]
    """
    runs = [[n, n + 1] for n in firsts[:1]]
    for before, n in pairwise(firsts):
        if n == before + 1:
            runs[-1].append(n + 1)
        else:
            runs.append([n, n + 1])
    return runs
