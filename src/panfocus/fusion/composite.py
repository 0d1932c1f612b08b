"""Mix full-scale pixels by decisions of the working scale, tile by tile, only where needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.guided_filter import guided_coefficients
from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.tiles import Window, windows
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.blend import snap
from panfocus.fusion.decision import Decision
from panfocus.fusion.late_mixing import LateMixing, mix_into
from panfocus.fusion.modes import Mode
from panfocus.fusion.running_maps import RunningMaps
from panfocus.resources.later import Later

#: Side of a tile: small enough that a tile's arrays stay in the processor's cache.
TILE = 192


@dataclass(frozen=True)
class Refine:
    """Guided filter that carries a decision to the edges of the picture.

    Attributes:
        radius: pixels of the working scale.
        epsilon: on luminance in [0, 1].
    """

    radius: int = 2
    epsilon: float = 0.01


@dataclass(frozen=True)
class _Near:
    """Working pixels that a tile depends on.

    Attributes:
        read: rows and columns with the reach of the guided filter.
        need: rows and columns within `read`: the tile's own working pixels and one more on each
            side, for bilinear enlarging.
        past: of these how many lie past the picture's border, at the top, bottom, left and right:
            its last pixels are repeated there.
    """

    read: tuple[slice, slice]
    need: tuple[slice, slice]
    past: tuple[int, int, int, int]

    def of(self, working: Float) -> Float:
        """Return what the tile needs of a map of `read`."""
        part = working[self.need]
        if not any(self.past):
            return part
        bordered = cv2.copyMakeBorder(part, *self.past, cv2.BORDER_REPLICATE)
        return np.asarray(bordered, np.float32)


def _shape(window: Window) -> tuple[int, int]:
    rows, cols = window.core
    return rows.stop - rows.start, cols.stop - cols.start


def _within(outer: tuple[slice, slice], inner: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return rows and columns of a part of the picture within a larger one."""
    spans = zip(outer, inner, strict=True)
    rows, cols = (slice(i.start - o.start, i.stop - o.start) for o, i in spans)
    return rows, cols


def _ends(values: Float) -> tuple[float, float]:
    """Return the least and the largest; a third of the time of NumPy's."""
    low, high, _, _ = cv2.minMaxLoc(values)
    return low, high


def _mean_of(below: Pixels, above: Pixels) -> Float:
    """Return the mean luminance of both in [0, 1]."""
    scale = 0.5 / white(below.dtype)
    mean = cv2.addWeighted(below, scale, above, scale, 0, dtype=cv2.CV_32F)
    return np.asarray(mean, np.float32)


def _enlarge(part: Float, factor: int, shape: tuple[int, ...]) -> Float:
    """Enlarge a working map with a border of one to a tile of full scale, bilinear."""
    size = (part.shape[1] * factor, part.shape[0] * factor)
    large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    inner = large[factor : factor + shape[0], factor : factor + shape[1]]
    return np.asarray(inner, np.float32)


@dataclass(frozen=True)
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
        self, factor: int, *, mode: Mode = "blend", refine: Refine | None = None, maps: bool = True
    ) -> None:
        """Set up.

        Args:
            factor: of the working scale.
            mode: "select" copies native pixels of one frame only, others mix.
            refine: None to take working weights as they are (needs ``factor == 1``).
            maps: whether index and depth are wanted.
        """
        self._factor = factor
        self._mode: Mode = mode
        self._refine = refine or (Refine() if factor > 1 else None)
        self._want_maps = maps
        self._maps: RunningMaps | None = None
        self._picture: Pixels | None = None
        self._late: LateMixing | None = None
        self._grey: Pixels | None = None
        self._guide: Float | None = None
        self._mixing: Later[None] | None = None
        self._tiles: tuple[tuple[int, ...], list[tuple[Window, _Near]]] | None = None

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
            self._guide = _mean_of(below, above)
        for window, near in self._near_all(decision.alpha.shape):
            alpha = self._weight(decision.alpha, near, window, decision.frame)
            chosen = alpha
            if self._maps and decision.choice is not None:
                chosen = self._weight(decision.choice, near, window, decision.frame)
            if alpha is not None:
                self._mix(window.core, decision.frame, alpha.alpha)
            if self._maps and chosen is not None:
                self._maps.update(window.core, chosen.filled(), decision.frame.number)
        if self._late is not None:
            self._late.end_frame()

    def _weight(self, alpha: Float, near: _Near, window: Window, frame: Frame) -> _Weight | None:
        """Return a tile's weights at full scale; None where the frame has none."""
        weights = alpha[near.read]
        low, high = _ends(weights)
        if high == 0:
            return None
        if low == 1:
            return _Weight(None, _shape(window))
        if self._refine is None:
            out = alpha[window.core]
        else:
            out = self._refined(self._refine, weights, near, window, frame)
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

    def _near_all(self, shape: tuple[int, ...]) -> list[tuple[Window, _Near]]:
        """Return all tiles and the working pixels that each depends on, of so many pixels."""
        if self._tiles is None or self._tiles[0] != shape:
            self._tiles = shape, [(w, self._near(shape, w)) for w in self._windows()]
        return self._tiles[1]

    def _near(self, shape: tuple[int, ...], window: Window) -> _Near:
        """Return which working pixels a tile of full scale depends on."""
        reach = 2 * self._refine.radius + 1 if self._refine else 0
        reads: list[slice] = []
        needs: list[slice] = []
        past: list[tuple[int, int]] = []
        for span, length in zip(window.core, shape, strict=True):
            start: int = span.start // self._factor
            stop: int = -(-span.stop // self._factor)
            # the last full-scale pixels may lie past the last whole working pixel
            first, last = min(start, length - 1), min(stop, length)
            low, high = max(first - reach, 0), min(last + reach, length)
            reads.append(slice(low, high))
            begin, end = min(max(start - 1, 0), length - 1), min(stop + 1, length)
            needs.append(slice(begin - low, end - low))
            past.append((begin - (start - 1), stop + 1 - end))
        return _Near((reads[0], reads[1]), (needs[0], needs[1]), (*past[0], *past[1]))

    def _refined(
        self, refine: Refine, weights: Float, near: _Near, window: Window, frame: Frame
    ) -> Float:
        """Return a tile's weights, guided by the mean luminance of both pictures.

        One guide serves both, so that swapping the pictures swaps their weights exactly.
        """
        assert self._grey is not None
        assert self._guide is not None
        coarse = self._guide[near.read]
        slope, offset = guided_coefficients(coarse, weights, refine.radius, refine.epsilon)
        if self._factor == 1:  # the tile is a part of what was read, and so is its guide
            inner = _within(near.read, window.core)
            return snap(slope[inner] * coarse[inner] + offset[inner])
        fine = _mean_of(self._grey[window.core], frame.grey[window.core])
        slope, offset = (_enlarge(near.of(m), self._factor, fine.shape) for m in (slope, offset))
        return snap(slope * fine + offset)

    def _mix(self, tile: tuple[slice, slice], frame: Frame, alpha: Float | None) -> None:
        assert self._picture is not None
        assert self._grey is not None
        mix_into(self._grey[tile], frame.grey[tile], alpha)
        if self._late is not None:
            self._late.take(frame, tile, alpha)
