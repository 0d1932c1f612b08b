"""Which frames dip out of the order of focus, and which show the same focus twice."""

import numpy as np
import pytest

from panfocus.arrays.focus_order import dipping, dips, leads, same_focus, strays

COUNT = 7


def sweep(count=COUNT, noise=0.0):
    """Return logarithms of detail of places whose peaks lie all over a stack."""
    peaks = np.linspace(0, count - 1, 200)
    away = np.arange(count)[:, None] - peaks
    rng = np.random.default_rng(1)
    return (-0.6 * np.square(away) + rng.normal(0, noise, away.shape)).astype(np.float32)


def test_frames_in_order_do_not_stray():
    assert strays(sweep()) == {}
    assert strays(sweep(noise=0.05)) == {}
    assert dips(sweep()).max() == 0


@pytest.mark.parametrize("place", range(1, COUNT - 1))
def test_a_shaken_frame_dips_alone(place):
    curves = sweep(noise=0.05)
    curves[place] -= 2
    assert strays(curves) == {place: None}
    assert leads(curves, place, np.delete(curves, place, axis=0)) == 0


def test_where_many_frames_dip_none_is_shaken():
    curves = sweep()
    curves[[2, 3]] -= 2  # as where contrast turns over
    assert dipping(curves) == []
    curves = sweep()
    curves[[1, 3, 5]] -= 2
    assert dipping(curves) == []


def test_a_frame_at_the_end_has_no_order_to_leave():
    curves = sweep()
    curves[[0, -1]] -= 5
    assert dipping(curves) == []


@pytest.mark.parametrize("place", [0, 3, COUNT - 1])
def test_of_two_of_the_same_focus_the_later_tells_nothing_unless_it_is_sharper(place):
    curves = sweep()
    twice = np.insert(curves, place, curves[place], axis=0)
    assert same_focus(twice) == {place + 1: place}
    soft = twice.copy()
    soft[place] -= 0.2
    assert same_focus(soft) == {place: place + 1}
    soft = twice.copy()
    soft[place + 1] -= 0.2
    assert same_focus(soft) == {place + 1: place}


def test_of_nothing_nothing_is_said():
    assert strays(np.zeros((5, 0), np.float32)) == {}
    assert strays(np.zeros((0, 9), np.float32)) == {}
    assert strays(sweep(3)) == {}
