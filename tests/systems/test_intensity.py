"""Dim and pale frames are brought to what networks know."""

import numpy as np
import pytest

import panfocus.testing
from panfocus.systems import load_system
from panfocus.systems.intensity import ENOUGH, Stretch
from tests.systems.test_bundled import scene


def frames(seed=0, shape=(3, 60, 80, 3)):
    return np.random.default_rng(seed).random(shape, np.float32)


def stretched(given):
    stretch = Stretch.of(given)
    return given if stretch is None else stretch.apply(given)


def test_frames_that_fill_enough_of_the_range_are_left_as_they_are():
    for low, high in ((0, 1), (0, ENOUGH + 0.02), (1 - ENOUGH - 0.02, 1)):
        given = low + (high - low) * frames()
        assert stretched(given) is given


@pytest.mark.parametrize(("low", "high"), [(0, 1 / 16), (0.4, 0.5), (0.99, 1)])
def test_others_fill_it_by_one_gain_and_offset(low, high):
    given = (low + (high - low) * frames()).astype(np.float32)
    made = stretched(given)
    assert made.dtype == np.float32
    assert made.min() == pytest.approx(0.05, abs=0.002)
    assert made.max() == pytest.approx(0.95, abs=0.002)
    gain, offset = np.polyfit((given - low).ravel(), made.ravel(), 1)
    assert gain == pytest.approx(0.9 / (high - low), rel=0.01)
    assert np.abs(made - (gain * (given - low) + offset)).max() < 1e-3


def test_a_hot_pixel_does_not_count_but_lights_do():
    given = frames(shape=(2, 200, 300, 3)) / 16
    given[0, 7, 9] = 1
    made = stretched(given)
    assert made.max() == 1
    assert np.median(made) == pytest.approx(0.5, abs=0.02)
    given[1, 20:24, 40:44] = 1
    assert stretched(given) is given


def test_a_blank_stack_stays_blank():
    given = np.full((2, 8, 8, 3), 0.25, np.float32)
    assert stretched(given) is given


def test_what_was_stretched_can_be_taken_back():
    given = 0.2 + 0.05 * frames()
    stretch = Stretch.of(given)
    assert np.allclose(stretch.undo(stretch.apply(given)), given, atol=1e-4)


@pytest.mark.parametrize("system", ["dualpath", "drpl", "dualpath-picture"])
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_the_same_frames_are_chosen_however_few_bits_a_camera_fills(system, bits):
    made, truth = scene(120, 160)
    whole = np.rint(made * 65535).astype(np.uint16)
    dim = whole >> (16 - bits)
    one = panfocus.fuse(whole, system=system)
    two = panfocus.fuse(dim, system=system)
    assert two.image.dtype == np.uint16
    if one.index is not None:
        assert (one.index != two.index).mean() < 0.02
    error = np.abs(two.image / (2**bits - 1) - truth).mean()
    assert error < 1.2 * np.abs(one.image / 65535 - truth).mean() + 1 / 2**bits


def test_whoever_asks_a_network_gets_what_a_fusion_gets():
    """12 bits in a file of 16: the range of frames is the network's own affair."""
    frames = panfocus.testing.scene(2)
    network = load_system("dualpath", threads=1, device="cpu")
    dim = frames / 16
    assert np.abs(network.decide(dim) - network.decide(stretched(dim))).max() < 1e-6
    assert np.abs(network.decide(dim) - network.decide(frames)).mean() < 0.05
