"""Two frames as linear light on a scale of their own, and blurs of it that differ by place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.discs import GAMMA, disc_kernel
from panfocus.arrays.pixels import shrink
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen

#: Blurs that one stack of a picture may need between the least and the widest.
_MOST_RUNGS = 5
#: Two blurs next to each other differ by this factor at most.
_STEP = 1.25
#: Weights of a kernel from which on OpenCV goes through Fourier transforms, and the side of a disc
#: up to which it is quicker not to, part by part.
_TRANSFORMED = 130
_DIRECT = 19


@frozen
class Encoding:
    """How samples become linear light in [0, 1], and back.

    Attributes:
        top: the largest sample of both frames.
        gamma: of their encoding; 1 for light as measured.
    """

    top: float
    gamma: float

    @classmethod
    def of(cls, most: Sequence[float], *, is_linear: bool) -> Encoding:
        """Return the scale of frames with such largest samples."""
        top = max(most)
        return cls(top if top > 0 else 1.0, 1.0 if is_linear else GAMMA)

    def linear(self, samples: Pixels) -> Float:
        """Return linear light of samples, float32, same shape."""
        if samples.dtype.itemsize == 1:
            table = np.power(np.arange(256, dtype=np.float32) / self.top, self.gamma)
            light = cv2.LUT(samples, table.astype(np.float32))
            return np.asarray(light, np.float32).reshape(samples.shape)
        scaled = np.clip(samples.astype(np.float32) / np.float32(self.top), 0, 1)
        return np.asarray(np.power(scaled, np.float32(self.gamma)), np.float32)

    def samples(self, linear: Float) -> Float:
        """Return what samples such light makes, float32, same shape, not rounded."""
        power = np.power(np.clip(linear, 0, 1), np.float32(1 / self.gamma))
        return np.asarray(power * np.float32(self.top), np.float32)


def small(picture: Pixels, factor: int) -> Pixels:
    """Return a picture ``(H, W[, C])`` shrunk to ``(h, w, C)``."""
    out = shrink(picture, factor)
    return out if out.ndim == 3 else out[..., None]


def grey(light: Float) -> Float:
    """Return the mean of the colours of light ``(H, W, C)``: ``(H, W)``."""
    if light.shape[-1] == 1:
        return light[..., 0]
    return np.asarray(light @ np.full(light.shape[-1], 1 / light.shape[-1], np.float32))


def total(values: Float) -> Float:
    """Return the sum of the colours, ``(H, W)``: many times as fast as NumPy's own."""
    return np.asarray(values @ np.ones(values.shape[-1], np.float32), np.float32)


def brightest(light: Float) -> Float:
    """Return the largest of the colours, ``(H, W)``."""
    out, *others = cv2.split(light)
    for other in others:
        cv2.max(out, other, out)
    return np.asarray(out, np.float32)


def grown(values: Float, scale: int) -> Float:
    """Return a map or picture enlarged by a whole factor, bilinear, with as many axes."""
    if scale == 1:
        return values
    size = values.shape[1] * scale, values.shape[0] * scale
    large = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(size[1], size[0], *values.shape[2:])


def smooth(values: Float, sigma: float) -> Float:
    """Return a map smoothed by a Gaussian, same shape."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def mean_where(values: Float, where: Float, side: int) -> Float:
    """Return the mean over those pixels of a window that count, same shape.

    Args:
        values: a picture ``(H, W, C)``.
        where: how much each pixel counts, ``(H, W)`` in [0, 1].
        side: of the window, pixels.
    """
    count = np.asarray(cv2.blur(where, (side, side)), np.float32) + np.float32(1e-4)
    sums = np.asarray(cv2.blur(values * where[..., None], (side, side)), np.float32)
    return np.asarray(sums.reshape(values.shape) / count[..., None], np.float32)


def defocused(light: Float, radius: float) -> Float:
    """Return light ``(H, W)`` blurred by a disc; borders reflect; same shape.

    But for the last digits that of `panfocus.arrays.discs.disc`, which discs of 13 to 19 pixels
    cost two to four times as much.
    """
    kernel = _kernel(radius)
    if _TRANSFORMED <= kernel.size <= _DIRECT**2:
        return _in_parts(light, kernel)
    out = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.float32)


@lru_cache(64)
def _kernel(radius: float) -> Float:
    """Return a disc, which is not to be written to: all colours ask for the same."""
    return disc_kernel(radius)


def _in_parts(light: Float, kernel: Float) -> Float:
    """Return light ``(H, W)`` filtered by a square kernel, some of its rows after the other."""
    side, half, height = len(kernel), len(kernel) // 2, len(light)
    wide = cv2.copyMakeBorder(light, half, half, 0, 0, cv2.BORDER_REFLECT_101)
    out = np.zeros_like(light)
    count = -(-side // ((_TRANSFORMED - 1) // side))
    for first, last in pairwise(np.linspace(0, side, count + 1).astype(int).tolist()):
        rows = wide[first : last + height - 1]
        below = cv2.filter2D(
            rows, -1, kernel[first:last], anchor=(half, 0), borderType=cv2.BORDER_REFLECT_101
        )
        cv2.add(out, below[:height], out)
    return out


@frozen
class Blur:
    """A blur whose radius changes from place to place: discs of a few radii, mixed.

    Attributes:
        radii: of the discs, pixels, ascending.
        shares: of each for every pixel that sends out light, ``(H, W)``; None for one radius.
    """

    radii: tuple[float, ...]
    shares: tuple[Float, ...] | None

    @classmethod
    def of(cls, radius: Float, where: NDArray[np.bool_]) -> Blur:
        """Return the blur of a map of radii.

        Args:
            radius: pixels, ``(H, W)``.
            where: pixels that matter, ``(H, W)``: what is outside their range takes its ends.
        """
        low, high = (float(np.log(end)) for end in ends(radius[where], 0.05))
        count = int(np.clip(np.ceil((high - low) / np.log(_STEP)), 0, _MOST_RUNGS - 1)) + 1
        if count == 1:
            return cls((float(np.exp((low + high) / 2)),), None)
        place = (np.log(radius) - low) / (high - low) * (count - 1)
        place = np.clip(place, 0, count - 1)
        shares = [np.maximum(1 - np.abs(place - k), 0).astype(np.float32) for k in range(count)]
        radii = [float(np.exp(low + (high - low) * k / (count - 1))) for k in range(count)]
        return cls(tuple(radii), tuple(shares))

    def __call__(self, light: Float) -> Float:
        """Return light ``(H, W[, C])`` as it is seen out of focus."""
        # colour by colour: what is worked on together stays in the processor's cache
        planes = [self._of(np.asarray(plane, np.float32)) for plane in cv2.split(light)]
        return np.asarray(cv2.merge(planes), np.float32).reshape(light.shape)

    def _of(self, light: Float) -> Float:
        """Return one colour as it is seen out of focus, ``(H, W)``."""
        if self.shares is None:
            return defocused(light, self.radii[0])
        out = np.zeros_like(light)
        for radius, share in zip(self.radii, self.shares, strict=True):
            out += defocused(light * share, radius)
        return out
