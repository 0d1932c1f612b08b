"""Which frames of a scene lie on each other, told by what defocus leaves of them.

Two frames *agree* when they show the same thing at the same place. They *clash* when they show the
same thing at another place. Where focus lies far apart nothing is left to compare, and two frames
neither agree nor clash: then those between them speak for them. A set holds the frames that are
linked by agreement and none of which clash, as many as can be: one bad frame, be it the first,
costs no other its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.train.levels import Picture, luminance

Float = NDArray[np.float32]

#: A pair that is shifted by more pixels than this, or whose coarse parts correlate less, is no
#: pair: its frames do not show the same thing at the same place.
MOST_SHIFT = 0.5
LEAST_CORRELATION = 0.6
#: Frames between which others lie may be shifted by so many pixels: each step between neighbours is
#: within `MOST_SHIFT`, and of frames focused far apart the shift is measured less surely.
MOST_DRIFT = 1.0
#: Grey levels of contrast that a quarter of the picture needs to tell anything.
LEAST_DETAIL = 1.0
#: Up to so many frames are compared each with each; of more, those that lie 1, 2, 4, 8 ... apart.
EACH_WITH_EACH = 16
#: Bands of frames that are held at once.
HELD = 64


@dataclass(frozen=True)
class Comparison:
    """What two frames have in common.

    Attributes:
        alike: whether every quarter with detail correlates.
        shift: how far one lies from the other, pixels; 0 where no quarter has detail.
    """

    alike: bool
    shift: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether they show the same thing at the same place."""
        return self.alike and self.shift <= MOST_SHIFT

    def clashes(self, apart: int) -> bool:
        """Whether they, `apart` places from each other, show the same thing at another place."""
        return self.alike and self.shift > (MOST_SHIFT if apart == 1 else MOST_DRIFT)

    @property
    def why(self) -> str | None:
        """Why they do not agree, or None when they do."""
        if not self.alike:
            return "other content"
        return None if self.agrees else f"shifted by {self.shift:.1f} px"


def mismatch(first: Picture, second: Picture) -> str | None:
    """Return why two frames do not lie on each other, or None when they do.

    Defocus moves no edge, so the band of frequencies that survives it must match: in each quarter
    of the picture least squares give the shift (Lucas and Kanade), and correlation tells whether
    it is the same content at all. Quarters without detail tell nothing.

    Args:
        first: RGB ``(H, W, 3)``.
        second: of the same size.
    """
    return compare(band(first), band(second)).why


def compare(one: Float, two: Float) -> Comparison:
    """Compare two bands ``(H, W)`` quarter by quarter."""
    rows, columns = one.shape[0] // 2, one.shape[1] // 2
    shifts: list[float] = []
    for place in (np.s_[y : y + rows, x : x + columns] for y in (0, rows) for x in (0, columns)):
        if min(one[place].std(), two[place].std()) > LEAST_DETAIL:
            if np.corrcoef(one[place].ravel(), two[place].ravel())[0, 1] < LEAST_CORRELATION:
                return Comparison(alike=False)
            shifts.append(shift_of(one[place], two[place]))
    return Comparison(alike=True, shift=float(np.median(shifts)) if shifts else 0.0)


def shift_of(one: Float, two: Float) -> float:
    """Return the length of the shift that least squares find between two bands ``(H, W)``."""
    down, across = np.gradient((one + two) / 2)
    slopes = np.stack((across.ravel(), down.ravel())).astype(np.float64)
    change = (one - two).ravel().astype(np.float64)
    # the normal equations of two unknowns: a hundredth of the time of a decomposition
    shift = np.linalg.pinv(slopes @ slopes.T, hermitian=True) @ (slopes @ change)
    return float(np.hypot(*shift))


def band(picture: Picture) -> Float:
    """Return the luminance between 3 and 12 px of scale, ``(H, W)``: what defocus leaves."""
    grey = luminance(picture)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (3, 12))
    return np.asarray(cv2.subtract(fine, coarse), np.float32)


