"""What counts as an isolated spot."""

import cv2
import numpy as np
import pytest

from panfocus.guard.spots import find

HEIGHT, WIDTH = 120, 160


def dark(seed=0):
    rng = np.random.default_rng(seed)
    return (0.05 + rng.normal(0, 0.004, (HEIGHT, WIDTH))).astype(np.float32)


def places(spots):
    return sorted(zip(spots.rows.tolist(), spots.columns.tolist(), strict=True))


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 2.0])
def test_a_compact_peak_on_the_dark_is_a_spot_of_the_frame_that_shows_it(sigma):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    lit = dark(1) + 0.6 * np.exp(-((y - 60) ** 2 + (x - 80) ** 2) / (2 * sigma**2)).astype("f4")
    spots = find([dark(), lit])
    assert (60, 80) in places(spots)
    assert spots.frame.tolist() == [1] * len(spots.frame)


@pytest.mark.parametrize(
    ("radius", "cut"),
    [(7, 0), (7, 0.4), (10, 0), (10, 0.4), (10, 0.7), (14, 0), (14, 0.4), (14, 0.7)],
)
def test_a_defocused_light_has_none_also_where_an_edge_cuts_it(radius, cut):
    disc = cv2.circle(np.zeros((HEIGHT, WIDTH), np.float32), (80, 60), radius, 1.0, -1)
    disc = cv2.GaussianBlur(disc, (0, 0), 0.7)
    disc[60 + round(radius * (1 - 2 * cut)) :] = 0
    lit = dark(1) + np.float32(0.8) * disc
    assert places(find([dark(), lit])) == []


def test_spots_that_stand_close_together_are_found():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    lit = dark(1)
    for row, column in ((60, 80), (60, 85), (66, 82)):
        lit += 0.5 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 2).astype(np.float32)
    assert {(60, 80), (60, 85), (66, 82)} <= set(places(find([dark(), lit])))
