"""Curves that change the brightness of a frame and cannot clip.

A gain alone would push highlights beyond white. So levels x follow a curve: times the gain g up to
a knee k, then over a shoulder that ends at white,

    u = (g x - k) / (1 - k),    U = (g - k) / (1 - k),    y = k + (1 - k) U u / (U + (U - 1) u)

for g > 1; what is darkened follows the inverse. It is smooth, rises, and takes [0, 1] to all of
[0, 1]. It holds for levels as they are stored, or for the linear light of sRGB.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen
from panfocus.registration.flicker import spread

#: Level by which a gain is told.
_TOLD = 0.25
#: What a small gain in linear light does to a stored level, near enough to compare logarithms.
GAMMA = 2.3
#: Difference of logarithms up to which lines share a table: a quarter of a level of 8 bits.
_STEP = 0.001
#: Points of a curve's table for floats, which is interpolated.
_POINTS = 1 << 14


class CurveShape(NamedTuple):
    """What a curve is like, whatever its gain.

    Attributes:
        knee: level as stored, share of white, from which the shoulder bends.
        linear: whether gain and shoulder hold for the linear light of sRGB.
    """

    knee: float
    linear: bool


@frozen
class Curve:
    """Takes a frame's levels to those of the reference.

    Attributes:
        log: natural logarithm of the gain, per colour channel ``(C,)``.
        shape: where the gain holds and where it bends.
        lines: logarithms of factors on stored levels ``(LINES,)`` that groups of lines along the
            shorter side have besides; None where there are no bands.
        white: the share of the samples' range at which the curve ends: less than 1 for cameras of
            10, 12 and 14 bits in files of 16.
    """

    log: NDArray[np.float64]
    shape: CurveShape
    lines: NDArray[np.float64] | None = None
    white: float = 1.0

    @property
    def has_bands(self) -> bool:
        """Whether lines have factors of their own."""
        return self.lines is not None

    @property
    def gain(self) -> NDArray[np.float64]:
        """Factors per colour channel ``(C,)`` on the stored level of a quarter of white."""
        level = _TOLD * self.white
        told = [float(self(np.array(level), c)) for c in range(len(self.log))]
        return np.array(told) / level

    def __call__(self, levels: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        """Return stored levels of any shape, in [0, 1], as the reference would have them."""
        if self.white < 1:
            shares = self._bent(np.minimum(levels / self.white, 1), channel)
            return np.where(levels < self.white, shares * self.white, levels)
        return self._bent(levels, channel)

    def _bent(self, levels: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        """Return shares of white along the curve."""
        log, knee = float(self.log[channel]), self.shape.knee
        if not self.shape.linear:
            return _bend(levels, log, knee)
        return _stored(_bend(light_of(levels), log, float(light_of(np.array(knee)))))


def light_of(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the linear light of sRGB levels, both in [0, 1]."""
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def _stored(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sRGB levels of linear light, both in [0, 1]."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _bend(levels: NDArray[np.float64], log: float, knee: float) -> NDArray[np.float64]:
    """Return levels in [0, 1] times a gain below the knee, over a shoulder to white above it."""
    gain = math.exp(abs(log))
    height = (gain - knee) / (1 - knee)
    if log >= 0:
        above = np.maximum(gain * levels - knee, 0) / (1 - knee)
        shoulder = knee + (1 - knee) * height * above / (height + (height - 1) * above)
        return np.where(gain * levels <= knee, gain * levels, shoulder)
    above = np.maximum(levels - knee, 0) / (1 - knee)
    straight = knee + (1 - knee) * height * above / (height - (height - 1) * above)
    return np.where(levels <= knee, levels, straight) / gain


def unbend(
    fixed: NDArray[np.float64], moving: NDArray[np.float64], knee: float
) -> NDArray[np.float64]:
    """Return the logarithm of the gain by which `_bend` takes `moving` to `fixed`, any shape.

    The inverse of the curve with respect to its gain: the larger root of a quadratic.
    """
    low, high = np.minimum(fixed, moving), np.maximum(fixed, moving)
    bent = high > knee
    above = np.where(bent, (high - knee) / (1 - knee), 0.5)
    rest = 1 / above - 1
    a = rest * low
    b = rest * knee * (1 + low) + (1 - knee) * (1 - low)
    root = (b + np.sqrt(np.maximum(b * b - 4 * a * rest * knee * knee, 0))) / (2 * a)
    return np.where(fixed < moving, -1, 1) * np.log(np.where(bent, root, high / low))


def apply_curve(pixels: Pixels, curve: Curve, *, has_alpha: bool = False) -> Pixels:
    """Take the colour channels of ``(H, W[, C])`` along a curve; same dtype, opacity untouched.

    What is not white does not become white, and what is not black does not become black.
    """
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    if curve.lines is not None:
        return _by_lines(planes, curve, has_alpha=has_alpha).reshape(pixels.shape)
    out = planes.copy()
    for c in range(planes.shape[2] - has_alpha):
        plane = planes[..., c]
        if pixels.dtype == np.float32:
            out[..., c] = _floats(plane.astype(np.float32), curve, c)
            continue
        top = int(white(pixels.dtype))
        table = np.rint(curve(np.arange(top + 1) / top, c) * top)
        table[1:-1] = np.clip(table[1:-1], 1, top - 1)
        out[..., c] = table.astype(pixels.dtype)[plane.astype(np.intp)]
    return out.reshape(pixels.shape)


def _by_lines(planes: Pixels, curve: Curve, *, has_alpha: bool) -> Pixels:
    """Take ``(H, W, C)`` along a curve that is another one for lines in bands."""
    assert curve.lines is not None
    is_upright = planes.shape[0] > planes.shape[1]
    turned = planes.swapaxes(0, 1) if is_upright else planes
    steps = np.rint(spread(curve.lines, len(turned)) / _STEP).astype(np.intp)
    scale = GAMMA if curve.shape.linear else 1
    out = np.empty_like(turned)
    for step in np.unique(steps):
        of_lines = replace(curve, log=curve.log + scale * _STEP * step, lines=None)
        lines = np.flatnonzero(steps == step)
        out[lines] = apply_curve(turned[lines], of_lines, has_alpha=has_alpha)
    return out.swapaxes(0, 1) if is_upright else out


def _floats(plane: Float, curve: Curve, channel: int) -> Float:
    """Return float levels ``(H, W)`` along a curve, by interpolation in a table of it."""
    table = curve(np.linspace(0, 1, _POINTS + 1), channel)
    at = np.clip(plane, 0, 1) * np.float32(_POINTS)
    left = np.minimum(at.astype(np.int32), _POINTS - 1)
    low, rise = (part.astype(np.float32) for part in (table[:-1], np.diff(table)))
    out = np.asarray(low[left] + rise[left] * (at - left.astype(np.float32)), np.float32)
    below = np.nextafter(np.float32(1), np.float32(0))
    return np.where(plane < 1, np.minimum(out, below), plane)
