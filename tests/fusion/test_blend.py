import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from panfocus.arrays.guided_filter import guided_coefficients
from panfocus.arrays.pixels import luminance, shrink, working_factor
from panfocus.fusion.blend import chain, mix, snap, weighted_sum

DTYPES = [np.uint8, np.uint16, np.float32]


def _random(dtype, shape, seed):
    rng = np.random.default_rng(seed)
    if dtype == np.float32:
        return rng.random(shape, np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,), (5,)])
def test_mix_stays_between_its_sources(dtype, channels):
    shape = (17, 23, *channels)
    below, above = _random(dtype, shape, 0), _random(dtype, shape, 1)
    alpha = np.random.default_rng(2).random(shape[:2], np.float32)
    out = mix(below, above, alpha)
    assert out.dtype == dtype
    assert out.shape == shape
    slack = 1e-6 if dtype == np.float32 else 0
    assert (out >= np.minimum(below, above) - slack).all()
    assert (out <= np.maximum(below, above) + slack).all()
    exact = below + (above.astype(np.float64) - below) * alpha.reshape(
        17, 23, *(1,) * len(channels)
    )
    assert np.abs(out - exact).max() <= (1e-6 if dtype == np.float32 else 0.51)


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_sources_mix_to_themselves_bit_for_bit(dtype):
    picture = _random(dtype, (64, 64, 3), 0)
    alpha = np.random.default_rng(1).random((64, 64), np.float32)
    np.testing.assert_array_equal(mix(picture, picture, alpha), picture)


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_of_zero_and_one_copy_native_values(dtype):
    below, above = _random(dtype, (8, 8, 3), 0), _random(dtype, (8, 8, 3), 1)
    np.testing.assert_array_equal(mix(below, above, np.zeros((8, 8), np.float32)), below)
    np.testing.assert_array_equal(mix(below, above, np.ones((8, 8), np.float32)), above)


@given(arrays(np.float32, (5, 4, 3), elements=st.floats(0, 1, width=32)))
def test_a_chain_of_mixes_is_the_weighted_sum(raw):
    weights = raw + np.float32(1e-3)
    weights /= weights.sum(axis=0)
    frames = np.random.default_rng(0).random((5, 4, 3, 2)).astype(np.float32)
    running = frames[0]
    for frame, alpha in zip(frames[1:], list(chain(weights))[1:], strict=True):
        running = mix(running, frame, alpha)
    np.testing.assert_allclose(running, weighted_sum(frames, weights), atol=2e-6)


def test_snap_reaches_both_ends():
    alpha = np.array([0, 0.001, 0.5, 0.999, 1], np.float32)
    np.testing.assert_allclose(snap(alpha), [0, 0, 0.5, 1, 1], atol=1e-6)


def test_guided_filter_keeps_constants_and_its_own_guide():
    guide = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    slope, offset = guided_coefficients(guide, np.full_like(guide, 0.3), 3, 0.01)
    np.testing.assert_allclose(slope * guide + offset, 0.3, atol=1e-5)
    slope, offset = guided_coefficients(guide, guide, 3, 1e-6)
    np.testing.assert_allclose(slope * guide + offset, guide, atol=1e-3)


def test_guided_filter_is_complementary():
    rng = np.random.default_rng(0)
    guide = rng.random((30, 30)).astype(np.float32)
    target = (rng.random((30, 30)) > 0.5).astype(np.float32)
    parts = []
    for t in (target, 1 - target):
        slope, offset = guided_coefficients(guide, t, 2, 0.01)
        parts.append(slope * guide + offset)
    np.testing.assert_allclose(parts[0] + parts[1], 1, atol=1e-4)


def test_shrink_averages_whole_blocks():
    image = np.arange(7 * 9, dtype=np.float32).reshape(7, 9)
    out = shrink(image, 2)
    assert out.shape == (3, 4)
    assert out[0, 0] == pytest.approx(image[:2, :2].mean())


@pytest.mark.parametrize("dtype", DTYPES)
def test_luminance_of_grey_colour_is_grey(dtype):
    grey = _random(dtype, (9, 9), 0)
    colour = np.repeat(grey[..., None], 3, axis=2)
    assert np.abs(luminance(colour).astype(float) - grey).max() <= (
        1e-6 if dtype == np.float32 else 1
    )
    opaque = np.dstack([colour, np.full_like(grey, 1)])
    np.testing.assert_array_equal(luminance(opaque, has_alpha=True), luminance(colour))


def test_working_factor_keeps_pictures_usable():
    assert working_factor(4000, 6000, None) == 1
    assert working_factor(1000, 1000, 2_000_000) == 1
    assert working_factor(4000, 6000, 6_000_000) == 2
    assert working_factor(16, 10_000, 1000) == 1
