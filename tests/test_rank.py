import numpy as np
import pytest

from panfocus.rank import median


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (26, 3), (901, 3), (900, 1)])
def test_the_median_is_that_of_numpy_bit_for_bit(shape, dtype):
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    ours, theirs = median(values), np.median(values, axis=0)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)
