"""Frames that spoil a stack: of another scene, blurred, differently exposed, doubled, misplaced.

`Surveyor` looks at one frame at a time and keeps a few hundred numbers of each: detail in every
tile of a grid, mean luminance, the difference from the frame before. It judges at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.fine_detail import TELLS, relative_detail, tile_detail
from panfocus.arrays.likeness import Unlike
from panfocus.arrays.noise import deviation, noise_variance
from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.frozen import frozen
from panfocus.guard.left_out import TOLD
from panfocus.pipeline.misplaced import misplaced
from panfocus.pipeline.scene import SceneLikeness

Kind = Unlike | Literal["blurred", "exposure", "duplicate", "order"]

#: Frames are surveyed at this many pixels along their longer side, in tiles of a 24th of it.
_SIDE = 1536
_TILES = 24
#: A frame that has less than this share of the best frame's detail in every tile is blurred,
#: unless it has clearly more coarse detail than all others in some tiles, as a frame that shows a
#: far background least blurred has.
_SHARP_SHARE = 0.4
_COARSE = 8
_COARSE_LEAD = 1.1
_COARSE_TILES = 0.03
#: Mean luminance against the median of five neighbours beyond which exposure differs.
_EXPOSURE = 0.1
#: A frame is a duplicate if it differs from the one before by less than this share of the usual,
#: or less than usual and by noise alone (variance against that of white noise), or by rounding.
_DUPLICATE = 0.15
_USUAL = 0.7
_WHITE = 2.0
_ROUNDING = 0.25 / 255


@frozen
class Finding:
    """Something that is wrong with a frame.

    Attributes:
        number: of the frame, from 0.
        name: of the frame.
        kind: what it is; of `Unlike`, it is none of the scene.
        text: a sentence for the user.
    """

    number: int
    name: str
    kind: Kind
    text: str

    @property
    def culls(self) -> bool:
        """Whether the frame is better left out; a misplaced one is still good."""
        return self.kind != "order"

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


class Surveyor:
    """Looks at frames as they pass."""

    def __init__(self) -> None:
        #: whether the frames are of one scene at all
        self.scene = SceneLikeness()
        self._names: list[str] = []
        self._detail: list[Float] = []
        self._coarse: list[Float] = []
        self._light: list[float] = []
        self._steps: list[float] = []
        self._is_white: list[bool] = []
        self._previous: Float | None = None

    def add(self, name: str, grey: Pixels) -> None:
        """Take the next frame.

        Args:
            name: for messages.
            grey: luminance ``(H, W)``, native dtype, the same size for all frames.
        """
        # narrow strips stay wide enough to be looked at
        factor = max(min(-(-max(grey.shape) // _SIDE), min(grey.shape) // 8), 1)
        small = shrink(grey, factor).astype(np.float32)
        small /= np.float32(white(grey.dtype))
        self._names.append(name)
        self.scene.add(small)
        light = float(small.mean())
        self._light.append(light)
        # exposure is judged apart: all else is compared as if it were the same
        small *= np.float32(0.5 / max(light, 1e-3))
        self._detail.append(tile_detail(small, _TILES))
        coarse = shrink(small, min(_COARSE, min(small.shape) // 4))
        self._coarse.append(tile_detail(coarse, _TILES))
        if self._previous is not None:
            difference = np.subtract(small, self._previous, out=self._previous)
            step = deviation(difference)
            self._steps.append(step)
            self._is_white.append(step**2 < _WHITE * noise_variance(difference))
        self._previous = small

    def findings(self, without: Collection[str] = (), *, are_planes: bool = False) -> list[Finding]:
        """Return what is wrong, in the order of the frames.

        Args:
            without: names of frames that take no part: nothing is said of them, and no other is
                judged beside them.
            are_planes: of one volume, whose order and scene are beyond doubt.
        """
        rest = [n for n, name in enumerate(self._names) if name not in without]
        if len(rest) < 3:
            return []
        strange = {} if are_planes else self.scene.strangers(rest)
        others: _Found = [(n, why, TOLD[why][0]) for n, why in strange.items()]
        rest = [n for n in rest if n not in strange]
        detail = np.stack(self._detail)
        found = [
            *others,
            *_renumbered(_find_blurred(detail[rest], np.stack(self._coarse)[rest]), rest),
            *_renumbered(_find_exposure(np.array(self._light)[rest]), rest),
            *_find_duplicates(np.array(self._steps), np.array(self._is_white), {*rest}),
        ]
        bad = {number for number, _, _ in found}
        if not are_planes:
            found += _find_misplaced(detail, [n for n in rest if n not in bad], self._names)
        named = [Finding(n, self._names[n], kind, text) for n, kind, text in found]
        told = [finding for finding in named if finding.name not in without]
        return sorted(told, key=lambda finding: finding.number)


_Found = list[tuple[int, Kind, str]]


def survey(frames: Iterable[Frame]) -> list[Finding]:
    """Judge a whole stack, one frame held at a time.

    Args:
        frames: in focus order; nothing is left with those that the caller keeps.

    Returns:
        What is wrong with which frame; nothing for fewer than three frames.
    """
    surveyor = Surveyor()
    for frame in frames:
        surveyor.add(frame.name, frame.without_caches().grey)
    return surveyor.findings()


def keep(findings: Iterable[Finding], count: int) -> list[int]:
    """Return the numbers of the frames that remain of `count`; all if fewer than two would."""
    bad = {finding.number for finding in findings if finding.culls}
    kept = [n for n in range(count) if n not in bad]
    return kept if len(kept) >= 2 else list(range(count))


def _is_missed(coarse: Float, suspects: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which suspects ``(N,)`` have coarse detail that the other frames have not."""
    if suspects.all():
        return suspects
    best, others = coarse.max(axis=0), coarse[~suspects].max(axis=0)
    lost = (best > _COARSE_LEAD * others) & (best > TELLS * ends(coarse, 0.05)[0])
    holds = coarse >= best / _COARSE_LEAD
    return suspects & ((holds & lost).mean(axis=1) > _COARSE_TILES)


