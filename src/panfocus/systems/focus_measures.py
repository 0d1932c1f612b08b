"""Classical focus measures as systems: no weights to load, nothing to train.

Each measures the local energy of fine detail; `guided` also serves as the imperfect mask that a
self-supervised system learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from panfocus.arrays.guided_filter import guided_coefficients
from panfocus.arrays.pixels import shrink, white, without_negatives
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.card import Card
from panfocus.systems.checks import check_frames

if TYPE_CHECKING:
    from cv2.typing import MatLike

Measure = Callable[[Pixels], Float]

#: Share of the picture taken to be flat, and how much more than its energy noise may have.
NOISE_QUANTILE = 0.1
NOISE_GAIN = 2.0
#: Pixels of full scale that are measured at once.
BAND = 1 << 17
#: Coarse detail: its scale against the working scale, and its weight against fine detail.
COARSE = 4
COARSE_SHARE = 0.03
#: The same for detail that only the noisiest pictures are asked for, and the noise in grey levels
#: of 255 at which that begins and is complete. It would cost lights beyond white, which have none.
COARSEST = 16
NOISY = (1.0, 2.0)
#: Energy of the squared modified Laplacian of white noise of variance 1.
_NOISE_ENERGY = 21.4

_SECOND = np.array([[-1, 2, -1]], np.float32)


def _signed(luminance: Pixels) -> int:
    """Return the cheapest OpenCV depth that holds a signed derivative of this dtype."""
    return cv2.CV_16S if luminance.dtype == np.uint8 else cv2.CV_32F


def _square_sum(first: MatLike, second: MatLike) -> Float:
    a = cv2.multiply(first, first, dtype=cv2.CV_32F)
    return np.asarray(cv2.add(a, cv2.multiply(second, second, dtype=cv2.CV_32F)), np.float32)


def sum_modified_laplacian(luminance: Pixels) -> Float:
    """Squared modified Laplacian ``(|d2/dx2| + |d2/dy2|)^2`` (Nayar and Nakagawa, PAMI 1994).

    The square lets a sharp point outweigh the long soft rim of its own defocus disc, which is
    what bright lights make of a plain sum (measured in docs/decisions/0001-guided.md).
    """
    depth = _signed(luminance)
    across, down = (cv2.filter2D(luminance, depth, kernel) for kernel in (_SECOND, _SECOND.T))
    np.abs(across, out=across)
    np.abs(down, out=down)
    total = np.add(across, down, out=across)
    return np.asarray(cv2.multiply(total, total, dtype=cv2.CV_32F), np.float32)


def tenengrad(luminance: Pixels) -> Float:
    """Squared Sobel gradient (Krotkov, IJCV 1988)."""
    depth = _signed(luminance)
    return _square_sum(cv2.Sobel(luminance, depth, 1, 0), cv2.Sobel(luminance, depth, 0, 1))


def spatial_frequency(luminance: Pixels) -> Float:
    """Squared first differences along rows and columns (Eskicioglu and Fisher, 1995)."""
    depth = _signed(luminance)
    step = np.array([[-1, 1]], np.float32)
    return _square_sum(cv2.filter2D(luminance, depth, step), cv2.filter2D(luminance, depth, step.T))


def local_variance(luminance: Pixels) -> Float:
    """Variance in a 3x3 neighbourhood."""
    value = luminance.astype(np.float32)
    mean = cv2.blur(value, (3, 3))
    square = cv2.blur(value * value, (3, 3))
    return np.maximum(np.asarray(square - mean * mean, np.float32), 0)


MEASURES: Mapping[str, Measure] = {
    "sml": sum_modified_laplacian,
    "tenengrad": tenengrad,
    "sf": spatial_frequency,
    "variance": local_variance,
}


def _noisiness(energy: float, luminance: Pixels) -> float:
    """Return how far noise of this fine energy lies between the two levels of `NOISY`, [0, 1]."""
    level = white(luminance.dtype) / 255
    sigma = float(np.sqrt(energy / _NOISE_ENERGY)) / level
    return float(np.clip((sigma - NOISY[0]) / (NOISY[1] - NOISY[0]), 0, 1))


@dataclass(frozen=True)
class FocusMeasureSystem:
    """The frame with most local detail wins; the edge of the decision follows the picture.

    Attributes:
        card: its name says the measure.
        measure: energy of detail per pixel, full scale; of its neighbours it sees the next alone.
        window: sigma of the Gaussian that pools the energy, pixels of the working scale.
        radius: of the guided filter on the decision, pixels of the working scale.
        epsilon: of the guided filter, on luminance in [0, 1].
        keeps_spots: spots on a dark ground that it loses are taken from the frames that show them.
    """

    card: Card
    measure: Measure = sum_modified_laplacian
    window: float = 3.0
    radius: int = 2
    epsilon: float = 0.01
    keeps_spots: bool = True

    def evidence(self, luminance: Pixels, factor: int) -> Float:
        """Return pooled energy ``(h, w)`` of fine detail, and a little of coarse detail.

        Fine energy is measured at full scale, then pooled; what the flattest tenth of the picture
        shows is taken for noise. Where that leaves nothing, the coarse part decides, so that a
        background which no frame has in focus takes its least blurred frame and not speckle; in
        noisy pictures a still coarser part helps.
        """
        fine = self._pooled(self._measured(luminance, factor))
        fine_sample = fine[::4, ::4].ravel()
        rank = int(NOISE_QUANTILE * (fine_sample.size - 1))
        noise = np.partition(fine_sample, rank)[rank]
        fine -= np.float32(NOISE_GAIN * noise)
        without_negatives(fine)
        for scale, share in ((COARSE, 1.0), (COARSEST, _noisiness(noise, luminance))):
            step = scale * factor
            if share > 0 and min(luminance.shape) >= 4 * step:
                coarse = self._pooled(self.measure(shrink(luminance, step)))
                coarse = cv2.resize(coarse, fine.shape[::-1], interpolation=cv2.INTER_LINEAR)
                cv2.scaleAdd(coarse, COARSE_SHARE * share, fine, fine)
        return fine

    def _measured(self, luminance: Pixels, factor: int) -> Float:
        """Return the energy of detail, measured at full scale and shrunk to the working scale.

        In bands of rows that stay in the processor's cache: the energy at full scale is four times
        as large as the luminance, and never whole.
        """
        height, width = (side // factor for side in luminance.shape)
        out = np.empty((height, width), np.float32)
        step = max(BAND // (width * factor * factor), 1)
        for top in range(0, height, step):
            stop = min(top + step, height)
            first, last = top * factor, stop * factor
            above, below = min(first, 1), min(luminance.shape[0] - last, 1)
            band = self.measure(luminance[first - above : last + below])
            out[top:stop] = shrink(band[above : above + last - first], factor)
        return out

    def _pooled(self, energy: Float) -> Float:
        # three sigmas: OpenCV's own choice for floats, four, costs twice as much and decides alike
        size = 2 * round(3 * self.window) + 1
        pooled = cv2.GaussianBlur(energy, (size, size), self.window, borderType=cv2.BORDER_REFLECT)
        return np.asarray(pooled, np.float32)

    def decide(self, frames: Float) -> Float:
        """Return refined weights ``(N, H, W)`` for float32 frames ``(N, H, W, C)``."""
        check_frames(frames)
        grey = frames.mean(axis=-1, dtype=np.float32)
        evidence = np.stack([self.evidence(g, 1) for g in grey])
        winner = evidence.argmax(axis=0)
        weights = np.empty(grey.shape, np.float32)
        for n, guide in enumerate(grey):
            won = (winner == n).astype(np.float32)
            slope, offset = guided_coefficients(guide, won, self.radius, self.epsilon)
            weights[n] = np.clip(slope * guide + offset, 0, 1)
        return weights / np.maximum(weights.sum(axis=0), 1e-6)


def classical_systems() -> dict[str, FocusMeasureSystem]:
    """Return the focus-measure systems by name; `guided` is the recommended one."""
    titles = {
        "sml": "squared sum-modified-Laplacian, guided filter",
        "tenengrad": "Tenengrad, guided filter",
        "sf": "spatial frequency, guided filter",
        "variance": "local variance, guided filter",
    }
    out: dict[str, FocusMeasureSystem] = {}
    for key, measure in MEASURES.items():
        name = "guided" if key == "sml" else f"guided-{key}"
        card = Card(
            name=name,
            title=titles[key],
            halo=16,
            working_pixels=3_000_000,
            notes="Lights far beyond white can leave rims where their defocus disc is clipped.",
        )
        out[name] = FocusMeasureSystem(card, measure)
    return out
