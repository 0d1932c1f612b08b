"""Decisions of a reduced scale, brought to full scale where frames compete.

What is decided small knows no more of a boundary than a pixel of that scale does. Around such
places a refiner (`panfocus.systems.refiner`) looks at what was fused so far and at the frame that
is mixed in, both at full scale, and changes the weight. Cells that are clear are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.ground import Ground
from panfocus.arrays.pixels import floats, luminance
from panfocus.arrays.regions import Context, regions
from panfocus.arrays.tiles import Window
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.frozen import frozen
from panfocus.fusion.decision import Decision
from panfocus.systems import System, traits
from panfocus.systems.intensity import Stretch

#: Side of a cell, pixels of full scale, about.
CELL = 48
#: Pixels of context around what is looked at, less than an answer depends on (MEASURED: nothing
#: is gained by more), and over how many of them a part gives way to what is beside it.
HALO = 4
FADE = 4
#: Pixels that are looked at at once, memory of some 16 MiB.
AT_ONCE = 100_000
#: Weights that are not clear, and what must be left of them under later frames to be looked at.
#: MEASURED (docs/decisions/0041).
_UNCLEAR = 0.2
_LEFT = 0.2
#: How far a weight may change, by how unclear it is: ``w (1 - w)`` times this, at most all. No
#: boundary goes further than a pixel of the working scale: beside wide blurs the refiner, which
#: sees little around, would follow their fringes.
_OPEN = 40.0
#: Luminance of lights, by how much both pictures differ there, and how far around them weights stay
#: as they were decided, pixels. MEASURED (docs/decisions/0041).
LIT, APART = 0.8, 0.25
_ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
#: Difference of luminance at the working scale from which on a choice can be seen, share of white.
_SEEN = 6 / 255
#: Difference of a softened weight from what was decided that shows that only noise tells frames
#: apart there, and how far around such places nothing is refined, pixels of the working scale.
_SOFTENED = 0.02
_AROUND_NOISE = np.ones((13, 13), np.uint8)
_BESIDE = np.ones((3, 3), np.uint8)


class Refines(Protocol):
    """What refines weights, as `panfocus.systems.refiner.Refiner` does."""

    def __call__(self, below: Float, above: Float, weight: Float) -> Float:
        """Return the weight ``(h, w)`` of two luminances and a weight, all of them in [0, 1]."""
        ...


@frozen
class WeightChange:
    """By how much a weight changes in a part of the picture.

    Attributes:
        part: rows and columns of full scale.
        by: ``(h, w)`` in [-1, 1].
    """

    part: Tile
    by: Float


class WeightChanges:
    """By how much the weights of one decision change."""

    def __init__(self, changes: Iterable[WeightChange], cell: int) -> None:
        """Take changes; where several meet they are added."""
        self._cell = cell
        self._of: dict[tuple[int, int], list[WeightChange]] = {}
        for change in changes:
            rows, columns = change.part
            for top in range(rows.start // cell, -(-rows.stop // cell)):
                for left in range(columns.start // cell, -(-columns.stop // cell)):
                    self._of.setdefault((top, left), []).append(change)

    def within(self, tile: Tile) -> list[WeightChange]:
        """Return those that touch a tile, each once."""
        rows, columns = (
            range(span.start // self._cell, -(-span.stop // self._cell)) for span in tile
        )
        found = (one for top in rows for left in columns for one in self._of.get((top, left), ()))
        return list({id(one): one for one in found}.values())


def changed(weights: Float, tile: Tile, changes: Iterable[WeightChange]) -> Float:
    """Return the weights ``(h, w)`` of a tile, changed."""
    out = weights.copy()
    for change in changes:
        shared = [
            slice(max(one.start, other.start), min(one.stop, other.stop))
            for one, other in zip(tile, change.part, strict=True)
        ]
        part = (shared[0], shared[1])
        if min(span.stop - span.start for span in part) <= 0:  # the same cell, and yet apart
            continue
        out[_inner(tile, part)] += change.by[_inner(change.part, part)]
    return np.clip(out, 0, 1, out=out)


class Boundaries:
    """Refines the decisions of one fusion."""

    def __init__(self, refine: Refines, factor: int, *, in_the_dark: bool = False) -> None:
        """Set up.

        Args:
            refine: see `Refines`.
            factor: of the working scale, at least 2.
            in_the_dark: whether frames with a dark ground are refined: where a guard keeps the
                faint spots that may be there.
        """
        self._refine = refine
        self._factor = factor
        self._in_the_dark = in_the_dark
        self.cell = max(round(CELL / (2 * factor)), 1) * 2 * factor
        self._small: Float | None = None
        self._is_first = True
        self._stretch: Stretch | None = None

    @classmethod
    def of(cls, system: System, factor: int, *, is_guarded: bool) -> Self | None:
        """Return what refines a system's decisions; None at full scale, or where nothing may."""
        refine = None if factor == 1 else traits.refiner(system)
        return None if refine is None else cls(refine, factor, in_the_dark=is_guarded)

    def changes(
        self,
        decision: Decision,
        picture: Pixels,
        made: Callable[[Tile], None],
        run_all: Callable[..., Iterable[WeightChange]] = map,
    ) -> WeightChanges:
        """Return by how much a decision's weights change.

        Args:
            decision: of the frame that is mixed in.
            picture: ``(H, W[, C])``, what was fused so far.
            made: sees to it that a part of it is made.
            run_all: lets parts be looked at at the same time, as `map` does.
        """
        none = WeightChanges((), self.cell)
        if not decision.alpha.any():
            return none
        frame = decision.frame
        apart = self._compare(decision)
        if apart is None:
            return none
        trust = _trust(decision)
        height, width = (side // 2 * 2 for side in picture.shape[:2])  # the refiner halves them
        unclear = self._unclear(decision, apart, trust, (height, width))
        context = Context(HALO, 2, FADE)
        both = np.stack([unclear, unclear])
        found = regions(both, self.cell, (height, width), context, 2 * AT_ONCE)
        parts = [region.window(height, width, context) for region in found]

        def change(part: tuple[Window, Float]) -> WeightChange:
            window, share = part
            weight = enlarged(decision.alpha, self._factor, window.read)
            below, above = (
                self._levels(one) for one in (picture[window.read], frame.region(window.read))
            )
            by = self._refine(below, above, weight) - weight
            lights = _lights(below, above)
            if lights is not None:
                by *= 1 - lights
            by *= np.minimum(weight * (1 - weight) * np.float32(_OPEN), 1)
            by = by[_inner(window.read, window.core)] * share
            if trust is not None:
                by *= enlarged(trust, self._factor, window.core)
            return WeightChange(window.core, by)

        for window, _ in parts:
            made(window.read)
        return WeightChanges(run_all(change, parts), self.cell)

    def begin(self, decision: Decision) -> None:
        """Take the first frame, which nothing is mixed into yet."""
        self._small = self._seen(decision)

    def _seen(self, decision: Decision) -> Float | None:
        """Return the luminance of a frame at the working scale; None where it may not be refined.

        The refiner knows frames that are opaque and judged by themselves.
        """
        frame = decision.frame
        if (
            decision.seen is None
            or frame.has_alpha
            or frame.cover is not None
            or frame.guide is not None
        ):
            return None
        return floats(luminance(decision.seen))

    def _compare(self, decision: Decision) -> Float | None:
        """Return by how much a frame differs from what was fused so far, at the working scale.

        None where it may not be refined, nor any that follows.
        """
        before, frame = self._small, self._seen(decision)
        if before is None or frame is None:
            self._small = None
            return None
        if self._is_first:
            self._is_first = False
            if not self._in_the_dark and Ground.of(np.stack([before, frame])).is_dark:
                self._small = None
                return None
            self._stretch = Stretch.of([one[..., None] for one in (before, frame)])
        apart = np.asarray(frame - before, np.float32)
        self._small = np.asarray(apart * decision.alpha, np.float32)
        self._small += before
        np.abs(apart, out=apart)
        if self._stretch is not None:
            apart *= np.float32(self._stretch.gain)
        return apart

    def _levels(self, pixels: Pixels) -> Float:
        """Return luminance in [0, 1], brought to the brightness that the refiner knows."""
        grey = floats(luminance(pixels))
        return grey if self._stretch is None else self._stretch.apply(grey)

    def _unclear(
        self, decision: Decision, apart: Float, trust: Float | None, shape: tuple[int, int]
    ) -> NDArray[np.bool_]:
        """Return which cells a decision is unclear in."""
        unclear = _near(decision.alpha > _UNCLEAR) & _near(decision.alpha < 1 - _UNCLEAR)
        unclear &= apart > _SEEN
        if decision.left is not None:
            unclear &= _near(decision.left > _LEFT)
        if trust is not None:
            unclear &= trust > 0
        side = self.cell // self._factor
        rows, columns = (-(-length // self.cell) for length in shape)
        height, width = unclear.shape
        lacking = [(0, max(rows * side - height, 0)), (0, max(columns * side - width, 0))]
        padded = np.pad(unclear, lacking)[: rows * side, : columns * side]
        cells = padded.reshape(rows, side, columns, side)
        return np.asarray(cells.any(axis=(1, 3)), np.bool_)


def _trust(decision: Decision) -> Float | None:
    """Return where a weight may change, ``(h, w)`` in [0, 1]; None for everywhere.

    Not where the guard decided, nor where frames are averaged since only noise tells them apart.
    """
    trust: Float | None = None
    if decision.choice is not None:
        softened = cv2.dilate(np.abs(decision.alpha - decision.choice), _AROUND_NOISE)
        trust = np.clip(1 - softened * np.float32(1 / _SOFTENED), 0, 1)
    if decision.kept is not None and decision.kept.any():
        free = 1 - decision.kept
        trust = free if trust is None else trust * free
    return trust


def _near(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a map ``(h, w)`` is true, and the pixels beside."""
    return np.asarray(cv2.dilate(where.view(np.uint8), _BESIDE), np.uint8).view(np.bool_)


def _lights(below: Float, above: Float) -> Float | None:
    """Return where lights are, and what is near to them, ``(h, w)`` in [0, 1]; None for nowhere.

    Their discs have sharp edges where they are out of focus: only who sees the whole disc can tell.
    """
    lit = (np.maximum(below, above) > LIT) & (np.abs(below - above) > APART)
    if not lit.any():
        return None
    near = cv2.dilate(lit.astype(np.float32), _ROUND)
    return np.asarray(cv2.blur(near, (5, 5)), np.float32)


def _inner(read: Tile, core: Tile) -> Tile:
    rows, columns = (
        slice(c.start - r.start, c.stop - r.start) for r, c in zip(read, core, strict=True)
    )
    return rows, columns