@dataclass(frozen=True)
class Grouping:
    """Frames of a scene by what they lie on.

    Attributes:
        groups: numbers of frames that lie on each other, two or more each, the largest first.
        left_out: number of every other frame but one that stands for the scene where there is no
            group, and why it is in none.
    """

    groups: tuple[tuple[int, ...], ...]
    left_out: dict[int, str]

    @property
    def kept(self) -> int:
        """How many frames are in a group."""
        return sum(map(len, self.groups))


def grouped(frames: Sequence[Picture]) -> Grouping:
    """Find the frames that lie on each other; as many as can be.

    Args:
        frames: of one size, in the order of the stack.
    """
    found = comparisons(frames)
    rest = set(range(len(frames)))
    groups: list[tuple[int, ...]] = []
    while len(group := _largest(rest, found)) >= 2:
        groups.append(group)
        rest -= set(group)
    if not groups:
        rest.discard(0)
    return Grouping(tuple(groups), {n: _reason(n, found, groups) for n in sorted(rest)})


Comparisons = dict[tuple[int, int], Comparison]


def comparisons(frames: Sequence[Picture]) -> Comparisons:
    """Compare frames with their neighbours, and with others further away."""

    @lru_cache(HELD)
    def of(number: int) -> Float:
        return band(frames[number])

    return {(a, b): compare(of(a), of(b)) for a, b in _pairs(len(frames))}


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    if count <= EACH_WITH_EACH:
        apart = list(range(1, count))
    else:
        apart = [2**k for k in range(count.bit_length()) if 2**k < count]
    for distance in apart:
        yield from ((n, n + distance) for n in range(count - distance))


def _largest(among: Collection[int], found: Comparisons) -> tuple[int, ...]:
    """Return the most frames that are linked by agreement, none of which clash.

    What clashes most goes first; what no longer clashes when others have gone comes back.
    """
    group = _linked(among, found)
    gone: list[int] = []
    while worst := _worst(group, found):
        gone.append(worst[-1])
        group = _linked(group - {worst[-1]}, found)
    for number in reversed(gone):
        wider = group | {number}
        if not _worst(wider, found) and _linked(wider, found) == wider:
            group = wider
    return tuple(sorted(group))


def _worst(group: Collection[int], found: Comparisons) -> tuple[int, int, int] | None:
    """Return (clashes, fewness of agreements, number) of the frame that clashes most."""
    clashes = dict.fromkeys(group, 0)
    agreements = dict.fromkeys(group, 0)
    for pair, result in found.items():
        if pair[0] in clashes and pair[1] in clashes:
            for number in pair:
                clashes[number] += result.clashes(pair[1] - pair[0])
                agreements[number] += result.agrees
    worst = max(((clashes[n], -agreements[n], n) for n in group), default=(0, 0, 0))
    return worst if worst[0] else None


def _linked(among: Collection[int], found: Comparisons) -> set[int]:
    """Return the largest of the sets that agreement links, the first of equal ones."""
    near: dict[int, list[int]] = {n: [] for n in sorted(among)}
    for (a, b), result in found.items():
        if result.agrees and a in near and b in near:
            near[a].append(b)
            near[b].append(a)
    best: set[int] = set()
    unseen = set(near)
    for start in near:
        if start not in unseen:
            continue
        reached, edge = {start}, [start]
        while edge:
            more = [n for n in near[edge.pop()] if n not in reached]
            reached.update(more)
            edge += more
        unseen -= reached
        best = max(best, reached, key=len)
    return best


def _reason(number: int, found: Comparisons, groups: Sequence[tuple[int, ...]]) -> str:
    """Say why a frame is in no group, by the nearest frame of one that it does not agree with."""
    known = groups[0] if groups else (0,)
    near = sorted((abs(n - number), n) for n in known)
    results = [(apart, found.get((min(n, number), max(n, number)))) for apart, n in near]
    # that it clashes tells more than that nothing could be compared
    clashes = [r.why for apart, r in results if r is not None and r.clashes(apart)]
    others = [r.why for _, r in results if r is not None]
    return next(filter(None, clashes + others), "other content")
