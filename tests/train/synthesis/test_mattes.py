import numpy as np
import pytest

from panfocus.train.synthesis import mattes


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    "shape", [mattes.noise_blob, mattes.half_plane, mattes.discs, mattes.lines]
)
def test_shapes_are_mattes(shape):
    drawn = [shape(rng(seed), 48) for seed in range(12)]
    assert all(m.shape == (48, 48) and m.dtype == np.float32 for m in drawn)
    assert all(0 <= m.min() and m.max() <= 1 for m in drawn)
    assert sum(0.0 < m.mean() < 1 for m in drawn) >= 11


def test_masks_given_are_cut_where_they_have_a_boundary():
    mask = np.zeros((80, 80), np.uint8)
    mask[:, 40:] = 255
    matte = mattes.cut_out(rng(), [mask], 32)
    assert matte is not None
    assert 0.02 < matte.mean() < 0.98
    assert mattes.cut_out(rng(), [np.zeros((80, 80), np.uint8)], 32) is None
