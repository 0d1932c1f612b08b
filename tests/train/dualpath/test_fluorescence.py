from dataclasses import replace

import numpy as np
import pytest

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    fluorescence,
)


def volumes(supply, count, **changes):
    """Sets of fluorescence without JPEG, in the order of their seeds."""
    odds = replace(synthesis.Odds(jpeg=0), **changes)
    return [
        fluorescence.stack(np.random.default_rng(n), supply, 64, count, odds) for n in range(24)
    ]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_frame_to_take_of_fluorescence_holds_the_structures(supply, count):
    """Where a frame is named, it shows at least the contrast that the others show."""
    better = 0
    for made in volumes(supply, count):
        assert made.frames.shape == (count, 3, 64, 64)
        assert np.allclose(made.mask.sum(0), 1, atol=1e-5)
        assert 0 <= made.frames.min() <= made.frames.max() <= 1
        blended = np.einsum("nchw,nhw->chw", made.clean, made.mask)
        assert np.allclose(blended, made.truth, atol=1e-5)
        at = made.valid > 0
        if not at.any():
            continue
        ground = np.median(made.clean)
        kept, most = (np.abs(a - ground).max(0)[at].mean() for a in (made.truth, made.clean.max(0)))
        better += kept >= 0.8 * min(most, np.abs(made.clean - ground).max((0, 1))[at].mean())
    assert better >= 18


def test_an_empty_plane_is_never_the_one_to_take():
    claims = np.zeros((3, 8, 8), np.float32)
    claims[1, :4], claims[2, 4:6] = 1, 0.5
    claims[0] = -1
    mask = fluorescence.to_take(claims, 0)
    assert mask[0].max() == 0
    assert (mask[1, :4] == 1).all()
    assert (mask[2, 4:6] == 1).all()
    assert (mask[1:, 6:] == 0.5).all()


def test_photon_noise_grows_with_the_light_and_is_grey_where_frames_are():
    clean = np.tile(np.linspace(0, 1, 400, dtype=np.float32), (2, 3, 60, 1))
    for seed in range(12):
        frames, variance = fluorescence.photon_noise(np.random.default_rng(seed), clean)
        if variance == 0:
            continue
        assert np.array_equal(frames[:, 0], frames[:, 2])
        noise = (frames - clean)[:, 0, :, 40:360]
        assert noise[..., -100:].std() > noise[..., :100].std()
        tinted = clean.copy()
        tinted[:, 1] *= 0.5
        other, _ = fluorescence.photon_noise(np.random.default_rng(seed), tinted)
        assert not np.array_equal(other[:, 0], other[:, 2])
        return
    raise AssertionError("no draw had noise")
