"""What is followed where a decision at full scale and one at a reduced scale differ.

An arbiter (`panfocus.systems.arbiter`) says so: blurs that are wider than what the network sees
around a place are narrower at the reduced scale. The scout (`panfocus.systems.scout`) is its
witness. And discs of lights give way to their points (`panfocus.systems.lights`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged, scaled
from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.systems import lights
from panfocus.systems.arbiter.evidence import levels_of, seen_of
from panfocus.systems.arbiter.witness import needs_witness
from panfocus.systems.candidates import BLOCK, REDUCTION
from panfocus.systems.intensity import Stretch
from panfocus.systems.scout import Shares, measured

#: How far both scales must differ somewhere for an arbiter to be asked, share of all weight.
DISSENT = 0.2

#: Runs a function on all of several things, as `map` does.
RunAll = Callable[..., Iterable[Any]]


class Arbitrates(Protocol):
    """What says how far to follow the reduced scale, as `panfocus.systems.arbiter.Arbiter` does."""

    def __call__(self, seen: Float, fine: Float, coarse: Float, witness: Float | None) -> Float:
        """Return the share of the reduced scale, ``(h, w)``."""
        ...


class BothScales(NamedTuple):
    """What is decided at both scales.

    Attributes:
        fine: where frames compete at full scale, and else the reduced scale's, ``(N, H, W)``.
        coarse: at the reduced scale, ``(N, H // 4, W // 4)``.
        details: energy of the finest detail of blocks, ``(N, H / 8, W / 8)`` rounded up.
    """

    fine: Float
    coarse: Float
    details: Float


def settle(
    both: BothScales,
    frames: Pixels,
    arbiter: Arbitrates,
    scout: Shares | None,
    *,
    stretch: Stretch | None,
    run_all: RunAll,
) -> None:
    """Follow the reduced scale where the arbiter does; weights at full scale are changed.

    Args:
        both: what is decided at both.
        frames: ``(N, H, W, C)``.
        arbiter: says where to follow.
        scout: its witness; None for none.
        stretch: what is done to the frames' brightness; None for nothing.
        run_all: lets several be looked at at the same time.
    """
    fine = _reduced(both.fine, run_all)
    if _dissent(fine, both.coarse) < DISSENT:
        return
    seen = np.stack(list(run_all(partial(seen_of, stretch=stretch), frames)))
    told: Float | None = None
    if scout is not None and needs_witness(seen[:, 0], fine, both.coarse):
        small = slice(0, fine.shape[1]), slice(0, fine.shape[2])
        measures = np.stack(list(run_all(partial(measured, stretch=stretch), frames, both.details)))
        told = np.stack([enlarged(s, BLOCK // REDUCTION, small) for s in scout(measures, run_all)])
    share = arbiter(seen, fine, both.coarse, told)
    discs = _Discs(both.fine, both.coarse, _levels(frames, stretch))
    found = discs.found(seen[:, 0], fine, hidden=True)
    share = share if found is None else np.maximum(share, found)
    _follow(both.fine, both.coarse, share, run_all)


def follow_points(
    weights: Float, coarse: Float, frames: Pixels, stretch: Stretch | None, run_all: RunAll = map
) -> None:
    """Follow the reduced scale where it shows the points of lights, and the full scale discs.

    Args:
        weights: by the full scale, ``(N, H, W)``, which are changed.
        coarse: by the reduced scale, ``(N, H // 4, W // 4)``.
        frames: ``(N, H, W, C)``.
        stretch: what is done to their brightness; None for nothing.
        run_all: lets several be looked at at the same time.
    """
    fine = _reduced(weights, run_all)
    if _dissent(fine, coarse) < DISSENT:
        return
    levels = _levels(frames, stretch)
    whole = slice(None), slice(None)
    small = np.stack([shrink(levels(n, whole), REDUCTION) for n in range(len(frames))])
    found = _Discs(weights, coarse, levels).found(small, fine, hidden=False)
    if found is not None:
        _follow(weights, coarse, found, run_all)


def _levels(frames: Pixels, stretch: Stretch | None) -> Callable[[int, Tile], Float]:
    """Return what tells the luminance of a frame in a tile."""

    def levels(n: int, area: Tile) -> Float:
        return levels_of(frames[n][area], stretch)

    return levels


def _reduced(weights: Float, run_all: RunAll) -> Float:
    return np.stack(list(run_all(partial(shrink, factor=REDUCTION), weights)))


def _dissent(fine: Float, coarse: Float) -> float:
    """Return how far both differ where they do the most, share of all weight."""
    return float((np.abs(fine - coarse).sum(axis=0) / 2).max())


def _follow(weights: Float, coarse: Float, share: Float, run_all: RunAll) -> None:
    """Change weights at full scale ``(N, H, W)`` to those of the reduced one, as far as told."""
    whole = slice(0, weights.shape[1]), slice(0, weights.shape[2])
    followed = enlarged(share, REDUCTION, whole)

    def follow(n: int) -> None:
        change = enlarged(coarse[n], REDUCTION, whole)
        change -= weights[n]
        change *= followed
        weights[n] += change

    for _ in run_all(follow, range(len(weights))):
        pass


class _Discs(NamedTuple):
    """Where the full scale takes discs of lights for sharp, and the reduced scale does not.

    Attributes:
        weights: by the full scale, ``(N, H, W)``.
        coarse: by the reduced scale, ``(N, h, w)``.
        levels: luminance of a frame in a tile of full scale.
    """

    weights: Float
    coarse: Float
    levels: Callable[[int, Tile], Float]

    def found(self, luminances: Float, fine: Float, *, hidden: bool) -> Float | None:
        """Return it, ``(h, w)``; None for nowhere.

        Args:
            luminances: of the frames at the reduced scale, ``(N, h, w)``.
            fine: weights by the full scale, brought to the reduced one, the same.
            hidden: see `panfocus.systems.lights.gathered`.
        """
        closer, small = (np.einsum("nhw,nhw->hw", each, luminances) for each in (fine, self.coarse))
        return lights.gathered(closer, small, self._brightest, hidden=hidden)

    def _brightest(self, tile: Tile, mask: NDArray[np.bool_]) -> tuple[float, float]:
        area = scaled(tile, REDUCTION)
        own = np.kron(mask, np.ones((REDUCTION, REDUCTION), np.bool_))
        closer, small = np.zeros(own.shape, np.float32), np.zeros(own.shape, np.float32)
        for n, weights in enumerate(self.weights):
            grey = self.levels(n, area)
            closer += weights[area] * grey
            small += enlarged(self.coarse[n], REDUCTION, area) * grey
        return float(closer[own].max()), float(small[own].max())
