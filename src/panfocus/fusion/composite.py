"""Mix full-scale pixels by decisions of the working scale, tile by tile, only where needed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.guided_filter import guided_coefficients
from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.tiles import Window, windows
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.blend import mix, snap
from panfocus.fusion.decision import Decision
from panfocus.fusion.modes import Mode

#: Side of a tile: small enough that a tile's arrays stay in the processor's cache.
TILE = 384


@dataclass(frozen=True)
class Refine:
    """Guided filter that carries a decision to the edges of the picture.

    Attributes:
        radius: pixels of the working scale.
        epsilon: on luminance in [0, 1].
    """

    radius: int = 2
    epsilon: float = 0.01


class _Maps:
    """Which frame won and at which depth, full scale."""

    def __init__(self, height: int, width: int, first: int) -> None:
        self.index = np.full((height, width), first, np.uint16)
        self.depth = np.full((height, width), first, np.float32)
        self.largest = np.ones((height, width), np.float32)

    def update(self, tile: tuple[slice, slice], alpha: Float, number: int) -> None:
        best = self.largest[tile] * (1 - alpha)
        won = alpha > best
        self.largest[tile] = np.where(won, alpha, best)
        self.index[tile][won] = number
        self.depth[tile] += (number - self.depth[tile]) * alpha


@dataclass(frozen=True)
class _Near:
    """Working pixels that a tile depends on.

    Attributes:
        read: rows and columns with the reach of the guided filter.
        need: open mesh into `read`: the tile's own working pixels and one more on each side,
            repeated past the picture's border, for bilinear enlarging.
    """

    read: tuple[slice, slice]
    need: tuple[NDArray[np.intp], ...]


def _shape(window: Window) -> tuple[int, int]:
    rows, cols = window.core
    return rows.stop - rows.start, cols.stop - cols.start


def _guide(below: Pixels, above: Pixels) -> Float:
    """Return the mean luminance of both in [0, 1]."""
    scale = 0.5 / white(below.dtype)
    mean = cv2.addWeighted(below, scale, above, scale, 0, dtype=cv2.CV_32F)
    return np.asarray(mean, np.float32)


def _enlarge(part: Float, factor: int, shape: tuple[int, ...]) -> Float:
    """Enlarge a working map with a border of one to a tile of full scale, bilinear."""
    if factor == 1:
        return part[1:-1, 1:-1]
    size = (part.shape[1] * factor, part.shape[0] * factor)
    large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    inner = large[factor : factor + shape[0], factor : factor + shape[1]]
    return np.asarray(inner, np.float32)


def _mix_into(below: Pixels, above: Pixels, alpha: Float) -> None:
    """Mix `above` into `below` in place; whole tiles and hard choices copy native pixels."""
    if alpha.min() == 1:
        below[...] = above
    else:
        below[...] = mix(below, above, alpha)


class Composer:
    """The running picture: takes decisions of a fold, holds one picture and its luminance."""

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
        self._maps: _Maps | None = None
        self._picture: Pixels | None = None
        self._grey: Pixels | None = None

    @property
    def picture(self) -> Pixels:
        """The fused picture ``(H, W[, C])`` so far."""
        assert self._picture is not None
        return self._picture

    @property
    def index(self) -> NDArray[np.uint16] | None:
        """Which frame won, ``(H, W)``; None when maps are not wanted."""
        return self._maps.index if self._maps else None

    @property
    def depth(self) -> Float | None:
        """Weighted frame number, ``(H, W)``; None when maps are not wanted."""
        return self._maps.depth if self._maps else None

    @property
    def largest(self) -> Float | None:
        """Weight of the frame that won, ``(H, W)``; None when maps are not wanted."""
        return self._maps.largest if self._maps else None

    def apply(self, decision: Decision) -> None:
        """Mix the decision's frame in, in those tiles where it has weight."""
        if self._picture is None:
            self._start(decision.frame)
            return
        height, width = self._picture.shape[:2]
        core = -(-TILE // self._factor) * self._factor
        for window in windows(height, width, core):
            near = self._near(decision.alpha.shape, window)
            alpha = self._weight(decision.alpha, near, window, decision.frame)
            chosen = alpha
            if self._maps and decision.choice is not None:
                chosen = self._weight(decision.choice, near, window, decision.frame)
            if alpha is not None:
                self._mix(window.core, decision.frame, alpha)
            if self._maps and chosen is not None:
                self._maps.update(window.core, chosen, decision.frame.number)

    def _weight(self, alpha: Float, near: _Near, window: Window, frame: Frame) -> Float | None:
        """Return a tile's weights at full scale; None where the frame has none."""
        weights = alpha[near.read]
        low, high = float(weights.min()), float(weights.max())
        if high == 0:
            return None
        if low == 1:
            out = np.ones(_shape(window), np.float32)
        elif self._refine is None:
            out = alpha[window.core]
        else:
            out = self._refined(self._refine, weights, near, window, frame)
        return (out > 0.5).astype(np.float32) if self._mode == "select" else out

    def _start(self, frame: Frame) -> None:
        height, width = frame.pixels.shape[:2]
        self._picture = frame.pixels.copy()
        # a grey picture is its own luminance and must not be mixed twice
        self._grey = self._picture if frame.grey is frame.pixels else frame.grey.copy()
        self._maps = _Maps(height, width, frame.number) if self._want_maps else None

    def _near(self, shape: tuple[int, ...], window: Window) -> _Near:
        """Return which working pixels a tile of full scale depends on."""
        reach = 2 * self._refine.radius + 1 if self._refine else 0
        reads: list[slice] = []
        needs: list[NDArray[np.intp]] = []
        for span, length in zip(window.core, shape, strict=True):
            start: int = span.start // self._factor
            stop: int = -(-span.stop // self._factor)
            # the last full-scale pixels may lie past the last whole working pixel
            first, last = min(start, length - 1), min(stop, length)
            low, high = max(first - reach, 0), min(last + reach, length)
            reads.append(slice(low, high))
            wanted = np.arange(start - 1, stop + 1)
            needs.append(np.clip(wanted, 0, length - 1) - low)
        return _Near((reads[0], reads[1]), np.ix_(*needs))

    def _refined(
        self, refine: Refine, weights: Float, near: _Near, window: Window, frame: Frame
    ) -> Float:
        """Return a tile's weights, guided by the mean luminance of both pictures.

        One guide serves both, so that swapping the pictures swaps their weights exactly.
        """
        assert self._grey is not None
        f = self._factor
        region = tuple(slice(s.start * f, s.stop * f) for s in near.read)
        coarse = _guide(shrink(self._grey[region], f), shrink(frame.grey[region], f))
        maps = guided_coefficients(coarse, weights, refine.radius, refine.epsilon)
        fine = _guide(self._grey[window.core], frame.grey[window.core])
        slope, offset = (_enlarge(m[near.need], f, fine.shape) for m in maps)
        return snap(slope * fine + offset)

    def _mix(self, tile: tuple[slice, slice], frame: Frame, alpha: Float) -> None:
        assert self._picture is not None
        assert self._grey is not None
        _mix_into(self._picture[tile], frame.pixels[tile], alpha)
        if self._grey is not self._picture:
            _mix_into(self._grey[tile], frame.grey[tile], alpha)
