"""The sheet on which systems are compared: where they differ is what it enlarges."""

import numpy as np

from panfocus.surface.contact_sheet import draw_contact_sheet, places_of_difference
from tests.conftest import texture


def test_the_places_are_those_that_differ_most_and_do_not_overlap():
    one = texture(400, 600)
    other, third = one.copy(), one.copy()
    other[270:330, 460:540] = 255 - other[270:330, 460:540]
    third[20:40, 30:60] = 0
    places = places_of_difference([one, other, third], 3)
    assert len(places) == 2  # nothing differs elsewhere
    first, second = places
    assert first.top <= 270 and first.top + first.side >= 330
    assert first.left <= 460 and first.left + first.side >= 540
    assert second.top <= 20 and second.left <= 30
    assert first.top + first.side <= 400 and first.left + first.side <= 600
    assert places_of_difference([one, one]) == []


def test_large_pictures_are_looked_at_small():
    one = np.zeros((1500, 5000), np.uint16)
    other = one.copy()
    other[1400:1440, 4900:4990] = 60_000
    (place,) = places_of_difference([one, other])
    assert place.top <= 1400 <= place.top + place.side - 40
    assert place.left <= 4900 <= place.left + place.side - 80
    assert place.left + place.side <= 5000


def test_every_picture_has_a_column_of_its_own():
    grey = np.full((60, 90), 40, np.uint8)
    lit = grey.copy()
    lit[30:50, 40:60] = 200
    sheet = draw_contact_sheet({"a": grey, "b": lit})
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    half = sheet.shape[1] // 2
    left, right = sheet[100:, 30 : half - 30], sheet[100:, half + 30 : -30]
    assert (left == 200).all(axis=2).sum() == 0
    assert (right == 200).all(axis=2).sum() > 5000  # the whole, and enlarged
    deep = draw_contact_sheet({"a": grey * np.uint16(257), "b": lit * np.uint16(257)})
    assert np.array_equal(deep, sheet)
    clear = np.dstack([lit, np.full_like(lit, 255)])
    assert np.array_equal(draw_contact_sheet({"a": np.dstack([grey, grey]), "b": clear}), sheet)