def _renumbered(found: _Found, numbers: list[int]) -> _Found:
    """Return what was found among some frames, by their numbers among all."""
    return [(numbers[n], kind, text) for n, kind, text in found]


def _find_blurred(detail: Float, coarse: Float) -> _Found:
    share, tells = relative_detail(detail)
    if not tells.any():
        return []
    # one tile may be chance: the best one in a hundred counts
    seen = share[:, tells]
    rank = round(0.99 * (seen.shape[1] - 1))
    strength = np.partition(seen, rank, axis=1)[:, rank]
    suspects = strength < _SHARP_SHARE
    return [
        (
            int(n),
            "blurred",
            f"is wholly blurred: nowhere more than {strength[n]:.0%} of the detail of other frames",
        )
        for n in np.flatnonzero(suspects & ~_is_missed(coarse, suspects))
    ]


def _find_exposure(light: NDArray[np.float64]) -> _Found:
    found: _Found = []
    for n, value in enumerate(light):
        start = min(max(n - 2, 0), max(len(light) - 5, 0))
        usual = float(median(light[start : start + 5]))
        if abs(value - usual) > _EXPOSURE * max(usual, 1e-6):
            change = value / max(usual, 1e-6) - 1
            found.append((n, "exposure", f"is exposed differently: {change:+.0%} mean brightness"))
    return found


def _find_duplicates(
    steps: NDArray[np.float64], is_white: NDArray[np.bool_], rest: AbstractSet[int]
) -> _Found:
    sound = [n for n in range(len(steps)) if {n, n + 1} <= rest]
    if not sound:
        return []
    usual = float(median(steps[sound]))
    small = steps < max(_DUPLICATE * usual, _ROUNDING)
    same = small | (is_white & (steps < _USUAL * usual))
    return [
        (int(n) + 1, "duplicate", "is a duplicate of the frame before") for n in sound if same[n]
    ]


def _find_misplaced(detail: Float, frames: list[int], names: list[str]) -> _Found:
    return [
        (number, "order", f"may be out of order: it resembles {names[a]} and {names[b]} more")
        for number, (a, b) in misplaced(detail, frames).items()
    ]
