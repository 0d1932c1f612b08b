"""How much detail every frame has where: the curve of focus through the stack at each place.

Defocus of radius ``r`` takes ``w^2 r^2 / 4`` from the logarithm of a narrow band's energy, ``w``
its frequency (by a Gaussian of the same second moment), and ``r`` grows evenly from frame to frame:
so these logarithms lie on a parabola (Nayar and Nakagawa, PAMI 1994, fit the same curve for depth).
Its peak tells how far the frame that won was focused from a place; its bend, over the whole stack,
by how much defocus grows from frame to frame. Both together tell what blur is left.

Frames that were shaken, or show the focus of others, are no part of these curves
(`panfocus.arrays.focus_order`).

The band is a coarse one, of `REDUCTION` pixels: a quarter of the pixels, little of their noise.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.focus_order import strays
from panfocus.arrays.pixels import shrink
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.focus_peaks import fall, peaks, step_of, trust
from panfocus.fusion.running_maps import Winners

#: Frames that make a curve, at least.
LEAST = 3
#: How far frames are shrunk for the band that is measured, working pixels.
REDUCTION = 2
#: Standard deviation of the Gaussian before the Laplacian, pixels of the reduced scale. Without it,
#: how a frame that is moved lies on the grid of pixels changes its energy by a fifth.
_SIGMA = 1.0
#: Side of the square over which its energy is averaged, and of a block of the map that is kept,
#: pixels of the reduced scale.
_WINDOW = 11
_BLOCK = 4
#: Energy of the band that rounding to whole numbers makes, in squares of a step.
_ROUNDING = 0.1
#: Share of blocks with least detail, which tells the noise; and how many times its energy is taken
#: off.
_FLATTEST = 0.05
_OFF = 4.0
#: Every how many working pixels the frame that won is kept: what is asked of it changes slowly.
EVERY = 2
#: Pixels that are shrunk at once.
_BAND = 1 << 16
#: What a place's detail must be to tell of the whole stack, in units of the noise; and how far its
#: curve must be trusted.
_CLEAR = 8
_SURE = 0.9
#: Side of the square of blocks whose mean a block is compared with.
_AROUND = 9
#: Energy of the finest detail that counts as none, in squares of a step of whole numbers.
_ROUNDING_FINE = 0.5
_WHOLE = (slice(None), slice(None))


class _Fits(NamedTuple):
    """Parabolas through every frame and its neighbours.

    Attributes:
        away: how far the peak lies from the frame, in frames, ``(N, a, b)``; 0 where none is near.
        trust: how far that may be believed, ``(a, b)`` in [0, 1].
        step: radius of the defocus between two neighbours, working pixels; 0 where nothing tells.
        noise: energy of the band where nothing is to be seen.
    """

    away: Float
    trust: Float
    step: float
    noise: float


class FocusCurves:
    """Gathers the detail of frames, one number for each frame and block, and which frame won."""

    def __init__(self, factor: int) -> None:
        """Set up.

        Args:
            factor: of the working scale.
        """
        self._factor = factor * REDUCTION
        self._details: list[Float] = []
        self._numbers: list[int] = []
        self._rounding = 0.0
        self._fitted: _Fits | None = None
        self._winners: Winners | None = None

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        self._details.append(frame.measured(self._energy, self._factor)[::_BLOCK, ::_BLOCK].copy())
        self._numbers.append(frame.number)
        self._fitted = None
        if frame.dtype.kind != "f":
            self._rounding = _ROUNDING

    def take(self, decision: Decision) -> None:
        """Take what was decided about a frame: it may have won somewhere."""
        alpha = decision.chosen[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY]
        if self._winners is None:
            self._winners = Winners(alpha.shape[0], alpha.shape[1], decision.frame.number)
        else:
            self._winners.update(_WHOLE, alpha, decision.frame.number)

    @property
    def _index(self) -> NDArray[np.uint16] | None:
        """Number of the frame that won, every `EVERY` working pixels."""
        return None if self._winners is None else self._winners.index

    def step(self) -> float:
        """Return the defocus between two neighbours, a radius in working pixels; 0: unknown."""
        fits = self._fits()
        return 0.0 if fits is None else fits.step

    def blur(self) -> tuple[Float, Float] | None:
        """Return the radius of the defocus that the frame that won has, and how far to believe it.

        Returns:
            In working pixels, and in [0, 1], both every `EVERY` working pixels; None where nothing
            tells.
        """
        fits = self._fits()
        if fits is None or self._index is None or not fits.step:
            return None
        return self._of_winners(np.abs(fits.away) * np.float32(fits.step)), self._small(fits.trust)

    def depth(self) -> tuple[Float, Float] | None:
        """Return where the peaks lie, in frames, and how far each may be believed, in [0, 1].

        Returns:
            Both every `EVERY` working pixels; None where there are too few frames.
        """
        fits = self._fits()
        if fits is None or self._index is None:
            return None
        is_peak = np.where(fits.away != 0, fits.trust, 0).astype(np.float32)
        return self._index + self._of_winners(fits.away), self._of_winners(is_peak)

    def _of_winners(self, blocks: Float) -> Float:
        """Return of maps ``(N, a, b)`` those of the frames that won, bilinear."""
        assert self._index is not None
        out = np.zeros(self._index.shape, np.float32)
        for number, block in zip(self._numbers, list(blocks), strict=True):
            if block.any():
                np.copyto(out, self._small(block), where=self._index == number)
        return out

    def _small(self, block: Float) -> Float:
        """Return a map ``(a, b)`` every `EVERY` working pixels."""
        assert self._index is not None
        height, width = self._index.shape
        return np.asarray(cv2.resize(block, (width, height)), np.float32)

    def _fits(self) -> _Fits | None:
        if len(self._details) < LEAST:
            return None
        if self._fitted is None:
            self._fitted = self._fit()
        return self._fitted

    def _fit(self) -> _Fits:
        whole = np.stack(self._details)
        curves, clear, noise = self._logarithms(whole)
        found = strays(curves[:, clear])
        kept = [n for n in range(len(whole)) if n not in found]
        if len(kept) < LEAST:
            found, kept = {}, [*range(len(whole))]
        if found:
            curves, clear, noise = self._logarithms(whole[kept])
        beside, bend = peaks(curves)
        sure = trust(curves)
        away = np.zeros_like(whole)
        away[kept] = beside
        for n, other in found.items():
            away[n] = 0 if other is None else away[other]
        return _Fits(away, sure, step_of(curves, bend, clear & (sure > _SURE)), noise)

    def _logarithms(self, details: Float) -> tuple[Float, NDArray[np.bool_], float]:
        """Return curves ``(N, a, b)``, where they tell something ``(a, b)``, and the noise."""
        noise = _OFF * ends(details.min(axis=0), _FLATTEST)[0] + self._rounding
        noise = max(np.float32(noise), np.float32(1e-12))
        curves = np.log(np.maximum(details, noise))
        return curves, details.max(axis=0) > _CLEAR * noise, float(noise)

    def softening(self, blend: Float, radius: Float) -> float:
        """Return how much softer a blend is where the curves say that it is soft.

        They count frames as evenly apart, and where these are not, a place in perfect focus seems
        to lie beside it. Then it is no softer than others.

        Args:
            blend: luminance of the fused picture, working scale, in the frames' numbers.
            radius: of its defocus, see `blur`.

        Returns:
            By how much the logarithm of the finest detail's energy, beside that of the band, falls
            for each square of a pixel of radius: by regression over all places, each beside those
            around it; 0 where few tell.
        """
        fits = self._fits()
        if fits is None or self._index is None:
            return 0.0
        coarse = _band(_shrunk(blend, REDUCTION))[::_BLOCK, ::_BLOCK]
        grid = coarse.shape[1], coarse.shape[0]
        lines = cv2.Laplacian(blend, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
        side = (_WINDOW * REDUCTION - 1,) * 2
        fine = cv2.resize(cv2.sqrBoxFilter(lines, cv2.CV_32F, side), grid)
        radius = np.asarray(cv2.resize(radius, grid, interpolation=cv2.INTER_AREA), np.float32)
        numbers = cv2.resize(self._index, grid, interpolation=cv2.INTER_NEAREST)
        inside = (numbers > self._numbers[0]) & (numbers < self._numbers[-1])
        sure = np.asarray(cv2.resize(fits.trust, grid), np.float32) > _SURE
        told = inside & sure & (coarse > _CLEAR * fits.noise)
        least = _ROUNDING_FINE if self._rounding else 1e-12
        tiny = np.float32(1e-12)
        finest = np.log((np.asarray(fine, np.float32) + np.float32(least)) / (coarse + tiny))
        aside = (_aside(one, told)[told] for one in (finest, radius**2))
        return fall(*aside)

    def _energy(self, grey: Pixels) -> Float:
        """Return the energy of the band, averaged, ``(h, w)``, in squares of a frame's numbers."""
        return _band(_shrunk(grey, self._factor))


