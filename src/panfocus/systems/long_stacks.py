"""A decision between more frames than are compared at once.

Candidates are named over *all* frames, so that a place is looked at closely once, however many
frames were sharper there than those before: by the scout (`panfocus.systems.scout`), and before a
plain ground, as bright field has it, by the network itself on small frames.

Where more frames meet than are compared at once, they do in rounds: groups of neighbours are
decided between, the winner of each, mixed by its weights, meets the winners of the others, until
one group is left. A frame's weight is the product of what it has in its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.ranks import winners
from panfocus.arrays.regions import regions
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.arbiter.evidence import seen_of
from panfocus.systems.between_scales import Arbitrates
from panfocus.systems.candidates import BLOCK, REDUCTION, SIDE, Rule, reduced
from panfocus.systems.candidates import named as named_by_weights
from panfocus.systems.card import Card
from panfocus.systems.closer import Look
from panfocus.systems.coarse_to_fine import (
    AT_ONCE,
    SMALL_AT_ONCE,
    Decide,
    around,
    small_weights,
    without_least,
)
from panfocus.systems.intensity import Stretch
from panfocus.systems.scout import Shares, evidence, has_plain_ground, named, only_named
from panfocus.systems.second_look import FirstDecision, SecondLook
from panfocus.systems.twins import leave_one

#: Frames that meet in a group, and at most in the last round. MEASURED: among more,
#: their weights say less (docs/decisions/0022).
GROUP = 5
LAST = 6
#: Context of a tile, pixels: less than of few frames, as a third of what is read is context.
#: MEASURED: twice as much gains 0 to .05 dB.
HALO = 8
FADE = 6
#: What names a frame of many by weights of small frames: these are products and therefore clearer,
#: and more depths may meet in a tile.
OF_MANY = Rule(weight=0.2, share=0.6, most=12)


@dataclass(frozen=True)
class ManyWeights:
    """Weights of many frames, in 8 bit: most are none.

    Attributes:
        shares: ``(N, h, w)`` uint8, of 255.
        guess: of the first look, ``(N, h / 8, w / 8)``.
    """

    shares: NDArray[np.uint8]
    guess: Float

    @cached_property
    def _has_some(self) -> list[bool]:
        """Which frames have any share."""
        return [bool(share.any()) for share in self.shares]

    def __len__(self) -> int:
        """How many frames."""
        return len(self.shares)

    def parts(self, size: int, *, first: int = 0) -> Iterator[tuple[Float, NDArray[np.bool_]]]:
        """Yield weights of `size` frames after the other, ``(n, h, w)``, that sum to 1.

        And where none of these frames has any share of the whole, ``(h, w)``.

        The weight of all frames before them is put first, if there are any. Where none of all these
        has any share, the best of them by the first look has it. Weights are written over when
        the next are asked for: large arrays that are made anew cost as much as what is done here.

        Args:
            size: frames of a part, the last may be less.
            first: frame that the first part begins with.
        """
        before = self._summed(range(first)) if first else None
        room = np.empty((min(size, len(self)) + 1, *self.shares.shape[1:]), np.float32)
        for start in range(first, len(self), size):
            stop = min(start + size, len(self))
            total = self._summed(range(start, stop))
            total = total if before is None else before + total
            yield self._part(room, range(start, stop), before, total.copy())
            before = total

    def _part(
        self, room: Float, frames: range, before: Float | None, total: Float
    ) -> tuple[Float, NDArray[np.bool_]]:
        """Return weights of frames beside what all before them have.

        They are written to `room`, ``(N, h, w)``, and `total` of all is changed.
        """
        start, stop = frames.start, frames.stop
        own = room[: len(frames) + (before is not None)]
        has_some = [True] * (before is not None) + self._has_some[start:stop]
        own[len(own) - len(frames) :] = self.shares[start:stop]
        if before is not None:
            own[0] = before
        empty = total == 0
        if empty.any():
            best, _ = winners(self.guess[:stop])
            size = empty.shape[1], empty.shape[0]
            large = cv2.resize(best, size, interpolation=cv2.INTER_NEAREST)
            numbers = large if before is None else np.maximum(large, start - 1) - (start - 1)
            for n in range(len(own)):
                own[n] += empty & (numbers == n)
            total += empty
            has_some = [True] * len(own)
        for part, some in zip(own, has_some, strict=True):
            if some:
                np.divide(part, total, out=part)
        return own, empty

    def _summed(self, frames: range) -> Float:
        """Return the sum of some frames' shares, of which 65536 / 255 may be, exactly."""
        total = np.zeros(self.shares.shape[1:], np.uint16)
        for n in frames:
            if self._has_some[n]:
                cv2.add(total, self.shares[n], total, dtype=cv2.CV_16U)
        return total.astype(np.float32)


