"""Frames that show nothing: a flash that did not fire, a lamp left on, a plane not taken.

OURS. One frame of a made set goes black, white or grey, whole or in a part. Whatever it had in
focus, the best of the others is to be taken there.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.train.dualpath.stack import MadeStack
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.degradation import noisy

#: Share of sets in which only a part of the frame is lost.
PARTLY = 0.3


def misfired(rng: np.random.Generator, made: MadeStack) -> MadeStack:
    """Return a set in which one frame is lost."""
    lost = int(rng.integers(len(made.frames)))
    size = made.valid.shape[-1]
    where = mattes.half_plane(rng, size) if rng.random() < PARTLY else np.ones((size, size))
    where = np.asarray(where, np.float32)
    clean = made.clean.copy()
    clean[lost] = blank(rng, clean[lost]) * where + clean[lost] * (1 - where)
    frames = made.frames.copy()
    shown = noisy(rng, clean[lost], 0.015 * rng.random())
    frames[lost] = np.where(where > 0, shown, frames[lost])
    others = second_best(made.truth, clean, lost)
    gone = where > 0
    mask = np.where(gone, others, made.mask).astype(np.float32)
    instead = np.einsum("nchw,nhw->chw", clean, others, dtype=np.float32)
    truth = np.where(gone & (made.mask[lost] > 0), instead, made.truth).astype(np.float32)
    valid = np.where(gone, 1, made.valid).astype(np.float32)
    return made._replace(frames=frames, truth=truth, mask=mask, valid=valid, clean=clean)


def blank(rng: np.random.Generator, frame: Float) -> Float:
    """Return what is left of a frame ``(3, H, W)``: mostly nearly black."""
    kind = rng.random()
    if kind < 0.7:
        return frame * np.float32(0.08 * rng.random()) + np.float32(0.04 * rng.random())
    level = 1.0 if kind < 0.8 else rng.random()
    return np.full_like(frame, level)


def second_best(truth: Float, clean: Float, lost: int) -> Float:
    """Return the mask ``(N, H, W)`` of the frame nearest to the truth but for the lost one."""
    away = np.abs(clean - truth).mean(1)
    around = np.stack([np.asarray(cv2.blur(a, (7, 7)), np.float32) for a in away])
    around[lost] = np.inf
    best = np.arange(len(clean))[:, None, None] == around.argmin(0)
    return best.astype(np.float32)
