"""Frames that add nothing to a stack: a picture taken twice, and one that was shaken.

Of two frames that show the same focus one is enough, but for noise, which both together average.
They are told by what differs between them (`panfocus.registration.difference`), a shaken frame by
the order of focus (`panfocus.arrays.focus_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

import cv2
import numpy as np

from panfocus.arrays.focus_order import dipping, dips, leads
from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float
from panfocus.guard.left_out import Why
from panfocus.registration.difference import OF_NOISE, Difference, difference, level_of, noise_of
from panfocus.registration.meter import ReducedFrame
from panfocus.registration.pyramid import Detail, Level
from panfocus.registration.repeated import repeated
from panfocus.registration.transforms import Matrix, PairTransform, from_reduced, normalised

#: Frames that are looked at, the first of a stack; and the share of them that must be pictures of
#: the usual kind, see `panfocus.arrays.likeness`.
_MOST, _USUAL = 2048, 0.6
#: Softness, squares of a pixel of the level, up to which duplicates are equally sharp; and the
#: factor in the energy of the finest detail up to which they are equally clean. MEASURED: noise
#: makes it 1.2 to 8 times as large, compression 1.005 to 1.6 times.
_AS_SHARP, _AS_CLEAN = 0.03, 1.002
#: Side of the square over which the energy of detail is averaged, and of a block of its map, pixels
#: of the level.
_WINDOW, _BLOCK = 11, 8
#: Times the energy of flat places, and of all, that are taken for noise, and that are clearly more.
_FLATTEST, _OFF, _CLEAR = 0.05, 4.0, 8.0
#: Share of places in which a frame that was shaken dips at least, and leads at most; and in which
#: it leads by so much (logarithm of energy), as the only sharp frame of something small would.
_SHAKEN, _LEADS = 0.3, 0.03
_MUCH, _ANYWHERE = 0.5, 0.004
#: Difference in brightness up to which frames are duplicates, share; times what others differ by at
#: which both neighbours of a frame are for another reason than focus. MEASURED: a hand that was not
#: known to be one 10 times, focus alone 2.5 times at most.
_AS_LIGHT, _ODD = 0.08, 6.0
#: Noise of the level that is compared, a standard deviation, from which on a frame taken twice is
#: worth more for what it averages than it costs: 2 to 3 grey levels of full scale; and by how much,
#: in logarithms, the finest energy of both may differ. Then of neighbours two stay, and frames
#: that come again elsewhere, if they are so many that most of the stack was gone through once more.
#: MEASURED on three scenes, 2 to 8 levels: .1 to .6 and .2 to 1.2 dB; a third and fourth of
#: neighbours that are alike cost up to 1.1 dB.
_NOISY, _AS_NOISY, _ONCE_MORE = 0.17 / 255, 0.05, 1 / 3


class Redundancy:
    """Looks at frames as they pass, small; tells at the end which of them add nothing."""

    def __init__(self) -> None:
        self._energies: list[Float] = []
        self._noise: list[float] = []
        self._finest: list[float] = []
        self._light: list[float] = []
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
        level = level_of(now.detail)
        self._factor = level.factor
        self._energies.append(_energy(level))
        self._noise.append(noise_of(now.detail))
        lines = cv2.Laplacian(now.frame.grey, cv2.CV_32F)
        self._finest.append(cv2.norm(lines, cv2.NORM_L2SQR) / lines.size)
        self._light.append(float(np.mean(now.thumbnail.shades)))
        self._is_usual.append(now.thumbnail.is_usual)
        if self._before is not None:
            self._pairs.append(difference(self._before, now.detail, step))
        self._before = now.detail

    def found(
        self,
        found: Sequence[PairTransform],
        others: AbstractSet[int],
        reference: int,
        again: Callable[[int, int], Difference | None],
    ) -> dict[int, Why]:
        """Return the frames that add nothing, and why; none of a few lights in the dark.

        Args:
            found: where each frame lies.
            others: frames that take no part.
            reference: a frame that stays, of two that are as good.
            again: looks at two frames, the first of them first, once more.
        """
        if sum(self._is_usual) < _USUAL * len(self._is_usual):
            return {}
        beside = self.duplicates(others, reference)
        far = self.repeated(found, others | beside, again)
        shaken = self.shaken(found, others | beside | far)
        out: dict[int, Why] = dict.fromkeys(beside, "duplicate")
        out.update(dict.fromkeys(far, "repeated"))
        out.update(dict.fromkeys(shaken, "shaken"))
        return out

    def repeated(
        self,
        found: Sequence[PairTransform],
        others: AbstractSet[int],
        again: Callable[[int, int], Difference | None],
    ) -> set[int]:
        """Return the frames that show what one that is not beside them shows; see `found`."""
        kept, curves = self._curves(found, others)
        usual = self._usual(_without_odd(self._known(others)))
        if usual is None:
            return set()
        noise: list[float] = []

        def softer(first: int, second: int) -> float | None:
            pair = again(kept[first], kept[second])
            if pair is None or not pair.is_nothing(usual):
                return None
            noise.append(pair.noise)
            return pair.softer

        out = {kept[k] for k in repeated(curves, softer, _AS_SHARP)}
        is_pass = len(out) >= _ONCE_MORE * len(self._energies)
        return set() if is_pass and float(median(np.array(noise))) >= _NOISY**2 else out

    def duplicates(self, others: AbstractSet[int], reference: int) -> set[int]:
        """Return the frames that show what a frame beside them shows as well or better.

        Args:
            others: frames that take no part.
            reference: a frame that stays, of two that are as good.
        """
        known = self._known(others)
        usual = self._usual(_without_odd(known))
        if usual is None:
            return set()
        alike = {n: pair for n, pair in known if pair.is_nothing(usual) and self._is_as_light(n)}
        out: set[int] = set()
        for group in _runs(sorted(alike)):
            best = self._best(group, alike, reference)
            out |= {*group} - {best, *self._to_average(best, alike)}
        return out

    def _is_as_light(self, first: int) -> bool:
        """Whether a frame and the next are as bright: what is exposed anew is no duplicate."""
        one, other = self._light[first], self._light[first + 1]
        return abs(one - other) <= _AS_LIGHT * max(one, other)

    def _to_average(self, number: int, alike: Mapping[int, Difference]) -> set[int]:
        """Return the duplicate beside a frame that is as good, with noise of its own, if one is."""
        for first, beside in ((number, number + 1), (number - 1, number - 1)):
            pair = alike.get(first)
            if pair is None or abs(pair.softer) > _AS_SHARP or pair.noise < _NOISY**2:
                continue
            if abs(np.log(self._finest[beside] / self._finest[number])) <= _AS_NOISY:
                return {beside}
        return set()

    def _known(self, others: AbstractSet[int]) -> list[tuple[int, Difference]]:
        """Return what is known of neighbours that take part, by the number of the first."""
        return [
            (n, pair)
            for n, pair in enumerate(self._pairs)
            if pair is not None and not {n, n + 1} & others
        ]

    @staticmethod
    def _usual(pairs: Sequence[Difference]) -> Difference | None:
        """Return how neighbours differ, the middle of each; None where too few are known."""
        if len(pairs) < 2:
            return None
        values = np.sort([(p.softer, p.softness, p.amount, p.most) for p in pairs], axis=0)
        softer, softness, amount, most = values[len(pairs) // 2].tolist()
        return Difference(softer, softness, amount, most)

    def _best(self, group: Sequence[int], alike: Mapping[int, Difference], reference: int) -> int:
        """Return the sharpest of duplicates, and of these one with little noise and block edges."""
        soft = np.cumsum([0.0, *(alike[n].softer for n in group[:-1])])
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
        kept, curves = self._curves(found, others)
        if len(kept) < 3:
            return set()
        share = dips(curves) if curves.size else np.zeros(len(kept))
        return {
            kept[k] for k in dipping(curves) if share[k] >= _SHAKEN and _adds_nothing(curves, k)
        }

    def _curves(
        self, found: Sequence[PairTransform], others: AbstractSet[int]
    ) -> tuple[list[int], Float]:
        """Return the frames that take part, and curves of focus ``(N, K)`` where detail is."""
        kept = [n for n in range(len(self._energies)) if n not in others]
        if not kept:
            return [], np.zeros((0, 0), np.float32)
        energies = np.stack([self._placed(n, found[n]) for n in kept]).reshape(len(kept), -1)
        flat = ends(energies.min(axis=0), _FLATTEST)[0]
        white = OF_NOISE * float(median(np.array(self._noise)))
        noise = max(np.float32(_OFF * (flat + white)), np.float32(1e-12))
        return kept, np.log(np.maximum(energies, noise))[:, energies.max(axis=0) > _CLEAR * noise]

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


def _without_odd(known: Sequence[tuple[int, Difference]]) -> list[Difference]:
    """Return how neighbours differ, but for those of one frame that is far from all others.

    As by a hand before the scene that nothing else told of: beside that, others differ by nothing.
    """
    far = max((n for n, _ in known), key=lambda n: _least_of(known, n), default=None)
    if far is None:
        return []
    rest = [pair for n, pair in known if far not in (n, n + 1)]
    if len(rest) < 2 or _least_of(known, far) < _ODD * float(
        median(np.array([pair.amount for pair in rest]))
    ):
        return [pair for _, pair in known]
    return rest


def _least_of(known: Sequence[tuple[int, Difference]], number: int) -> float:
    """Return by how much a frame differs at least from those beside it."""
    return min((pair.amount for n, pair in known if number in (n, n + 1)), default=0.0)


def _adds_nothing(curves: Float, number: int) -> bool:
    others = np.delete(curves, number, axis=0)
    much = leads(curves, number, others, by=_MUCH)
    return leads(curves, number, others) <= _LEADS and much <= _ANYWHERE


def _energy(level: Level) -> Float:
    """Return the energy of detail, averaged, every `_BLOCK` pixels."""
    lines = cv2.Laplacian(level.smooth, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    side = _WINDOW, _WINDOW
    mean = cv2.sqrBoxFilter(lines, cv2.CV_32F, side, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean, np.float32)[_BLOCK // 2 :: _BLOCK, _BLOCK // 2 :: _BLOCK].copy()


def _runs(firsts: Sequence[int]) -> list[list[int]]:
    """Return runs of frames of which each is a duplicate of the next.

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