def _band(small: Float) -> Float:
    """Return the energy of the band in a reduced luminance ``(h, w)``, averaged."""
    smooth = cv2.GaussianBlur(small, (0, 0), _SIGMA)
    lines = cv2.Laplacian(smooth, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    side = _WINDOW, _WINDOW
    mean = cv2.sqrBoxFilter(lines, cv2.CV_32F, side, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean, np.float32)


def _aside(values: Float, told: NDArray[np.bool_]) -> Float:
    """Return how far values lie from those around them that tell something.

    Things differ in how fine their detail is, and neighbours are mostly of one thing.
    """
    counted = told.astype(np.float32)
    side = _AROUND, _AROUND
    sums, counts = (cv2.blur(one, side) for one in (values * counted, counted))
    return np.asarray(values - sums / np.maximum(counts, np.float32(1e-6)), np.float32)


def _shrunk(grey: Pixels, factor: int) -> Float:
    """Return a luminance ``(H // factor, W // factor)`` that is not rounded."""
    height, width = (side // factor for side in grey.shape)
    out = np.empty((height, width), np.float32)
    rows = max(_BAND // (factor * grey.shape[1]), 1)
    for top in range(0, height, rows):  # in bands that stay in the processor's cache
        band = grey[top * factor : min(top + rows, height) * factor, : width * factor]
        out[top : top + rows] = shrink(band.astype(np.float32), factor)
    return out
