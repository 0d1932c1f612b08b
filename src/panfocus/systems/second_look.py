"""A second look at a long stack, at a reduced scale, where two looks at full scale disagree.

What decides sees some tens of pixels around a place. Beside things that are out of focus by more
than that, as the first frame of a long stack is where the last is sharp, it takes a veil for a
smooth surface. The scout, who sees coarse detail of many blocks, is seldom wrong there. Where what
was decided is brighter or darker over some blocks than by the scout, as beside such a veil, those
who were named are decided between at the reduced scale, too, and an arbiter says which scale to
follow, as it does with few frames (`panfocus.systems.coarse_to_fine`). Elsewhere nothing is looked
at twice: frames that are equally sharp are equally bright.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged, scaled
from panfocus.arrays.pixels import shrink
from panfocus.arrays.regions import CandidateTile, Context, regions
from panfocus.arrays.tiles import Window
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.systems.between_scales import DISSENT, Arbitrates
from panfocus.systems.candidates import BLOCK, REDUCTION, SIDE, reduced
from panfocus.systems.coarse_to_fine import without_least

#: By how much a block must be brighter or darker to count, share of white, and how many blocks of a
#: tile must. MEASURED (docs/decisions/0044): with blurs up to 12 pixels it is one tile in ten, with
#: 48 a half.
_APART, _MANY = 0.02, 4
#: What a tile is read with, pixels of full scale: 24 of the reduced one.
_CONTEXT = Context(96, 16 * REDUCTION, 32)
#: Samples (pixels times frames) of full scale that are read at once.
_AT_ONCE = 3_000_000


class FirstDecision(NamedTuple):
    """What was known before the closer look.

    Attributes:
        weights: of the first look, ``(N, h / scale, w / scale)``.
        scale: pixels of a frame to one of these, along each axis.
        named: who was looked at in which tile, ``(N, rows, columns)``.
        luminance: of blocks, ``(N, h / 8, w / 8)`` rounded up.
    """

    weights: Float
    scale: int
    named: NDArray[np.bool_]
    luminance: Float

    def told(self, number: int, area: Tile, shape: tuple[int, ...]) -> Float:
        """Return a frame's weights in an area of full scale, at the reduced one, ``(h, w)``."""
        rows, columns = (
            slice(span.start // REDUCTION, span.start // REDUCTION + side)
            for span, side in zip(area, shape, strict=True)
        )
        return enlarged(self.weights[number], self.scale // REDUCTION, (rows, columns))


class _Answer(NamedTuple):
    """What the second look says of a rectangle.

    Attributes:
        frames: numbers of those that were looked at.
        window: its place, and what was read.
        share: what it has a say in, ``(h, w)`` in [0, 1].
        follow: how far it is followed, at the reduced scale of what was read.
        weights: its decision, the same scale, ``(n, h / 4, w / 4)``.
    """

    frames: list[int]
    window: Window
    share: Float
    follow: Float
    weights: Float


@dataclass(frozen=True)
class SecondLook:
    """How a long stack is looked at a second time; may be used by several threads.

    Attributes:
        meet: decides between a few reduced frames.
        arbiter: says how far to follow that.
        seen: what the arbiter keeps of a frame.
    """

    meet: Callable[[Sequence[Pixels]], Float]
    arbiter: Arbitrates
    seen: Callable[[Pixels], Float]

    def mend(
        self,
        frames: Sequence[Pixels],
        shares: NDArray[np.uint8],
        known: FirstDecision,
        run_all: Callable[..., Iterable[Any]] = map,
    ) -> None:
        """Change shares of 255, ``(N, h, w)``, where the reduced scale is to be followed.

        Args:
            frames: each ``(h, w, C)``.
            shares: what the closer look made of `known`.
            known: what was known before.
            run_all: lets several be looked at at the same time, as `map` does.
        """
        height, width = frames[0].shape[:2]
        places = doubted(shares, known)
        found = regions(known.named & places, SIDE, (height, width), _CONTEXT, _AT_ONCE)
        # all are asked before anything changes: what one sees is not what another has mended
        for answer in list(run_all(partial(self._asked, frames, shares, known), found)):
            if answer is not None:
                _follow(shares, answer)

    def _asked(
        self,
        frames: Sequence[Pixels],
        shares: NDArray[np.uint8],
        known: FirstDecision,
        region: CandidateTile,
    ) -> _Answer | None:
        height, width = frames[0].shape[:2]
        window, share = region.window(height, width, _CONTEXT)
        chosen = sorted(region.frames)
        fine = np.stack([shrink(shares[n][window.read], REDUCTION) for n in chosen])
        fine = fine.astype(np.float32)
        total = fine.sum(axis=0)
        fine = np.where(total > 0, fine / np.maximum(total, 1), np.float32(1 / len(chosen)))
        parts = [frames[n][window.read] for n in chosen]
        first = np.stack([known.told(n, window.read, total.shape) for n in chosen])
        coarse = without_least(self.meet([reduced(part) for part in parts]))
        if (np.abs(fine - coarse).sum(axis=0) / 2).max() < DISSENT:
            return None
        follow = self.arbiter(np.stack([self.seen(part) for part in parts]), fine, coarse, first)
        return _Answer(chosen, window, share, follow, coarse)


def doubted(shares: NDArray[np.uint8], known: FirstDecision) -> NDArray[np.bool_]:
    """Return in which tiles the closer look and the first differ visibly, ``(rows, columns)``.

    Args:
        shares: of 255, of the closer look, ``(N, h, w)``.
        known: what was known before.
    """
    out = np.zeros(known.named.shape[1:], np.bool_)
    height, width = (side // BLOCK for side in shares.shape[1:])
    for row, column in zip(*(known.named.sum(axis=0) > 1).nonzero(), strict=True):
        area = (
            slice(row * SIDE // BLOCK, min((row + 1) * SIDE // BLOCK, height)),
            slice(column * SIDE // BLOCK, min((column + 1) * SIDE // BLOCK, width)),
        )
        if any(span.start >= span.stop for span in area):
            continue  # less than a block at the picture's end
        named = known.named[:, row, column].nonzero()[0]
        now = np.stack([shrink(shares[n][scaled(area, BLOCK)], BLOCK) for n in named])
        closer = scaled(area, BLOCK // known.scale)
        before = np.stack([shrink(known.weights[n][closer], BLOCK // known.scale) for n in named])
        light = np.stack([known.luminance[n][area] for n in named])
        away = _shown(light, now.astype(np.float32)) - _shown(light, before)
        out[row, column] = np.count_nonzero(np.abs(away) > _APART) >= _MANY
    return out


def _shown(luminances: Float, weights: Float) -> Float:
    """Return the luminance ``(a, b)`` that frames show by their weights, both ``(N, a, b)``."""
    total = np.maximum(weights.sum(axis=0), np.float32(1e-3))
    return np.einsum("nhw,nhw->hw", luminances, weights) / total


def _follow(shares: NDArray[np.uint8], answer: _Answer) -> None:
    """Change shares as far as an answer is followed."""
    core, inner = answer.window.core, answer.window.inner
    follow = enlarged(answer.follow, REDUCTION, inner) * answer.share
    held = [shares[n][core] for n in answer.frames]
    total = np.sum(held, axis=0, dtype=np.float32)
    for weight, share in zip(answer.weights, held, strict=True):
        change = enlarged(weight, REDUCTION, inner) * total
        change -= share
        change *= follow
        change += share
        np.clip(np.rint(change), 0, 255, out=share, casting="unsafe")
