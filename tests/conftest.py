"""Scenes that the tests make themselves; nothing is read from outside."""

import cv2
import numpy as np
import pytest
from hypothesis import settings

# how long one example takes says more of the machine's load than of the code
settings.register_profile("panfocus", deadline=None)
settings.load_profile("panfocus")


def texture(height, width, seed=0, channels=3):
    """Photograph-like uint8 texture: detail at every scale, (H, W, C) or (H, W)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((height, width, channels), np.float32)
    for sigma, gain in ((0.6, 30), (2, 60), (8, 120), (24, 300)):
        noise = rng.standard_normal((height, width, channels)).astype(np.float32)
        out += gain * cv2.GaussianBlur(noise, (0, 0), sigma).reshape(out.shape)
    out = np.clip(out + 128, 0, 255).astype(np.uint8)
    return out if channels > 1 else out[..., 0]


def blurred(picture, sigma=3.0):
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def focal_pair(height=96, width=128, seed=0, channels=3):
    """Two frames, left half sharp in the first, right half in the second; and the truth."""
    sharp = texture(height, width, seed, channels)
    soft = blurred(sharp)
    left = sharp.copy()
    left[:, width // 2 :] = soft[:, width // 2 :]
    right = sharp.copy()
    right[:, : width // 2] = soft[:, : width // 2]
    return np.stack([left, right]), sharp


def in_strips(sharp, soft, count):
    """`count` frames, each sharp in its own vertical strip."""
    edges = np.linspace(0, sharp.shape[1], count + 1).astype(int)
    frames = np.repeat(soft[None], count, axis=0)
    for n in range(count):
        frames[n][:, edges[n] : edges[n + 1]] = sharp[:, edges[n] : edges[n + 1]]
    return frames


def focal_stack(count=5, height=80, width=120, seed=0):
    """`count` frames, each sharp in its own vertical strip; and the truth."""
    sharp = texture(height, width, seed)
    return in_strips(sharp, blurred(sharp), count), sharp


def psnr(a, b):
    error = a.astype(np.float64) - b.astype(np.float64)
    peak = 255 if a.dtype == np.uint8 else 65535
    return 10 * np.log10(peak**2 / max(float(np.mean(error**2)), 1e-12))


@pytest.fixture
def pair():
    return focal_pair()


@pytest.fixture
def stack():
    return focal_stack()
