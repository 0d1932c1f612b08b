"""Which frame won where: kept in bands, from any part of a decision."""

import numpy as np
import pytest

from panfocus.fusion.running_maps import RunningMaps, Winners


@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize(("height", "width"), [(7, 5), (3, 40_000), (130, 901)])
def test_the_frame_of_the_largest_weight_has_won(height, width, kind):
    rng = np.random.default_rng(height)
    maps = Winners(height, width, 2)
    weights = [np.ones((height, width), np.float64)]
    for number in range(3, 8):
        twice = rng.random((2 * height, 2 * width)).astype(np.float32)
        twice = (twice > 0.7).astype(np.float32) if kind == "hard" else twice
        alpha = twice[1::2, 1::2]
        maps.update((slice(None), slice(None)), alpha, number)
        weights = [one * (1 - alpha.astype(np.float64)) for one in weights] + [alpha]
    ordered = np.sort(weights, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-5
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(maps.index[clear], 2 + np.argmax(weights, axis=0)[clear])
    np.testing.assert_allclose(maps.largest, ordered[-1], atol=1e-5)


def test_only_the_tile_changes():
    maps = RunningMaps(60, 50, 0)
    tile = (slice(10, 40), slice(20, 50))
    maps.update(tile, np.full((30, 30), 0.75, np.float32), 4)
    inside = np.zeros((60, 50), bool)
    inside[tile] = True
    np.testing.assert_array_equal(maps.index, np.where(inside, 4, 0))
    np.testing.assert_array_equal(maps.depth, np.where(inside, 3, 0))
    np.testing.assert_array_equal(maps.largest, np.where(inside, 0.75, 1))
