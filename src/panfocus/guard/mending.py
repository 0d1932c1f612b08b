"""What a second opinion takes in place of a decision, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.frozen import frozen

#: Sigma over which light is compared, pixels of the working scale.
LIGHT = 1.5
#: What remains of the confidence where a second opinion decided.
CONFIDENCE = 0.25


@frozen
class Mending:
    """What to take, and where.

    Attributes:
        mask: how much of it, ``(h, w)`` in [0, 1].
        weights: of the frames, ``(N, h, w)``.
    """

    mask: Float
    weights: Float


def mixed(greys: Sequence[Float] | Float, weights: Iterable[Float]) -> Float:
    """Return the luminance ``(h, w)`` of frames that are mixed by as many weights ``(h, w)``."""
    made = np.zeros_like(greys[0])
    for grey, weight in zip(greys, weights, strict=True):
        cv2.accumulateProduct(grey, weight, made)
    return made


def joined(weights: Float, mending: Mending) -> Float:
    """Return weights ``(N, h, w)``, mended."""
    return np.asarray(weights + (mending.weights - weights) * mending.mask, np.float32)


def replaced(picture: Float, frames: Float, mending: Mending) -> Float:
    """Return a picture ``(h, w, C)``, mended from frames ``(N, h, w, C)``."""
    taken = np.einsum("nhwc,nhw->hwc", frames, mending.weights)
    return np.asarray(picture + (taken - picture) * mending.mask[..., None], np.float32)


def one_of(index: NDArray[np.intp], count: int) -> Float:
    """Return weights of 1 for the frame of an index ``(h, w)``, ``(N, h, w)``."""
    return (index == np.arange(count)[:, None, None]).astype(np.float32)


def blurred_light(grey: Float) -> Float:
    """Return the light around every pixel, ``(h, w)``."""
    size = 2 * round(3 * LIGHT) + 1
    return np.asarray(cv2.GaussianBlur(grey, (size, size), LIGHT), np.float32)


def either(one: Float | None, other: Float | None) -> Float | None:
    """Return how far one or the other mask ``(h, w)`` holds; None where there is neither."""
    if one is None or other is None:
        return other if one is None else one
    return np.maximum(one, other)


def share_of(decided: Float | None) -> float:
    """Return the share of the picture in which a second opinion decided, for the report."""
    return 0.0 if decided is None else round(float((decided > 0.5).mean()), 4)


def remaining(decided: Float | None) -> Float | None:
    """Return what remains of the confidence, ``(h, w)``; None where no decision was mended.

    Args:
        decided: how far a second opinion decided, ``(h, w)`` in [0, 1].
    """
    return None if decided is None else 1 - decided * np.float32(1 - CONFIDENCE)
