"""Reduce N frames with a system, one pass, with memory that does not grow with N.

A fold turns frames into *alphas*: for every frame the weight it takes against everything before
it. Mixing frame after frame by these equals the weighted sum over all frames (`blend.chain`), so
a running picture and one new frame are all that is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.ranks import winners
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.blend import chain_with_sums
from panfocus.fusion.decision import Decision, Fold
from panfocus.fusion.evidence_fold import EvidenceFold
from panfocus.fusion.held import PART, Again, Held
from panfocus.fusion.translucency import Preference
from panfocus.resources.spare import OF_FRAMES
from panfocus.systems import System
from panfocus.systems.checks import checked_weights
from panfocus.systems.traits import at_once, decide_many, measures_alone, takes_native

if TYPE_CHECKING:
    from panfocus.guard.guard import Guard
    from panfocus.guard.spot_watch import SpotWatch
    from panfocus.systems.long_stacks import ManyWeights

Operand = Literal["fused", "best"]


class DecisionFold:
    """The fold of systems that compare frames with each other, `group` of them at a time.

    The first place of every later group goes to what was fused so far, so that a system for two
    frames folds any number, and a system for any number sees as many at once as memory allows.
    """

    def __init__(
        self,
        system: System,
        factor: int,
        *,
        group: int = 2,
        operand: Operand = "best",
        guard: Guard | None = None,
        many: int = 0,
        again: Again | None = None,
    ) -> None:
        """Set up.

        Args:
            system: decides between up to `group` frames.
            factor: of the working scale.
            group: frames per decision, >= 2.
            operand: what stands for the frames so far: their "fused" picture, or the "best"
                source pixel of each place.
            guard: gives a second opinion on every decision; None to take them as they are.
            many: frames that may be held where the system compares many.
            again: reads those that are mixed a second time; None to hold them.
        """
        self._guard = guard
        self._system = system
        self._factor = factor
        self._native = takes_native(system) and operand == "best"
        self._group = group
        self._operand: Operand = operand
        self._held: list[Held] = []
        self._most = max(many, group)
        self._again = again
        self._so_far: Pixels | None = None
        self._margin: Float | None = None

    def push(self, frame: Frame) -> Iterator[Decision]:
        """Hold the frame until the group is full, then yield a decision for each."""
        self._held.append(self._hold(frame))
        if len(self._held) + (self._so_far is not None) == self._most:
            yield from self._decide()

    def _hold(self, frame: Frame) -> Held:
        again = self._again is not None
        return Held.of(frame, self._factor, is_native=self._native, is_read_again=again)

    def finish(self) -> Iterator[Decision]:
        """Decide about what is still held."""
        if self._held:
            yield from self._decide()

    def _decide(self) -> Iterator[Decision]:
        held, self._held = self._held, []
        if len(held) + (self._so_far is not None) > self._group:
            OF_FRAMES.let_go()  # it would lie beside the network's
            many = decide_many(self._system, self._pictures(held))
            if many is not None:
                yield from self._decide_by(many, held)
                return
        while held:
            count = self._group - (self._so_far is not None)
            part, held = held[:count], held[count:]
            yield from self._decide_group(part)

    def _decide_by(self, many: ManyWeights, held: list[Held]) -> Iterator[Decision]:
        """Yield a decision for each of the frames, by weights over all of them."""
        for weights, empty in many.parts(PART, first=int(self._so_far is not None)):
            part, held = held[:PART], held[PART:]
            yield from self._settle(part, self._pictures(part), weights, empty)

    def _decide_group(self, held: list[Held]) -> Iterator[Decision]:
        stack = self._stack(held)
        few = at_once(self._system, stack)
        if few >= len(stack):
            yield from self._decide_between(held, stack)
            return
        del stack
        while held:
            count = few - (self._so_far is not None)
            part, held = held[:count], held[count:]
            yield from self._decide_between(part, self._stack(part))

    def _decide_between(self, held: list[Held], stack: Any) -> Iterator[Decision]:  # noqa: ANN401
        """Yield a decision for each of the frames; `stack` has what was fused so far, and them."""
        if len(stack) == 1:
            weights = np.ones(stack.shape[:3], np.float32)
        else:
            decided = self._system.decide(stack)
            weights = checked_weights(decided, stack.shape[:3], self._system.card.name)
        yield from self._settle(held, stack, weights)

    def _settle(
        self,
        held: list[Held],
        stack: Any,  # noqa: ANN401  as above, or a list of its frames
        weights: Float,
        empty: NDArray[np.bool_] | None = None,
    ) -> Iterator[Decision]:
        """Yield a decision for each of the frames by their weights, mended where that is needed.

        Where `empty` says that others will win nothing is mixed, unless it was mended. Weights that
        come with it are the fold's own, and are written to.
        """
        is_own = empty is not None
        first = self._so_far is None
        if len(stack) > 1:
            if self._guard:
                shown = [one.shown for one in held]
                shown = shown if first else [None, *shown]
                mended = self._guard.check(stack, weights, first=first, shown=shown)
                empty = empty if mended is weights else None
                weights = mended
            weights = self._opaque(weights, held, first=first, is_own=is_own)
        best, margin = winners(weights)
        self._so_far = self._reduce(stack, weights, best)
        del stack  # large, and not needed while frames are mixed
        if self._margin is not None:  # not above what it was where the earlier winner stays
            margin = np.where(best == 0, np.minimum(margin, self._margin), margin)
        self._margin = margin
        if empty is not None:
            np.multiply(weights, (~empty).astype(np.float32), out=weights)
        alphas = chain_with_sums(weights)
        if not first:
            next(alphas)
        kept = self._guard.kept if self._guard else None
        for one, (alpha, left) in zip(held, alphas, strict=True):
            frame = one.frame(self._again, is_mixed=bool(alpha.any()))
            yield Decision(frame, alpha, kept=kept, left=left, seen=one.picture)

    def _pictures(self, held: list[Held]) -> list[Pixels]:
        """Return what is decided between, each ``(h, w, C)``; what was fused so far is first."""
        so_far = [] if self._so_far is None else [self._so_far]
        return [*so_far, *(one.picture for one in held)]

    def _stack(self, held: list[Held]) -> Any:  # noqa: ANN401  what the system takes, see `traits`
        return np.stack(self._pictures(held))

    def margin(self) -> Float:
        """Return the winner's weight less the second's, of the last decision at each place.

        Where the guard decided there is less of it.
        """
        assert self._margin is not None
        remains = self._guard.confidence() if self._guard else None
        return self._margin if remains is None else self._margin * remains

    def depth(self) -> Float | None:
        """Weights do not tell fractions."""
        return None

    def _opaque(self, weights: Float, held: list[Held], *, first: bool, is_own: bool) -> Float:
        """Take weight from where a frame is transparent; weights of our own are changed."""
        rest: Float | None = None
        for n, one in enumerate(held, start=0 if first else 1):
            opacity = one.opacity
            if opacity is not None:
                if rest is None and not is_own:
                    weights, is_own = weights.copy(), True  # a system may keep what it gave
                weights[n] *= opacity
                # where nobody has weight left, the first frame that is opaque enough stands in
                rest = np.zeros_like(weights) if rest is None else rest
                rest[n] = opacity - 1
        empty = weights.sum(axis=0) <= 1e-6
        if rest is not None and empty.any():
            standing = rest.argmax(axis=0)
            weights += empty & (np.arange(len(weights))[:, None, None] == standing)
        total = np.maximum(weights.sum(axis=0), np.float32(1e-6))
        return np.divide(weights, total, out=weights if is_own else None)

    def _reduce(self, stack: Pixels, weights: Float, best: NDArray[np.uint16]) -> Pixels:
        if self._operand == "fused":
            return np.einsum("nhwc,nhw->hwc", stack, weights).astype(np.float32)
        out = stack[0].copy()
        for n, frame in enumerate(stack[1:], start=1):
            cv2.copyTo(frame, (best == n).astype(np.uint8), out)
        return out


def make_fold(
    system: System,
    factor: int,
    *,
    group: int | None = None,
    operand: Operand = "best",
    wants_depth: bool = False,
    prefer: Preference | None = None,
    guard: Guard | None = None,
    watch: SpotWatch | None = None,
    many: int = 0,
    again: Again | None = None,
) -> Fold:
    """Return the fold that fits a system.

    Args:
        system: any system that decides.
        factor: of the working scale, >= 1.
        group: frames that may be held at once; None for the system's own number.
        operand: see `DecisionFold`.
        wants_depth: whether depth with fractions of a frame will be asked for.
        prefer: see `EvidenceFold`.
        guard: see `DecisionFold`.
        watch: see `EvidenceFold`.
        many: see `DecisionFold`.
        again: see `DecisionFold`.
    """
    if measures_alone(system):
        return EvidenceFold(system, factor, wants_depth=wants_depth, prefer=prefer, watch=watch)
    limit = system.card.max_frames
    wanted = group or limit or 8
    group = min(wanted, limit) if limit else wanted
    return DecisionFold(
        system, factor, group=group, operand=operand, guard=guard, many=many, again=again
    )


#: Pixels whose detail is measured at once.
_BAND = 1 << 17


def sharpness(grey: Pixels) -> float:
    """Return the mean absolute Laplacian of the luminance ``(H, W)``, as a share of white."""
    depth = cv2.CV_16S if grey.dtype == np.uint8 else cv2.CV_32F
    height, width = grey.shape
    step = max(_BAND // width, 1)
    total = 0.0
    for top in range(0, height, step):  # in bands that stay in the processor's cache
        first, last = max(top - 1, 0), min(top + step + 1, height)
        band = cv2.Laplacian(grey[first:last], depth)
        total += cv2.norm(band[top - first : top - first + step], cv2.NORM_L1)
    return float(total) / grey.size / white(grey.dtype)


def upsample(image: Float, height: int, width: int) -> NDArray[np.float32]:
    """Bring a map of the working scale to full scale, bilinear; ``(h, w)`` to ``(H, W)``."""
    if image.shape == (height, width):
        return image
    large = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
