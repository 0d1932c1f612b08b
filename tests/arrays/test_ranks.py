import numpy as np
import pytest

from panfocus.arrays.ranks import ends, median, winners


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (26, 3), (901, 3), (900, 1)])
def test_the_median_is_that_of_numpy_bit_for_bit(shape, dtype):
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    ours, theirs = median(values), np.median(values, axis=0)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 7, 25, 900, 901])
def test_the_median_of_each_row_is_that_of_numpy_bit_for_bit(count, dtype):
    values = np.random.default_rng(count).normal(size=(9, count)).astype(dtype)
    values[3] = np.round(values[3])  # many that are equal
    expected = np.median(values, axis=1)
    found = median(values, axis=1)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_ends_are_the_nearest_values_to_percentiles(dtype):
    values = np.random.default_rng(1).uniform(0, 250, (37, 91)).astype(dtype)
    for outside in (0, 0.001, 0.2, 0.5):
        expected = np.percentile(values, (100 * outside, 100 - 100 * outside), method="nearest")
        assert ends(values, outside) == pytest.approx(tuple(expected), rel=1e-3)
    assert ends(values[:1, :1], 0.1) == (values[0, 0], values[0, 0])


@pytest.mark.parametrize("shape", [(20, 30), (70, 1100)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_winner_is_the_first_of_the_largest_and_leads_by_the_margin(count, shape):
    weights = np.random.default_rng(count).integers(0, 4, (count, *shape)).astype(np.float32)
    index, margin = winners(weights)
    np.testing.assert_array_equal(index, weights.argmax(axis=0))
    ordered = np.sort(weights, axis=0)
    second = ordered[-2] if count > 1 else 0
    np.testing.assert_array_equal(margin, ordered[-1] - second)
