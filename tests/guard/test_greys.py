"""Luminances of frames, reduced in bands."""

import numpy as np
import pytest

from panfocus.guard.blocks import grey_of, half
from panfocus.guard.greys import Greys


def frames(dtype, shape, count=2):
    noise = np.random.default_rng(3).random((count, *shape), dtype=np.float32)
    return noise if dtype == np.float32 else (noise * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(601, 519, 3), (600, 518, 1), (130, 700, 4), (5, 7, 3)])
def test_bands_are_reduced_as_the_whole_is(dtype, shape):
    made = frames(dtype, shape)
    expected = np.stack([half(grey_of(frame)) for frame in made])
    assert np.array_equal(Greys(list(made)).halves, expected)


def test_what_a_frame_does_not_show_is_filled_at_both_scales():
    made = frames(np.uint8, (40, 60, 3), 3)
    mask = np.ones((40, 60), bool)
    mask[:, :20] = False
    greys = Greys(made, (mask, None, None))
    others = (grey_of(made[1]) + grey_of(made[2])) / 2
    assert np.allclose(greys.whole[0][:, :20], others[:, :20], atol=1e-6)
    assert np.array_equal(greys.whole[0][:, 20:], grey_of(made[0])[:, 20:])
    assert np.array_equal(greys.halves[0], half(greys.whole[0]))
