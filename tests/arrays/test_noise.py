"""The estimate of noise, against its definition by a moving mean."""

import cv2
import numpy as np
import pytest

from panfocus.arrays.noise import _BLOCK, _MASK, _block_means, noise_variance


@pytest.mark.parametrize("size", [(9, 9), (45, 63), (50, 58), (53, 55), (20, 16)])
def test_block_means_are_the_moving_mean_at_their_centres(size):
    grey = np.random.default_rng(0).random(size).astype(np.float32)
    energy = np.square(cv2.filter2D(grey, cv2.CV_32F, _MASK))
    moving = cv2.blur(energy, (_BLOCK, _BLOCK))[_BLOCK // 2 :: _BLOCK, _BLOCK // 2 :: _BLOCK]
    np.testing.assert_allclose(_block_means(energy), moving, rtol=1e-4)


def test_white_noise_is_measured_on_a_slope():
    rng = np.random.default_rng(1)
    slope = np.linspace(0, 200, 400, dtype=np.float32)[None, :].repeat(300, 0)
    noisy = (slope + rng.normal(0, 3, slope.shape)).astype(np.float32)
    assert noise_variance(noisy) == pytest.approx(9, rel=0.5)
    assert noise_variance(slope) < 0.01