def decided(
    frames: Sequence[Pixels],
    decide: Decide,
    scout: Shares,
    *,
    card: Card,
    stretch: Stretch | None = None,
    threads: int,
    arbiter: Arbitrates | None = None,
) -> ManyWeights:
    """Return the weights of frames ``(h, w, C)``, all of one shape.

    Args:
        frames: at least 2.
        decide: the network; may be called from several threads.
        scout: what names candidates.
        card: of the network.
        stretch: what is done to the frames' brightness first; None for nothing.
        threads: tiles decided at the same time.
        arbiter: says where to follow a reduced scale; None for nowhere.
    """
    height, width = frames[0].shape[:2]
    with ThreadPoolExecutor(threads) as pool:
        measures = np.stack(list(pool.map(partial(evidence, stretch=stretch), frames)))
        if has_plain_ground(measures):
            first = _by_rounds(
                frames, measures, partial(_small, decide=decide, card=card), pool.map
            )
        else:
            first = _by_scout(measures, scout, pool.map)
        # most frames have none: of their maps no memory is touched
        shares = np.zeros((len(frames), height, width), np.uint8)
        whole = slice(0, height), slice(0, width)
        for share, weight in zip(shares, first.weights, strict=True):
            if weight.any():
                share[...] = _bytes(enlarged(weight, first.scale, whole))
        look = Look(
            frames,
            decide=lambda seen: _rounds(seen, lambda some: decide(np.stack(some))),
            before=lambda n, tile: _bytes(enlarged(first.weights[n], first.scale, tile)),
            context=around(card, HALO, FADE),
        )
        found = regions(first.candidates, SIDE, (height, width), look.context, AT_ONCE)
        for change in pool.map(look.at, found):
            for n, more in zip(change.frames, change.weights, strict=True):
                share = shares[n][change.tile]
                np.clip(np.rint(share + more), 0, 255, out=share, casting="unsafe")
        if arbiter is not None:
            second = SecondLook(
                lambda some: _rounds(some, partial(_small, decide=decide, card=card)),
                arbiter,
                partial(seen_of, stretch=stretch),
            )
            known = FirstDecision(first.weights, first.scale, first.candidates, measures[:, 3])
            second.mend(frames, shares, known, pool.map)
    return ManyWeights(shares, first.guess)


def _bytes(weights: Float) -> NDArray[np.uint8]:
    """Return weights as shares of 255."""
    return np.asarray(cv2.convertScaleAbs(weights, alpha=255), np.uint8)


class _FirstLook(NamedTuple):
    """What is known before a closer look at frames ``(h, w)``.

    Attributes:
        weights: ``(N, h / scale, w / scale)``, summing to 1 over N.
        candidates: who is looked at in which tile, ``(N, rows, columns)``.
        scale: pixels of a frame to one of the weights, along each axis.
        guess: weights of all frames, also of those that are not looked at.
    """

    weights: Float
    candidates: NDArray[np.bool_]
    scale: int
    guess: Float


def _by_scout(
    measures: Float, scout: Shares, run_all: Callable[..., Iterable[Float]]
) -> _FirstLook:
    guess = scout(measures, run_all)
    candidates = named(guess, measures[:, 0])
    return _FirstLook(only_named(guess, candidates), candidates, BLOCK, guess)


def _by_rounds(
    frames: Sequence[Pixels],
    measures: Float,
    meet: Callable[[Sequence[Pixels]], Float],
    run_all: Callable[..., Iterable[Float]],
) -> _FirstLook:
    guess = _rounds(list(run_all(reduced, frames)), meet, run_all)
    weights = without_least(guess)
    candidates = named_by_weights(weights, measures[:, 0], OF_MANY)
    leave_one(frames, candidates, weights, measures[:, 0], HALO)
    return _FirstLook(weights, candidates, REDUCTION, guess)


def _small(frames: Sequence[Pixels], *, decide: Decide, card: Card) -> Float:
    return small_weights(np.stack(frames), decide, card, SMALL_AT_ONCE // 2)


def _rounds(
    frames: Sequence[Pixels],
    meet: Callable[[Sequence[Pixels]], Float],
    meet_all: Callable[..., Iterable[Float]] = map,
) -> Float:
    """Return weights ``(N, h, w)`` of frames ``(h, w, C)``, from as many rounds as it takes.

    Args:
        frames: neighbours side by side.
        meet: returns weights of a few.
        meet_all: lets several groups meet, as `map` does.
    """
    if len(frames) <= LAST:
        return meet(frames)
    bounds = np.linspace(0, len(frames), -(-len(frames) // GROUP) + 1).astype(int).tolist()
    groups = [frames[a:b] for a, b in pairwise(bounds)]
    weights = list(meet_all(meet, groups))
    won = [_mixed(*both) for both in zip(groups, weights, strict=True)]
    finals = _rounds(won, meet, meet_all)
    return np.concatenate([w * final for w, final in zip(weights, finals, strict=True)])


def _mixed(small: Sequence[Pixels], weights: Float) -> Pixels:
    """Return what a group shows by its weights, ``(h, w, C)``, numbers as its frames have them."""
    out = np.zeros(small[0].shape, np.float32)
    for frame, weight in zip(small, weights, strict=True):
        out += frame * weight[..., None]
    dtype = small[0].dtype
    return out if dtype == np.float32 else np.rint(out).astype(dtype)
