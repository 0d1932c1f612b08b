import numpy as np
import pytest

from panfocus.synthesis.microscope import (
    Camera,
    CircleSpread,
    GaussianSpread,
    Optics,
    noise_variance,
)

POINT = np.zeros((41, 41), np.float32)
POINT[20, 20] = 1
SPREADS = (GaussianSpread(0.8, 0.5), CircleSpread(1.2), CircleSpread(1.2, "disc"))


@pytest.mark.parametrize("spread", SPREADS, ids=str)
def test_out_of_focus_is_dark_in_sections_and_soft_in_widefield(spread):
    thin, wide = Optics(spread, section=1.0), Optics(spread)
    for away in (0.0, 1.0, 2.0):
        assert wide.see(POINT, away).sum() == pytest.approx(1, abs=1e-3)
        assert thin.see(POINT, away).sum() == pytest.approx(np.exp(-(away**2) / 2), abs=1e-3)
        assert thin.share(away) == pytest.approx(np.exp(-(away**2) / 2))
    assert wide.see(POINT, 2.0).max() < wide.see(POINT, 0.0).max() / 2


def test_a_point_in_focus_is_as_wide_as_told():
    y, x = np.indices(POINT.shape) - 20
    seen = Optics(GaussianSpread(1.5, 0.5)).see(POINT, 0)
    assert np.sqrt((seen * (x**2 + y**2)).sum() / 2) == pytest.approx(1.5, rel=0.02)
    assert Optics(CircleSpread()).see(POINT, 0) is POINT


@pytest.mark.parametrize("gain", [0.5, 1.0, 4.0])
def test_counts_scatter_as_photons_do(gain):
    camera = Camera(top=65535, ground=100, gain=gain, read_noise=5.0)
    for light in (0.0, 400.0, 4000.0):
        plane = np.full((300, 300), light, np.float32)
        counts = camera.count(plane, np.random.default_rng(0)).astype(np.float64)
        expected = noise_variance(plane + np.float32(camera.ground), gain, camera.read_noise)
        assert counts.mean() == pytest.approx(light + 100, rel=0.01)
        assert counts.var() == pytest.approx(float(expected.mean()) + 1 / 12, rel=0.03)
