"""Light and fine detail of frames and of what was made of them, block by block.

Everything is looked at by half of the working scale: it is a second opinion, and must be cheap.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import floats, white
from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen

#: Side of a block, pixels of half the working scale.
SIDE = 8
#: A block has content if its best frame has this many times the detail of the flattest tenth.
_CONTENT = 3.0
_FLAT = 0.1
_FEWEST = 0.02
#: Side of the surroundings, in blocks, in which a result must be about as bright as a frame.
_AROUND = 5
_AS_BRIGHT = 0.97
#: Energy of the Laplacian of white noise of variance 1.
_WHITE = 20


@frozen
class Blocks:
    """What the blocks of a picture hold, ``(a, b)`` of them.

    Attributes:
        light: mean of every frame, ``(N, a, b)``.
        detail: energy of the Laplacian of every frame, ``(N, a, b)``.
        made_light: of the result, ``(a, b)``.
        made_detail: of the result.
        peak: brightest pixel of every frame, ``(N, a, b)``.
        made_peak: of the result, ``(a, b)``.
    """

    light: Float
    detail: Float
    made_light: Float
    made_detail: Float
    peak: Float
    made_peak: Float

    @classmethod
    def of(cls, halves: Float, made: Float) -> Blocks:
        """Measure frames ``(N, h, w)`` and the result ``(h, w)``."""
        light = np.stack([_pooled(half) for half in halves])
        detail = np.stack([_detail(half) for half in halves])
        peak = np.stack([_peak(half) for half in halves])
        return cls(light, detail, _pooled(made), _detail(made), peak, _peak(made))

    @property
    def best_detail(self) -> Float:
        """Detail of the frame that has most of it, ``(a, b)``."""
        return self.detail.max(axis=0)

    def content(self) -> NDArray[np.bool_]:
        """Where any frame has more than noise, ``(a, b)``; everywhere where that cannot be told.

        It cannot where all is about as detailed, such as a picture full of one tissue.
        """
        best = self.best_detail
        content = best > _CONTENT * ends(best, _FLAT)[0]
        return content if content.mean() >= _FEWEST else np.ones_like(content)

    def noise(self) -> float:
        """Sigma of a pixel of the working scale, if the flattest blocks hold white noise."""
        return 2 * math.sqrt(ends(self.best_detail, _FLAT)[0] / _WHITE)

    def light_noise(self) -> float:
        """Sigma of the mean of a block."""
        return self.noise() / (2 * SIDE)

    def sharpest_light(self) -> Float:
        """Light of the frame with most detail, ``(a, b)``."""
        sharpest = self.detail.argmax(axis=0)
        return np.take_along_axis(self.light, sharpest[None], axis=0)[0]

    def outshone(self, ground: float) -> NDArray[np.bool_]:
        """Where nothing around is as bright in the result as in the sharpest frame, ``(a, b)``.

        Where a light is sharp, a dark block beside it is right: the light itself is there.
        """
        sharpest = self.detail.argmax(axis=0)
        peak = np.take_along_axis(self.peak, sharpest[None], axis=0)[0]
        around = np.ones((_AROUND, _AROUND), np.uint8)
        made = cv2.dilate(self.made_peak, around)
        return np.asarray(made - ground < _AS_BRIGHT * (peak - ground), np.bool_)

    def usual_light(self) -> Float:
        """Median light of the frames, ``(a, b)``."""
        return median(self.light)


def grey_of(frame: Pixels) -> Float:
    """Return the mean of the channels in [0, 1], ``(h, w, C)`` to ``(h, w)``."""
    channels = frame.shape[-1]
    if channels == 1:
        return floats(frame[..., 0])
    if channels == 3:
        mean = np.full((1, 3), 1 / (3 * white(frame.dtype)), np.float32)
        return np.asarray(cv2.transform(frame.astype(np.float32, copy=False), mean), np.float32)
    return floats(frame).mean(axis=-1, dtype=np.float32)


def half(image: Float) -> Float:
    """Average squares of two by two pixels; an odd last row or column is left out."""
    height, width = (side // 2 for side in image.shape)
    even = image[: 2 * height, : 2 * width]
    small = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _pooled(image: Float) -> Float:
    """Return the mean of every whole block; of a picture smaller than one, its own."""
    rows, columns = (max(side // SIDE, 1) for side in image.shape)
    whole = image[: rows * SIDE, : columns * SIDE]
    return np.asarray(
        cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.float32
    ).reshape(rows, columns)


def _peak(image: Float) -> Float:
    """Return the brightest pixel of every block."""
    rows, columns = (max(side // SIDE, 1) for side in image.shape)
    whole = image[: rows * SIDE, : columns * SIDE]
    down, across = whole.shape[0] // rows, whole.shape[1] // columns
    # rows first, which lie one after the other: ten times as fast as both at once
    return whole.reshape(rows, down, -1).max(axis=1).reshape(rows, columns, across).max(axis=2)


def _detail(image: Float) -> Float:
    fine = cv2.Laplacian(image, cv2.CV_32F)
    return _pooled(np.asarray(cv2.multiply(fine, fine), np.float32))


def soft_map(blocks: Float, height: int, width: int) -> Float:
    """Bring a map of blocks to the working scale, soft between blocks: ``(a, b)`` to ``(h, w)``."""
    return enlarged(blocks, 2 * SIDE, (slice(0, height), slice(0, width)))
