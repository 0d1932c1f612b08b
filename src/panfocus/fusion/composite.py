"""Mix full-scale pixels by decisions of the working scale, tile by tile, only where needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged, scaled
from panfocus.arrays.guided_filter import guided_coefficients
from panfocus.arrays.pixels import shrink
from panfocus.arrays.tiles import Window, windows
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame, Tile
from panfocus.frozen import frozen
from panfocus.fusion.blend import snap
from panfocus.fusion.boundaries import Boundaries
from panfocus.fusion.decision import Decision
from panfocus.fusion.late_mixing import LateMixing, mix_into
from panfocus.fusion.modes import Mode
from panfocus.fusion.refinement import Refine, mean_of, within
from panfocus.fusion.running_maps import RunningMaps
from panfocus.fusion.weight_changes import WeightChange, WeightChanges, changed
from panfocus.resources.later import Later

#: Side of a tile: small enough that a tile's arrays stay in the processor's cache.
TILE = 192


def _shape(window: Window) -> tuple[int, int]:
    rows, cols = window.core
    return rows.stop - rows.start, cols.stop - cols.start


def _ends(values: Float) -> tuple[float, float]:
    """Return the least and the largest; a third of the time of NumPy's."""
    low, high, _, _ = cv2.minMaxLoc(values)
    return low, high


@frozen
class _Weight:
    """A tile's weights at full scale.

    Attributes:
        alpha: ``(H, W)``; None where all are 1, and pixels are copied.
        shape: of the tile.
    """

    alpha: Float | None
    shape: tuple[int, int]

    def filled(self) -> Float:
        """Return the weights as numbers."""
        return np.ones(self.shape, np.float32) if self.alpha is None else self.alpha


