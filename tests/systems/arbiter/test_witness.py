"""The reduced scale is followed where a witness agrees with it, and the full scale does not."""

import numpy as np
import pytest

from panfocus.systems.arbiter import Arbiter, witness

LIGHT = np.stack([np.full((60, 80), level, np.float32) for level in (0.3, 0.5, 0.302)])


def only(number, count=3):
    """All weight to one frame."""
    weights = np.zeros((count, 60, 80), np.float32)
    weights[number] = 1
    return weights


@pytest.mark.parametrize(
    ("fine", "coarse", "told", "share"),
    [
        (0, 1, 1, 1),  # two of three
        (0, 1, 0, 0),  # the witness is with the full scale
        (0, 0, 1, 0),  # nobody is with the witness
        (0, 2, 2, 0),  # nobody sees which of both it is
        (1, 2, 0, 1),  # as bright as what the witness chose
    ],
)
def test_two_of_three_are_followed(fine, coarse, told, share):
    made = witness.seconded(LIGHT, only(fine), only(coarse), only(told))
    assert made.shape == (60, 80)
    np.testing.assert_allclose(made, share, atol=1e-5)


def test_edges_that_lie_a_little_elsewhere_are_left():
    fine, coarse = only(0), only(0)
    for weights, edge in ((fine, 40), (coarse, 41)):
        weights[0, :, edge:], weights[1, :, edge:] = 0, 1
    light = LIGHT.copy()
    light[1] = 0.32
    assert witness.seconded(light, fine, coarse, coarse).max() == 0


def test_a_witness_without_weight_says_nothing():
    assert witness.seconded(LIGHT, only(0), only(1), only(1) * np.float32(0.2)).max() == 0


@pytest.mark.parametrize(
    ("fine", "coarse", "expected"), [(0, 1, True), (0, 2, False), (1, 1, False)]
)
def test_no_witness_is_asked_about_what_nobody_sees(fine, coarse, expected):
    assert witness.needs_witness(LIGHT, only(fine), only(coarse)) is expected


def test_the_smallest_pictures_do():
    tiny = np.ones((2, 1, 5), np.float32) / 2
    assert witness.seconded(tiny, tiny, tiny, tiny).tolist() == [[0] * 5]
    assert not witness.needs_witness(tiny, tiny, tiny)


def test_lights_are_left_to_the_full_scale_whoever_witnesses():
    seen = np.zeros((3, 4, 60, 80), np.float32)
    seen[:, 0] = LIGHT
    seen[1, 0, 25:35, 30:50] = 1
    share = Arbiter()(seen, only(0), only(1), only(1))
    assert share[28:32, 34:46].max() == 0
    assert share[:10].min() == 1
