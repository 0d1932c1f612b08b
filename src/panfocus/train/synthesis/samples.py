"""What a synthesis makes: a pair with its truth, before and after the camera's flaws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from panfocus.arrays.types import Float


class Sample(NamedTuple):
    """One pair, or a batch of them with a leading axis.

    Attributes:
        first: ``(3, H, W)`` float32 in [0, 1].
        second: the same scene, focused elsewhere.
        truth: sharp everywhere (as sharp as the source picture was).
        mask: ``(H, W)``, 1 where `first` is the one to take.
        valid: ``(H, W)``, 1 where the two differ, so that there is evidence for `mask`.
        clean: ``(2, 3, H, W)``, first and second before noise and compression: what a loss on
            the fused picture should blend. Nobody can choose noise away, so noise in that loss
            is noise in its gradient and nothing else.
        noise: variance of the noise that each has, a scalar.
    """

    first: Float
    second: Float
    truth: Float
    mask: Float
    valid: Float
    clean: Float
    noise: Float


class Shots(NamedTuple):
    """A pair before the camera's flaws; arrays as in `Sample`, channels last."""

    first: Float
    second: Float
    truth: Float
    mask: Float


def mixed(inside: Float, outside: Float, mask: Float) -> Float:
    """Take `inside` where the mask is 1 and `outside` where it is 0."""
    return np.asarray(outside + mask[..., None] * (inside - outside), np.float32)


def planes(picture: Float) -> Float:
    """``(H, W, 3)`` to contiguous ``(3, H, W)``."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