class Composer:
    """The running picture: takes decisions of a fold, holds one picture and its luminance.

    Where OpenCV may take more than one thread, a decision is mixed in beside what its caller does
    meanwhile, such as deciding about the next frame.
    """

    def __init__(
        self,
        factor: int,
        *,
        mode: Mode = "blend",
        refine: Refine | None = None,
        boundaries: Boundaries | None = None,
        maps: bool = True,
    ) -> None:
        """Set up.

        Args:
            factor: of the working scale.
            mode: "select" copies native pixels of one frame only, others mix.
            refine: filter for decisions without soft edges; None to enlarge weights bilinearly.
            boundaries: refines what is enlarged so; None for nothing.
            maps: whether index and depth are wanted.
        """
        self._factor = factor
        self._mode: Mode = mode
        self._refine = refine
        self._boundaries = boundaries if refine is None else None
        self._want_maps = maps
        self._maps: RunningMaps | None = None
        self._picture: Pixels | None = None
        self._late: LateMixing | None = None
        self._grey: Pixels | None = None
        self._guide: Float | None = None
        self._mixing: Later[None] | None = None
        self._tiles: tuple[tuple[int, ...], list[tuple[Window, Tile]]] | None = None

    @property
    def picture(self) -> Pixels:
        """The fused picture ``(H, W[, C])`` so far."""
        self.wait()
        assert self._picture is not None
        if self._late is not None:
            self._late.finish()
        return self._picture

    @property
    def index(self) -> NDArray[np.uint16] | None:
        """Which frame won, ``(H, W)``; None when maps are not wanted."""
        self.wait()
        return self._maps.index if self._maps else None

    @property
    def depth(self) -> Float | None:
        """Weighted frame number, ``(H, W)``; None when maps are not wanted."""
        self.wait()
        return self._maps.depth if self._maps else None

    @property
    def largest(self) -> Float | None:
        """Weight of the frame that won, ``(H, W)``; None when maps are not wanted."""
        self.wait()
        return self._maps.largest if self._maps else None

    def apply(self, decision: Decision) -> None:
        """Mix the decision's frame in, in those tiles where it has weight.

        What goes wrong meanwhile is raised when the next decision or the picture is asked for.
        """
        self.wait()
        if self._picture is None:
            self._start(decision.frame)
            if self._boundaries is not None:
                self._boundaries.begin(decision)
        elif cv2.getNumThreads() > 1:
            self._mixing = Later(partial(self._apply, decision))
        else:
            self._apply(decision)

    def wait(self) -> None:
        """Wait until what was applied is mixed in."""
        mixing, self._mixing = self._mixing, None
        if mixing is not None:
            mixing.result()

    def _apply(self, decision: Decision) -> None:
        assert self._picture is not None
        if self._refine:  # of the picture as it is before any tile of it is mixed
            assert self._grey is not None
            below, above = (shrink(g, self._factor) for g in (self._grey, decision.frame.grey))
            self._guide = mean_of(below, above)
        changes = self._changes(decision)
        for window, near in self._near_all(decision.alpha.shape):
            here = changes.within(window.core) if changes else ()
            alpha = self._weight(decision.alpha, near, window, decision, here)
            chosen = alpha
            if self._maps and decision.choice is not None:
                chosen = self._weight(decision.choice, near, window, decision, here)
            if alpha is not None:
                self._mix(window.core, decision.frame, alpha.alpha)
            if self._maps and chosen is not None:
                self._maps.update(window.core, chosen.filled(), decision.frame.number)
        if self._late is not None:
            self._late.end_frame()

    def _changes(self, decision: Decision) -> WeightChanges | None:
        """Return what is refined of a decision before anything of it is mixed in."""
        if self._boundaries is None or self._late is None:
            return None
        assert self._picture is not None
        made = self._late.settle_within
        threads = cv2.getNumThreads()
        if threads < 2:
            return self._boundaries.changes(decision, self._picture, made)
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  slow to import

        with ThreadPoolExecutor(threads) as pool:
            return self._boundaries.changes(decision, self._picture, made, pool.map)

    def _weight(
        self,
        alpha: Float,
        near: Tile,
        window: Window,
        decision: Decision,
        changes: Sequence[WeightChange] = (),
    ) -> _Weight | None:
        """Return a tile's weights at full scale; None where the frame has none."""
        weights = alpha[near]
        low, high = _ends(weights)
        if not changes:
            if high == 0:
                return None
            if low == 1:
                return _Weight(None, _shape(window))
        if self._refine is None:
            out = self._at_full_scale(weights, near, window)
        else:
            out = self._refined(self._refine, weights, near, window, decision.frame)
            if decision.kept is not None:
                out = self._firm(out, weights, decision.kept[near], near, window)
        if changes:
            out = changed(out, window.core, changes)
        if self._mode == "select":
            out = (out > 0.5).astype(np.float32)
        least, most = _ends(out)
        if most == 0:
            return None
        return _Weight(None if least == 1 else out, _shape(window))

    def _start(self, frame: Frame) -> None:
        height, width = frame.shape[:2]
        self._maps = RunningMaps(height, width, frame.number) if self._want_maps else None
        held = frame.held
        is_made = isinstance(held, np.ndarray)
        self._picture = held.copy() if is_made else np.zeros(frame.shape, frame.dtype)
        if self._refine is not None:
            if frame.grey is held:  # its own luminance, and must not be mixed twice
                self._grey = self._picture
                return
            self._grey = frame.grey.copy()
        self._late = LateMixing(self._picture)
        if not is_made:
            for window in self._windows():
                self._late.take(frame, window.core, None)
            self._late.end_frame()

    def _windows(self) -> Iterator[Window]:
        assert self._picture is not None
        core = -(-TILE // self._factor) * self._factor
        height, width = self._picture.shape[:2]
        return windows(height, width, core)

    def _near_all(self, shape: tuple[int, ...]) -> list[tuple[Window, Tile]]:
        """Return all tiles and the working pixels that each depends on, of so many pixels."""
        if self._tiles is None or self._tiles[0] != shape:
            self._tiles = shape, [(w, self._near(shape, w)) for w in self._windows()]
        return self._tiles[1]

    def _near(self, shape: tuple[int, ...], window: Window) -> Tile:
        """Return which working pixels a tile of full scale depends on."""
        # without a filter, what bilinear enlarging needs on each side
        reach = 2 * self._refine.radius + 1 if self._refine else 1

        def read(span: slice, length: int) -> slice:
            # the last full-scale pixels may lie past the last whole working pixel
            first = min(span.start // self._factor, length - 1)
            last = min(-(-span.stop // self._factor), length)
            return slice(max(first - reach, 0), min(last + reach, length))

        rows, columns = (read(*pair) for pair in zip(window.core, shape, strict=True))
        return rows, columns

    def _refined(
        self, refine: Refine, weights: Float, near: Tile, window: Window, frame: Frame
    ) -> Float:
        """Return a tile's weights, guided by the mean luminance of both pictures.

        One guide serves both, so that swapping the pictures swaps their weights exactly.
        """
        assert self._grey is not None
        assert self._guide is not None
        coarse = self._guide[near]
        slope, offset = guided_coefficients(coarse, weights, refine.radius, refine.epsilon)
        if self._factor == 1:  # the tile is a part of what was read, and so is its guide
            inner = within(near, window.core)
            followed = slope[inner] * coarse[inner]
            followed += offset[inner]
            return snap(followed)
        fine = mean_of(self._grey[window.core], frame.grey[window.core])
        slope, offset = (self._at_full_scale(m, near, window) for m in (slope, offset))
        fine *= slope
        fine += offset
        return snap(fine)

    def _firm(
        self, refined: Float, weights: Float, kept: Float, near: Tile, window: Window
    ) -> Float:
        """Return a tile's weights as they were decided where they must stay so.

        The filter would carry what is decided beside a spot into it.
        """
        if not kept.any():
            return refined
        decided, firm = (self._at_full_scale(each, near, window) for each in (weights, kept))
        return np.asarray(refined + (decided - refined) * firm, np.float32)

    def _at_full_scale(self, working: Float, near: Tile, window: Window) -> Float:
        """Return a tile of a map of the working scale, of which `near` is given."""
        if self._factor == 1:
            return working[within(near, window.core)]
        given = scaled(near, self._factor)
        return enlarged(working, self._factor, within(given, window.core))

    def _mix(self, tile: tuple[slice, slice], frame: Frame, alpha: Float | None) -> None:
        if self._grey is not None:
            mix_into(self._grey[tile], frame.grey[tile], alpha)
        if self._late is not None:
            self._late.take(frame, tile, alpha)
