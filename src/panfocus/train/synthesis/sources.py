"""What samples are cut out of: pictures, and mattes for what stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.train.levels import Picture, unit
from panfocus.train.pictures import Pictures
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.odds import Odds

Byte = NDArray[np.uint8]
#: Pixels made around a crop and cut off again, so that blur finds real neighbours.
MARGIN = 10


@dataclass(frozen=True)
class Sources:
    """What samples are made from.

    Attributes:
        pictures: sharp ones, or defocused ones (Dual-Path), whose blur is then part of the truth.
        masks: from a folder of masks or mattes; may be empty.
        sharp_only: prefer crops without blurred edges; off for defocused pictures.
    """

    pictures: Pictures
    masks: Sequence[Byte] = ()
    sharp_only: bool = True


def source(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Float:
    """Cut a square out of the sources, often in other colours and tones, sometimes sharpened."""
    out = crop(rng, sources, size)
    if rng.random() < odds.crisp:
        soft = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.6, 1.4))
        out = np.clip(out + np.float32(rng.uniform(0.3, 1.8)) * (out - soft), 0, 1)
    if rng.random() < odds.recoloured:
        out = np.power(out[..., rng.permutation(3)], np.float32(1.6 ** rng.uniform(-1, 1)))
    return np.ascontiguousarray(out, np.float32)


def crop(rng: np.random.Generator, sources: Sources, size: int) -> Float:
    """Cut a square at a random scale of at most 1, sharp if it can be had in a few tries."""
    best: Picture | None = None
    least = 2.0
    held = sources.pictures
    for _ in range(8):
        number = mattes.pick(rng, len(held.colour))
        picture = held.colour[number]
        height, width = picture.shape[:2]
        largest = min(height, width, int(size * 2.5))
        window = int(size * (largest / size) ** rng.random()) if largest > size else largest
        top = mattes.pick(rng, height - window + 1)
        left = mattes.pick(rng, width - window + 1)
        rows, columns = slice(top, top + window), slice(left, left + window)
        soft = float(held.soft[number][rows, columns].mean()) / 255 if sources.sharp_only else 0.0
        if soft < least:
            best, least = picture[rows, columns], soft
        if least < 0.1:
            break
    assert best is not None
    if best.shape[0] != size:
        method = cv2.INTER_AREA if best.shape[0] > size else cv2.INTER_LINEAR
        best = np.asarray(cv2.resize(best, (size, size), interpolation=method), best.dtype)
    return unit(best)


def shape(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Float:
    """Return a matte, cut from the masks given or procedural."""
    if sources.masks and rng.random() < odds.from_masks:
        matte = mattes.cut_out(rng, sources.masks, size)
        if matte is not None:
            return matte
    return mattes.procedural(rng, size)


def front_of(rng: np.random.Generator, matte: Float, odds: Odds) -> Float:
    """Return the matte of what stands in front: solid as given, or hair, or letting light through.

    Odds of 0 draw nothing: samples of recipes without these kinds stay as they were.
    """
    if odds.hairy and rng.random() < odds.hairy:
        matte = mattes.hair(rng, matte.shape[0])
    if odds.translucent and rng.random() < odds.translucent:
        matte = np.asarray(matte * np.float32(rng.uniform(0.2, 0.8)), np.float32)
    return matte
