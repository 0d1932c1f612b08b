"""Discs of lights wider than what a network sees give way to their points; nothing else does."""

import cv2
import numpy as np
import pytest

from panfocus.synthesis.focal_pairs import bokeh_scene
from panfocus.systems import load_system
from panfocus.systems.lights import gathered
from tests.conftest import psnr
from tests.fusion.test_spread import photograph

SIDE = 60
GROUND, DISC = 0.2, 0.8


def ground(value=GROUND):
    return np.full((SIDE, SIDE), value, np.float32)


def with_disc(radius=8, value=DISC, on=GROUND):
    made = ground(on)
    cv2.circle(made, (30, 30), radius, value, -1)
    return made


def peaks(first, second):
    return lambda tile, mask: (first, second)


POINT = peaks(DISC, 1.0)
NO_POINT = peaks(DISC, GROUND)


def test_a_disc_gives_way_to_its_point():
    found = gathered(with_disc(), ground(), POINT)
    assert found is not None
    assert found[30, 30] == found[30, 37] == 1
    assert found[5, 5] == 0


def test_the_brightest_are_asked_for_the_light_alone():
    asked = []

    def brightest(tile, mask):
        asked.append((tile, mask))
        return DISC, 1.0

    gathered(with_disc(), ground(), brightest)
    ((tile, mask),) = asked
    assert mask.shape == ground()[tile].shape
    assert 0.3 < mask.mean() < 0.9


def test_a_wide_disc_whose_point_is_hidden_gives_way_where_that_may_be():
    assert gathered(with_disc(), ground(), NO_POINT) is None
    assert gathered(with_disc(), ground(), NO_POINT, hidden=True) is not None


def test_a_spot_is_not_lost():
    spot = with_disc(radius=1)
    assert gathered(spot, ground(), NO_POINT) is None
    assert gathered(spot, ground(), NO_POINT, hidden=True) is None


@pytest.mark.parametrize(
    ("spread", "other"),
    [
        pytest.param(ground(), with_disc(), id="the disc is in the other"),
        pytest.param(ground(0.8), with_disc(value=0.2, on=0.8), id="a dark thing on bright ground"),
        pytest.param(with_disc(), ground(0.6), id="something else is there without it"),
        pytest.param(with_disc(value=GROUND + 0.05), ground(), id="hardly brighter"),
        pytest.param(ground(), ground(), id="the same"),
    ],
)
def test_nothing_else_gives_way(spread, other):
    assert gathered(spread, other, POINT, hidden=True) is None


@pytest.fixture(scope="module")
def system():
    return load_system("dualpath", device="cpu")


@pytest.fixture(scope="module")
def whole():
    return load_system("dualpath", device="cpu", whole=True)


@pytest.mark.parametrize("light", [0.25, 0.01])
def test_wide_discs_are_left_out_of_pictures_by_day_and_by_night(system, whole, light):
    back, front = photograph(4, 30, 200, (512, 640)), photograph(7, 60, 235, (512, 640))
    made = bokeh_scene(
        np.random.default_rng(1), [back, front // (6 if light < 0.1 else 1)], wider=4, light=light
    )
    scores = [
        psnr(np.einsum("nhwc,nhw->hwc", made.frames, one.decide(made.frames)), made.truth)
        for one in (system, whole)
    ]
    assert scores[0] > scores[1] + 3, scores
