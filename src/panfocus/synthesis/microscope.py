"""How a microscope shows light in the dark, and how a camera counts it: the one place for both.

Slices s of a volume shine with light L_s at depth z_s. Plane k shows their sum

    I_k = g + sum_s S(|z_s - k|) h(|z_s - k|) * L_s,     S(d) = exp(-d^2 / 2 t^2)

convolved with the point spread h of their distance from the plane in focus, over the counts g of
the dark. A widefield microscope spreads the light of what is out of focus and keeps its sum
(S = 1); a confocal microscope or a light sheet cuts sections t planes thick and does not see it.

Photons come one by one, so the noise of a count grows with it:

    var I = r^2 + q I

with q counts per photon and a camera's read noise r. Made sets, benchmarks and training all use
this light and this noise. Light is float32 ``(H, W)``, distances are in planes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.synthesis.defocus import Aperture, defocus


class PointSpread(Protocol):
    """h: what light becomes at a distance from the plane in focus."""

    def __call__(self, light: Float, distance: float) -> Float:
        """Spread light ``(H, W)`` from `distance` planes away, its sum kept; borders mirror."""
        ...


@dataclass(frozen=True)
class CircleSpread:
    """A circle of confusion that grows from nothing: light in focus is as it was drawn.

    Attributes:
        growth: radius that one plane's distance adds, pixels.
        aperture: shape of the circle.
    """

    growth: float = 1.2
    aperture: Aperture = "gaussian"

    def __call__(self, light: Float, distance: float) -> Float:
        """See `PointSpread`."""
        return defocus(light, self.growth * distance, self.aperture)


@dataclass(frozen=True)
class GaussianSpread:
    """A Gaussian that has a width in focus, too, as the limit of resolution gives it.

    Attributes:
        focused: sigma of a point in focus, pixels, above 0.
        growth: what one plane's distance adds to sigma, pixels.
    """

    focused: float
    growth: float

    def __call__(self, light: Float, distance: float) -> Float:
        """See `PointSpread`."""
        sigma = self.focused + self.growth * distance
        soft = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(soft, np.float32)


@dataclass(frozen=True)
class Optics:
    """How a microscope shows what is out of focus.

    Attributes:
        spread: h, of a point.
        section: t, thickness of the optical section (sigma, in planes); None for widefield.
    """

    spread: PointSpread = field(default_factory=CircleSpread)
    section: float | None = None

    def share(self, distance: float) -> float:
        """Return S, the share of the light that is seen from a distance."""
        if self.section is None:
            return 1.0
        return float(np.exp(-0.5 * (distance / self.section) ** 2))

    def see(self, light: Float, distance: float) -> Float:
        """Return light ``(H, W)`` as seen from a distance."""
        seen = self.spread(light, distance)
        return seen if self.section is None else seen * np.float32(self.share(distance))


def noise_variance(signal: Float, gain: float, read_noise: float) -> Float:
    """Return the variance of the noise of a signal of any shape, in its own unit squared.

    Args:
        signal: expected counts or any multiple of them, >= 0, the dark among it.
        gain: q, signal per photon.
        read_noise: r, sigma of what the camera adds by itself.
    """
    return np.asarray(np.float32(read_noise**2) + np.float32(gain) * signal, np.float32)


@dataclass(frozen=True)
class Camera:
    """How a camera counts.

    Attributes:
        top: its largest count.
        ground: counts of the dark.
        gain: counts per photon.
        read_noise: sigma, in counts.
        channels: 1, or 3 for a picture in green.
    """

    top: int = 4095
    ground: float = 100.0
    gain: float = 1.0
    read_noise: float = 2.0
    channels: int = 1

    def count(self, light: Float, rng: Generator) -> NDArray[np.uint16]:
        """Return counts ``(H, W[, 3])`` of expected counts ``(H, W)`` above the ground."""
        expected = (light + self.ground) / self.gain
        counts = rng.poisson(np.maximum(expected, 0)) * self.gain
        counts = np.rint(counts + rng.normal(0, self.read_noise, light.shape))
        grey = np.clip(counts, 0, self.top).astype(np.uint16)
        if self.channels == 1:
            return grey
        return np.stack([grey // 5, grey, grey // 4], axis=-1)
