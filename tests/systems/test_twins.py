"""Of frames that are the same in a tile one is looked at."""

import numpy as np
import pytest

from panfocus.systems.candidates import REDUCTION, SIDE, detail
from panfocus.systems.twins import leave_one

HALO = 8


def noise(count, height=2 * SIDE, width=2 * SIDE):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def left(frames, named=None):
    """Return who is left, and weights that all frames share."""
    rows, columns = (-(-side // SIDE) for side in frames.shape[1:3])
    tiles = np.ones((len(frames), rows, columns), np.bool_)
    if named is not None:
        tiles[...] = np.isin(np.arange(len(frames)), named)[:, None, None]
    small = frames.shape[1] // REDUCTION, frames.shape[2] // REDUCTION
    weights = np.full((len(frames), *small), 1 / len(frames), np.float32)
    details = np.stack([detail(frame) for frame in frames])
    leave_one(frames, tiles, weights, details, HALO)
    return tiles, weights


def test_frames_that_differ_all_stay():
    tiles, weights = left(noise(3))
    assert tiles.all()
    assert (weights == np.float32(1 / 3)).all()


def test_the_first_of_equals_has_the_weight_of_all():
    frames = noise(4)
    frames[2] = frames[3] = frames[1]
    tiles, weights = left(frames)
    assert tiles.all(axis=(1, 2)).tolist() == [True, True, False, False]
    np.testing.assert_allclose(weights[:, 3, 3], [0.25, 0.75, 0, 0])
    np.testing.assert_allclose(weights.sum(axis=0), 1)


def test_one_that_was_not_named_is_no_twin():
    frames = noise(3)
    frames[2] = frames[0]
    tiles, weights = left(frames, named=[1, 2])
    assert tiles[:, 0, 0].tolist() == [False, True, True]
    assert (weights == np.float32(1 / 3)).all()


@pytest.mark.parametrize("size", [(2 * SIDE, 2 * SIDE), (SIDE + 45, 2 * SIDE + 3)])
def test_where_frames_differ_in_one_tile_they_are_twins_in_the_others(size):
    frames = noise(2, *size)
    frames[1] = frames[0]
    frames[1, 3, 5] += 9
    tiles, weights = left(frames)
    assert tiles[:, 0, 0].all()
    assert tiles[0].all()
    assert tiles[1].sum() == 1
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert (weights[1, : SIDE // REDUCTION, : SIDE // REDUCTION] == 0.5).all()
    assert (weights[1, SIDE // REDUCTION :] == 0).all()


def test_a_pixel_beside_the_tile_that_is_read_with_it_tells_frames_apart():
    frames = noise(2)
    frames[1] = frames[0]
    frames[1, 50, SIDE + HALO - 1] += 9
    tiles, _ = left(frames)
    assert tiles[:, 0, 0].all()
    frames[1] = frames[0]
    frames[1, 50, SIDE + 5 * HALO] += 9
    tiles, _ = left(frames)
    assert tiles[:, 0, 0].tolist() == [True, False]


def test_detail_alone_makes_no_twins():
    """A frame that is brighter all over has the same detail."""
    frames = noise(2) // 2
    frames[1] = frames[0] + 20
    assert left(frames)[0].all()
