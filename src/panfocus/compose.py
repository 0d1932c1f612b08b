"""Mix full-scale pixels by decisions of the working scale, tile by tile, only where needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.blend import Pixels, guided_coefficients, mix, shrink, snap, white
from panfocus.fold import Step, View, upsample
from panfocus.optics import Float
from panfocus.tiles import Window, windows

Mode = Literal["blend", "select"]

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

    def __init__(self, height: int, width: int) -> None:
        self.index = np.zeros((height, width), np.uint16)
        self.depth = np.zeros((height, width), np.float32)
        self._best = np.ones((height, width), np.float32)

    def update(self, tile: tuple[slice, slice], alpha: Float, number: int) -> None:
        best = self._best[tile] * (1 - alpha)
        won = alpha > best
        self._best[tile] = np.where(won, alpha, best)
        self.index[tile][won] = number
        self.depth[tile] += (number - self.depth[tile]) * alpha


def _mix_into(below: Pixels, above: Pixels, alpha: Float) -> None:
    """Mix `above` into `below` in place; whole tiles and hard choices copy native pixels."""
    if alpha.min() == 1:
        below[...] = above
    else:
        below[...] = mix(below, above, alpha)


class Composer:
    """The running picture: takes steps of a fold, holds one picture and its luminance."""

    def __init__(
        self, factor: int, *, mode: Mode = "blend", refine: Refine | None = None, maps: bool = True
    ) -> None:
        """Set up.

        Args:
            factor: of the working scale.
            mode: "blend" mixes, "select" copies native pixels of one frame only.
            refine: None to take working weights as they are (needs ``factor == 1``).
            maps: whether index and depth are wanted.
        """
        self._factor = factor
        self._mode: Mode = mode
        self._refine = refine or (Refine() if factor > 1 else None)
        self._want_maps = maps
        self._maps: _Maps | None = None
        self._margin: Float | None = None
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
    def confidence(self) -> Float | None:
        """How clear the decision is, ``(H, W)`` in [0, 1]; None when maps are not wanted."""
        if self._margin is None or not self._want_maps:
            return None
        height, width = self.picture.shape[:2]
        return np.clip(upsample(self._margin, height, width), 0, 1)

    def apply(self, step: Step) -> None:
        """Mix the step's frame in."""
        self._margin = step.margin
        if self._picture is None:
            self._start(step.view)
            return
        maps = self._alpha_maps(step)
        reach = 2 * self._refine.radius + 2 if self._refine else 0
        height, width = self._picture.shape[:2]
        core = -(-TILE // self._factor) * self._factor
        for window in windows(height, width, core):
            near = self._near(step.alpha, window, reach)
            if not near.any():
                continue
            alpha = self._alpha(maps, window, step.view)
            self._mix(window.core, step.view, alpha)

    def _start(self, view: View) -> None:
        height, width = view.pixels.shape[:2]
        self._picture = view.pixels.copy()
        # a grey picture is its own luminance and must not be mixed twice
        self._grey = self._picture if view.grey is view.pixels else view.grey.copy()
        self._maps = _Maps(height, width) if self._want_maps else None

    def _near(self, alpha: Float, window: Window, reach: int) -> Float:
        """Return the working weights that can reach this tile."""
        rows, cols = window.core
        f = self._factor
        top, left = max(rows.start // f - reach, 0), max(cols.start // f - reach, 0)
        top, left = min(top, alpha.shape[0] - 1), min(left, alpha.shape[1] - 1)
        return alpha[top : -(-rows.stop // f) + reach, left : -(-cols.stop // f) + reach]

    def _alpha_maps(self, step: Step) -> tuple[Float, ...]:
        """Return what `_alpha` evaluates per tile: weights, or slope and offset on the guide."""
        if self._refine is None:
            return (step.alpha,)
        assert self._grey is not None
        guide = self._guide(shrink(self._grey, self._factor), shrink(step.view.grey, self._factor))
        return guided_coefficients(guide, step.alpha, self._refine.radius, self._refine.epsilon)

    def _guide(self, below: Pixels, above: Pixels) -> Float:
        """Return the mean luminance of both in [0, 1]: one guide serves both, so weights swap."""
        scale = 0.5 / white(below.dtype)
        return np.asarray(cv2.addWeighted(below, scale, above, scale, 0, dtype=cv2.CV_32F))

    def _alpha(self, maps: tuple[Float, ...], window: Window, view: View) -> Float:
        """Return the frame's weight ``(h, w)`` in one tile of full scale."""
        if self._refine is None:
            alpha = maps[0][window.core]
        else:
            assert self._grey is not None
            guide = self._guide(self._grey[window.core], view.grey[window.core])
            slope, offset = (self._enlarge(m, window, guide.shape) for m in maps)
            alpha = snap(slope * guide + offset)
        if self._mode == "select":
            alpha = (alpha > 0.5).astype(np.float32)
        return alpha

    def _enlarge(self, image: Float, window: Window, shape: tuple[int, ...]) -> Float:
        """Bilinear part of a working map for one tile; the same as enlarging the whole map."""
        f = self._factor
        if f == 1:
            return image[window.core]
        rows, cols = window.core
        r = np.clip(np.arange(rows.start // f - 1, -(-rows.stop // f) + 1), 0, image.shape[0] - 1)
        c = np.clip(np.arange(cols.start // f - 1, -(-cols.stop // f) + 1), 0, image.shape[1] - 1)
        part = image[np.ix_(r, c)]
        size = (part.shape[1] * f, part.shape[0] * f)
        large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[f : f + shape[0], f : f + shape[1]], np.float32)

    def _mix(self, tile: tuple[slice, slice], view: View, alpha: Float) -> None:
        assert self._picture is not None
        assert self._grey is not None
        if not alpha.any():
            return
        _mix_into(self._picture[tile], view.pixels[tile], alpha)
        if self._grey is not self._picture:
            _mix_into(self._grey[tile], view.grey[tile], alpha)
        if self._maps:
            self._maps.update(tile, alpha, view.number)
