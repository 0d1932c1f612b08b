import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panfocus.arrays.discs import disc_kernel
from panfocus.synthesis.defocus import defocus, expose, rungs, to_linear
from tests.conftest import texture

LIGHT = (texture(60, 80) / 255).astype(np.float32)


@given(st.floats(0, 12))
def test_a_disc_keeps_light_and_its_centre(radius):
    kernel = disc_kernel(radius)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)


@pytest.mark.parametrize("radius", [1.5, 4.0, 7.3])
def test_a_disc_has_its_radius(radius):
    kernel = disc_kernel(radius)
    half = kernel.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    # the second moment of a disc is r^2 / 2
    assert np.sqrt(2 * (kernel * (x**2 + y**2)).sum()) == pytest.approx(radius, rel=0.06)


@pytest.mark.parametrize("aperture", ["disc", "gaussian"])
def test_defocus_keeps_flat_light_and_shape(aperture):
    flat = np.full((40, 50, 3), 0.37, np.float32)
    out = defocus(flat, 5.0, aperture)
    assert out.shape == flat.shape
    np.testing.assert_allclose(out, 0.37, atol=1e-5)


def test_no_circle_no_change():
    assert defocus(LIGHT, 0.0) is LIGHT


def test_encoding_is_undone_by_decoding():
    np.testing.assert_allclose(expose(to_linear(LIGHT)), LIGHT, atol=1e-5)


def test_light_beyond_white_is_clipped_after_the_blur():
    lamp = np.zeros((41, 41, 3), np.float32)
    lamp[20, 20] = 500
    disc = expose(defocus(lamp, 5.0))
    # a clipped disc, flat to its rim: brighter than white even when spread over 78 pixels
    assert (disc[17:24, 17:24] == 1).all()
    assert disc[20, 28].max() < 1e-3  # the convolution runs in the frequency domain


def test_a_blur_between_two_rungs_is_mixed_of_both():
    radii = np.array([0, 1, 3, 7.0])
    wanted = np.random.default_rng(0).uniform(0, 9, (5, 6))
    shares = dict(rungs(np.interp(wanted, radii, np.arange(4)), 4))
    np.testing.assert_allclose(sum(shares.values()), 1, rtol=1e-6)
    mixed = sum(share * radii[k] for k, share in shares.items())
    np.testing.assert_allclose(mixed, np.minimum(wanted, 7), rtol=1e-6)
    assert [k for k, _ in rungs(np.array([[1.0, 2.0]]), 4)] == [1, 2]
