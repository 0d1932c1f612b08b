"""Where nothing is in focus: take away the grain that averaging frames has left.

What no frame has in focus is smooth, and grain lies over it. The picture is split into two bands of
detail and what is coarser. Around each pixel the energy of a band is compared with what noise alone
would give it there, which the averaging of frames knows (`panfocus.fusion.noise_averaging`): with v
the variance of the noise of a frame, k the frames averaged there and g the part of white noise that
lies in the band, noise alone gives ``v g / k``. A band is kept by

    share = clip((energy / (v g / k) - 1.5) / 2, 0, 1)

so detail that stands out of the noise stays as it is. No noise, no change.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.noise import coarse_noise_variance, noise_variance
from panfocus.arrays.pixels import luminance
from panfocus.arrays.tiles import Window, windows
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen

#: Gaussians that end the bands, standard deviations in pixels; over which their energy is averaged,
#: in sigmas of the band but in pixels at least. MEASURED: docs/decisions/0029.
_SIGMAS = (0.7, 1.4)
_AROUND = 5 / 3
#: Energy, in that of noise, up to which a band is noise; and how much more is certainly none.
_NOISE = 1.5
_SURE = 2.0
#: No pixel moves by more standard deviations of its noise: what stands out alone is no grain.
_MOST = 3.0
#: How much each colour counts for lightness, BT.601.
_LIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)
_TILE = 512
#: Pixels that noise is measured on, about, and rows of the strips that they are taken in.
_ENOUGH = 3_000_000
_STRIP = 72
_REACH = 24


@frozen
class Grain:
    """The noise that is left in a fused picture.

    Attributes:
        variance: of one frame's luminance, at full scale: of the finest noise and of coarser noise,
            as if either were a part of white noise.
        count: ``(h, w)`` at the working scale, frames that were averaged.
        kept: ``(h, w)`` in [0, 1], where nothing may be smoothed; None for nowhere.
    """

    variance: tuple[float, float]
    count: Float
    kept: Float | None = None


def smoothed(picture: Pixels, grain: Grain) -> Pixels:
    """Return a fused picture without grain where nothing but grain is seen.

    Args:
        picture: ``(H, W[, C])``, no opacity.
        grain: of it.
    """
    height, width = picture.shape[:2]
    sample = _sample(picture)
    grey = luminance(sample).astype(np.float32)
    left = noise_variance(grey), coarse_noise_variance(grey)
    # of frames that were interpolated less noise is left than they had
    most = float(grain.count.max())
    fine, coarse = (min(v, n * most) for v, n in zip(grain.variance, left, strict=True))
    if not left[1] or not coarse:
        return picture
    found = _Found(picture, (fine, coarse), _channels(sample, left[1]))
    out = picture.copy()
    for window in windows(height, width, _TILE, _REACH, 2):
        count = _nearest(grain.count, window.read, (height, width))
        kept = None if grain.kept is None else _nearest(grain.kept, window.read, (height, width))
        core = found.smoothed(window, count, kept)
        out[window.core] = core.reshape(out[window.core].shape)
    return out


def _sample(picture: Pixels) -> Pixels:
    """Return strips of a picture, enough of them to tell its noise by."""
    every = max(round(picture.shape[0] * picture.shape[1] / _ENOUGH), 1)
    strips = range(0, picture.shape[0], _STRIP * every)
    return np.concatenate([picture[top : top + _STRIP] for top in strips])


def _channels(picture: Pixels, left: float) -> Float:
    """Return the noise of each channel, in that of the luminance."""
    if picture.ndim == 2:
        return np.ones(1, np.float32)
    planes = (picture[..., c].astype(np.float32) for c in range(picture.shape[2]))
    each = [coarse_noise_variance(plane) for plane in planes]
    # a channel without noise is clipped, or flat: what stands out there is no noise
    return np.maximum(np.asarray(each, np.float32) / np.float32(left), np.float32(1e-3))


def _nearest(values: Float, read: tuple[slice, slice], shape: tuple[int, ...]) -> Float:
    """Return a part of a map of the working scale at full scale, nearest: counts stay counts."""
    rows, columns = (
        np.arange(int(span.start), int(span.stop)) * have // full
        for span, have, full in zip(read, values.shape, shape, strict=True)
    )
    return values[rows][:, columns]


@frozen
class _Found:
    """A picture and its noise.

    Attributes:
        picture: ``(H, W[, C])``.
        variance: of one frame's luminance, for each band.
        channels: noise of each channel, in that of the luminance.
    """

    picture: Pixels
    variance: tuple[float, float]
    channels: Float

    def smoothed(self, window: Window, count: Float, kept: Float | None) -> Pixels:
        """Return a window's core without grain.

        Args:
            window: of the picture; it begins at even rows and columns.
            count: ``(h, w)`` of all that it reads: frames that were averaged.
            kept: of the same, where nothing may be smoothed.
        """
        alone = np.asarray(1 / np.maximum(count, 1), np.float32)
        seen: Float = self.picture[window.read].astype(np.float32)
        seen = seen.reshape(*alone.shape, -1)
        taken = np.zeros_like(seen)
        colours, impulse, before = seen, _impulse(), 0.0
        for sigma, variance in zip(_SIGMAS, self.variance, strict=True):
            step, before = float(np.sqrt(sigma**2 - before**2)), sigma
            softer, broader = _blurred(colours, step), _blurred(impulse, step)
            band = colours - softer
            energy = self._energy(band, _AROUND * max(1.0, sigma))
            noise = _halved(alone) * max(variance * np.square(impulse - broader).sum(), 1e-12)
            lost = 1 - np.clip((energy / noise - _NOISE) / _SURE, 0, 1)
            taken += band * _doubled(lost, alone.shape)[..., None]
            colours, impulse = softer, broader
        if kept is not None:
            taken *= 1 - kept[..., None]
        rows, columns = window.inner
        most = _MOST * np.sqrt(alone[rows, columns, None] * max(self.variance) * self.channels)
        result = seen[window.inner] - np.clip(taken[window.inner], -most, most)
        result = result if self.picture.dtype.kind == "f" else np.rint(result)
        return result.astype(self.picture.dtype)

    def _energy(self, band: Float, around: float) -> Float:
        """Return the energy of a band at half scale, as of the luminance.

        Of the luminance, or the mean of all colours: two colours may be of one lightness.
        """
        if len(self.channels) == 1:
            return _blurred(_halved(np.asarray(np.square(band[..., 0]), np.float32)), around / 2)
        weights = _LIGHTNESS if len(self.channels) == 3 else np.full_like(self.channels, 1)
        grey = np.square(_mixed(band, np.asarray(weights / weights.sum(), np.float32)))
        shares = np.asarray(1 / (self.channels * len(self.channels)), np.float32)
        all_ = _mixed(np.square(band), shares)
        one, other = (_blurred(_halved(e), around / 2) for e in (grey, all_))
        return np.maximum(one, other)


def _mixed(colours: Float, weights: Float) -> Float:
    return np.asarray(cv2.transform(colours, weights[None]), np.float32)


def _blurred(values: Float, sigma: float) -> Float:
    side = 2 * int(np.ceil(2.5 * sigma)) + 1
    found = np.asarray(cv2.GaussianBlur(values, (side, side), sigma), np.float32)
    return found.reshape(values.shape)


def _halved(values: Float) -> Float:
    """Return the means of squares of two pixels' side."""
    height, width = values.shape[:2]
    if height % 2 or width % 2:
        more = (0, height % 2, 0, width % 2)
        values = np.asarray(cv2.copyMakeBorder(values, *more, cv2.BORDER_REPLICATE), np.float32)
    size = values.shape[1] // 2, values.shape[0] // 2
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _doubled(values: Float, shape: tuple[int, ...]) -> Float:
    size = 2 * values.shape[1], 2 * values.shape[0]
    large = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return large[: shape[0], : shape[1]]


def _impulse() -> Float:
    out = np.zeros((33, 33), np.float32)
    out[16, 16] = 1
    return out
