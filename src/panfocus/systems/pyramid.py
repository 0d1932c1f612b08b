"""Laplacian pyramid fusion (Burt and Kolczynski, ICCV 1993): a picture, not a decision."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.card import Card

#: That OpenCV takes at once.
_MOST_CHANNELS = 128


def _each(do: Callable[[Any], Any], picture: Float) -> Float:
    """Return what OpenCV makes of a picture, of whose channels it takes no more than so many."""
    if picture.ndim < 3 or picture.shape[2] <= _MOST_CHANNELS:
        return np.asarray(do(picture), np.float32)
    starts = range(0, picture.shape[2], _MOST_CHANNELS)
    parts = [np.ascontiguousarray(picture[..., n : n + _MOST_CHANNELS]) for n in starts]
    made = [np.asarray(do(part), np.float32) for part in parts]
    return np.concatenate([one.reshape(*one.shape[:2], -1) for one in made], axis=2)


def _decompose(frame: Float, levels: int) -> list[Float]:
    bands: list[Float] = []
    current = frame
    for _ in range(levels):
        smaller = _each(cv2.pyrDown, current)
        size = (current.shape[1], current.shape[0])
        bands.append(current - _each(partial(cv2.pyrUp, dstsize=size), smaller))
        current = smaller
    return [*bands, current]


def _strongest(best: Float, new: Float) -> Float:
    """Keep, per pixel, all channels of the frame whose detail is stronger over 3x3 pixels."""

    def strength(band: Float) -> Float:
        energy = np.square(band).sum(axis=-1) if band.ndim == 3 else np.square(band)
        return np.asarray(cv2.blur(energy, (3, 3)), np.float32)

    won = strength(new) > strength(best)
    return np.where(won[..., None] if new.ndim == 3 else won, new, best)


class PyramidSystem:
    """Keep the strongest detail of every band, average the coarsest; streams any frame count."""

    @property
    def card(self) -> Card:
        """Its kind is "picture": there is no index, depth or confidence to be had."""
        return Card(
            name="pyramid",
            title="Laplacian pyramid",
            kind="picture",
            notes="Values that no frame holds can appear; noise of all frames adds up.",
        )

    def begin(self) -> PyramidRun:
        """Begin a stack."""
        return PyramidRun()


class PyramidRun:
    """The pyramid of the frames so far of one stack."""

    def __init__(self) -> None:
        self._bands: list[Float] = []
        self._count = 0
        self._shape: tuple[int, ...] = ()

    def push(self, frame: Float) -> None:
        """Take the next frame, ``(H, W[, C])`` float32 in [0, 1]."""
        self._shape = frame.shape
        frame = frame[..., 0] if frame.ndim == 3 and frame.shape[2] == 1 else frame
        levels = max(int(np.log2(min(frame.shape[:2]))) - 2, 1)
        bands = _decompose(frame, levels)
        self._count += 1
        if not self._bands:
            self._bands = bands
            return
        details = [_strongest(b, n) for b, n in zip(self._bands[:-1], bands[:-1], strict=True)]
        coarse = self._bands[-1] + (bands[-1] - self._bands[-1]) / np.float32(self._count)
        self._bands = [*details, np.asarray(coarse, np.float32)]

    def finish(self) -> Float:
        """Collapse the pyramid to ``(H, W[, C])`` in [0, 1]."""
        current = self._bands[-1]
        for band in reversed(self._bands[:-1]):
            size = (band.shape[1], band.shape[0])
            current = band + _each(partial(cv2.pyrUp, dstsize=size), current)
        return np.clip(current, 0, 1).reshape(self._shape)
