import numpy as np
import pytest

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    focal_stacks,
    misfire,
)


@pytest.mark.parametrize("count", [2, 4])
def test_a_frame_that_shows_nothing_is_never_taken_where_it_is_lost(supply, count):
    odds = synthesis.Odds(noise=0, jpeg=0, moved=0)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        made = focal_stacks.stack(rng, supply, 64, count, odds)
        out = misfire.misfired(rng, made)
        changed = [n for n in range(count) if not np.array_equal(made.clean[n], out.clean[n])]
        assert len(changed) == 1
        gone = np.abs(out.clean[changed[0]] - made.clean[changed[0]]).max(0) > 0.2
        assert out.mask[changed[0]][gone].max() == 0
        assert np.allclose(out.mask.sum(0), 1)
        assert out.valid[gone].min() == 1
        # what is asked for can be had: the best of what is left
        blended = np.einsum("nchw,nhw->chw", out.clean, out.mask)
        was_best = gone & (made.mask[changed[0]] > 0)
        assert np.allclose(blended[:, was_best], out.truth[:, was_best], atol=1e-5)
