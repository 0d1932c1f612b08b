"""Pixels of a sensor that are bright or dark whatever it sees: found in all frames, and mended.

A hot or dead pixel stays where it is while the scene goes in and out of focus: a sample is spoilt
if it stands out from all samples of the ring at a distance of two pixels, in every frame that is
looked at. At that distance it does, too, where a camera has spread it over its neighbours by
interpolating colours; those that stand out with it are spoilt as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.noise import noise_variance
from panfocus.arrays.pixels import luminance, white
from panfocus.arrays.types import Pixels

#: Standing out begins at this share of white, and at so many deviations of the noise.
_SHARE, _DEVIATIONS = 0.04, 8.0
#: More than this share of all samples is no sensor's fault: the scene is such, or the noise.
MOST_SHARE = 0.005
_OFFSETS = np.array([(y, x) for y in range(-2, 3) for x in range(-2, 3)])
_INNER = np.abs(_OFFSETS).max(axis=1) <= 1
_RING = 1 - np.pad(np.ones((3, 3), np.uint8), 1)

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SpoiltPixels:
    """Samples of frames that tell nothing, and what they are mended by.

    Attributes:
        at: ``(N,)`` places of the samples in a frame that is laid flat, channels last.
        around: ``(N, 24)`` of those around each; -1 for none, or a spoilt one.
        shape: ``(H, W, C)`` of the frames, without opacity.
    """

    at: Index
    around: Index
    shape: tuple[int, int, int]

    @classmethod
    def of(
        cls, rows: Index, columns: Index, channels: Index, shape: tuple[int, int, int]
    ) -> SpoiltPixels:
        """Return the samples at these places, each once."""
        at = distinct(np.ravel_multi_index((rows, columns, channels), shape))
        row, column, channel = np.unravel_index(at, shape)
        near = _OFFSETS[(_OFFSETS != 0).any(axis=1)]
        y, x = row[:, None] + near[:, 0], column[:, None] + near[:, 1]
        inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        y, x = y.clip(0, shape[0] - 1), x.clip(0, shape[1] - 1)
        around = np.ravel_multi_index((y, x, np.broadcast_to(channel[:, None], y.shape)), shape)
        place = np.searchsorted(at, around).clip(0, max(len(at) - 1, 0))
        is_spoilt = at[place] == around if len(at) else np.zeros_like(inside)
        return cls(at, np.where(inside & ~is_spoilt, around, -1), shape)

    @property
    def count(self) -> int:
        """How many samples."""
        return len(self.at)

    def mend(self, colours: Pixels) -> None:
        """Put the median of the samples around into every spoilt one.

        Args:
            colours: ``(H, W, C)`` in one piece, of any dtype; changed.
        """
        flat = colours.reshape(-1)
        values = np.where(self.around >= 0, flat[self.around].astype(np.float32), np.nan)
        known = ~np.isnan(values).all(axis=1)  # else a whole region is spoilt
        medians = np.nanmedian(values[known], axis=1)
        flat[self.at[known]] = medians if flat.dtype.kind == "f" else np.rint(medians)


def join(one: SpoiltPixels, other: SpoiltPixels) -> SpoiltPixels:
    """Return the samples of both."""
    at = distinct(np.concatenate([one.at, other.at]))
    rows, columns, channels = np.unravel_index(at, one.shape)
    return SpoiltPixels.of(rows, columns, channels, one.shape)


def find_spoilt(frames: Iterable[Pixels]) -> SpoiltPixels:
    """Return the samples that stand out in every frame.

    Args:
        frames: ``(H, W[, C])`` uint8 or uint16 of one size, without opacity; one held at a time.
    """
    found: dict[int, _Suspects] = {}
    shape = (0, 0, 0)
    for frame in frames:
        pixels = frame if frame.ndim == 3 else frame[..., None]
        shape = pixels.shape
        threshold = _threshold(pixels)
        for sign in (1, -1):
            if sign in found:
                found[sign].keep(pixels, threshold)
            else:
                found[sign] = _Suspects.of(pixels, threshold, sign)
    parts = [suspects.samples() for suspects in found.values()]
    rows, columns, channels = (np.concatenate(part) for part in zip(*parts, strict=True))
    rows, columns = _mirrored(rows, shape[0]), _mirrored(columns, shape[1])
    return SpoiltPixels.of(rows, columns, channels, shape)


def _threshold(pixels: Pixels) -> float:
    grey = luminance(pixels).astype(np.float32)
    noise = float(np.sqrt(noise_variance(grey)))
    return max(_SHARE * white(pixels.dtype), _DEVIATIONS * noise)


def _mirrored(places: Index, length: int) -> Index:
    """Return places beyond a border, by two at most, as their mirror images."""
    return np.abs(length - 1 - np.abs(length - 1 - places)).clip(0, length - 1)


@dataclass
class _Suspects:
    """Samples that stood out in every frame so far, and which of their neighbours did with them."""

    at: tuple[Index, Index, Index]
    beside: NDArray[np.bool_]
    sign: int

    @classmethod
    def of(cls, pixels: Pixels, threshold: float, sign: int) -> _Suspects:
        ring = (cv2.dilate if sign > 0 else cv2.erode)(pixels, _RING)
        ring = np.asarray(ring, pixels.dtype).reshape(pixels.shape)
        pair = (pixels, ring) if sign > 0 else (ring, pixels)
        out = np.asarray(cv2.subtract(*pair)).reshape(pixels.shape)  # not below zero
        rows, columns, channels = np.nonzero(out > threshold)
        suspects = cls((rows, columns, channels), np.ones((len(rows), 9), np.bool_), sign)
        suspects.keep(pixels, threshold)
        return suspects

    def keep(self, pixels: Pixels, threshold: float) -> None:
        """Leave those that stand out in this frame as well."""
        rows, columns, channels = self.at
        height, width = pixels.shape[:2]
        y = _mirrored(rows[:, None] + _OFFSETS[:, 0], height)
        x = _mirrored(columns[:, None] + _OFFSETS[:, 1], width)
        values = self.sign * pixels[y, x, channels[:, None]].astype(np.float32)
        apart = values[:, _INNER] - values[:, ~_INNER].max(axis=1, keepdims=True)
        beside = self.beside & (apart > threshold / 4)
        stays = apart[:, 4] > threshold
        self.at = rows[stays], columns[stays], channels[stays]
        self.beside = beside[stays]

    def samples(self) -> tuple[Index, Index, Index]:
        rows, columns, channels = self.at
        which, place = np.nonzero(self.beside)
        near = _OFFSETS[_INNER][place]
        return rows[which] + near[:, 0], columns[which] + near[:, 1], channels[which]
