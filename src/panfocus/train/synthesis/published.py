"""The pairs that DRPL was published with."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.train.levels import unit
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.degradation import jpeg
from panfocus.train.synthesis.samples import Sample, mixed, planes
from panfocus.train.synthesis.sources import Sources


def published(rng: np.random.Generator, sources: Sources, size: int) -> Sample:
    """Make one sample as the authors did (FOUND: crops, masks, composites; MEASURED: blur).

    The crop is one of nine, stride 64, of the picture's central 256 x 256. The authors' 213
    templates are not to be had: a smooth blob covering 37 to 78 % stands in for one (INFERRED).
    JPEG quality 95 is OpenCV's default (INFERRED).
    """
    held = sources.pictures.colour
    picture = held[mattes.pick(rng, len(held))]
    starts = [
        (side - 2 * size) // 2 + mattes.pick(rng, 3) * size // 2 for side in picture.shape[:2]
    ]
    top, left = (
        int(np.clip(s, 0, side - size)) for s, side in zip(starts, picture.shape[:2], strict=True)
    )
    truth = unit(picture[top : top + size, left : left + size])
    blurred = truth
    for _ in range(int(rng.integers(1, 4))):
        blurred = np.asarray(cv2.GaussianBlur(blurred, (7, 7), 1.5), np.float32)
    coarse = rng.standard_normal((3, 3), dtype=np.float32)
    field = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))
    mask = np.asarray(field > np.quantile(field, rng.uniform(0.22, 0.63)), np.float32)
    first = jpeg(mixed(truth, blurred, mask), 95)
    second = jpeg(mixed(blurred, truth, mask), 95)
    if rng.random() < 0.5:
        first, second, mask = second, first, 1 - mask
    pair = np.stack((planes(first), planes(second)))
    noise = np.zeros((), np.float32)
    return Sample(pair[0], pair[1], planes(truth), mask, np.ones_like(mask), pair, noise)
