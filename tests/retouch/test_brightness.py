"""The fit of a stroke's brightness finds what was planted, and does nothing where nothing is."""

from dataclasses import replace

import numpy as np
import pytest

from panfocus.arrays.pixels import white
from panfocus.retouch import FrameSource, FusedSource, Layers, Region, Stroke, apply, fit_brightness
from panfocus.retouch.brightness import surroundings
from tests.conftest import blurred, texture
from tests.retouch.test_apply import Given

HEIGHT, WIDTH = 160, 200
WHOLE = Region(0, 0, WIDTH, HEIGHT)
STROKE = Stroke("brush", ((80, 70), (110, 90)), FrameSource(0), radius=20, match_brightness=True)


def scene(dtype=np.uint16, channels=3):
    """A picture whose levels leave room above and below."""
    pixels = texture(HEIGHT, WIDTH, 5, channels).astype(np.float64) / 255
    pixels = 0.3 + 0.4 * pixels
    if dtype == np.float32:
        return pixels.astype(np.float32)
    return np.rint(pixels * white(np.dtype(dtype))).astype(dtype)


def changed(pixels, gain, offset):
    """A picture whose levels the fit should take back by gain and offset."""
    top = white(pixels.dtype)
    made = (pixels / top - np.array(offset)) / np.array(gain)
    made = np.clip(made, 0, 1) * top
    return (made if pixels.dtype.kind == "f" else np.rint(made)).astype(pixels.dtype)


def fit(stroke, picture, source, has_alpha=False):
    near = surroundings(stroke, WHOLE)
    layers = Layers(picture, has_alpha=has_alpha)
    sources = Given(f0=Layers(source, has_alpha=has_alpha))
    return fit_brightness(stroke, [], near, layers.part(*near.slices), sources)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("gain", "offset"),
    [((1, 1, 1), (0.06, -0.04, 0)), ((1.2, 0.9, 1), (0, 0, 0)), ((1.1, 1.1, 1.1), (0.03, 0, 0.02))],
)
def test_what_was_planted_is_found(dtype, gain, offset):
    picture = scene(dtype)
    found = fit(STROKE, picture, changed(picture, gain, offset))
    seen = np.array(found.levels.gain) * 0.5 + found.levels.offset  # at a middle grey
    expected = np.array(changed(np.full(3, 0.5), (1, 1, 1), (0, 0, 0)))
    source = (expected - offset) / np.array(gain)
    got = np.array(found.levels.gain) * source + found.levels.offset
    assert np.abs(got - expected).max() < 0.01
    assert seen.shape == (3,)


def test_the_mended_place_has_the_picture_s_brightness():
    truth = scene(np.uint8)
    spoilt = truth.copy()
    spoilt[60:100, 75:115] = 128
    source = changed(truth, (1.15,) * 3, (0.02,) * 3)
    stroke = fit(STROKE, spoilt, source)
    sources = Given(f0=Layers(source))
    core = np.s_[65:85, 80:100]
    on = apply([stroke], WHOLE, Layers(spoilt), sources).pixels[core]
    off = apply([replace(stroke, match_brightness=False)], WHOLE, Layers(spoilt), sources)
    error_on = np.abs(on.astype(int) - truth[core]).mean()
    error_off = np.abs(off.pixels[core].astype(int) - truth[core]).mean()
    assert error_on < 1.5
    assert error_off > 10


def test_equal_levels_are_left_as_they_are():
    picture = scene(np.uint8)
    found = fit(STROKE, picture, picture)
    assert found.levels.gain == pytest.approx((1, 1, 1), abs=1e-9)
    assert found.levels.offset == pytest.approx((0, 0, 0), abs=1e-9)


def test_focus_is_not_taken_for_brightness():
    picture = scene(np.float32)
    found = fit(STROKE, picture, blurred(picture, 2))
    middle = np.array(found.levels.gain) * 0.5 + found.levels.offset
    assert np.abs(middle - 0.5).max() < 0.01


def test_it_is_bounded_and_some_foreign_pixels_do_not_matter():
    picture = scene(np.uint8)
    dark = fit(STROKE, picture, np.zeros_like(picture)).levels
    assert min(dark.gain) >= 0.5 and max(dark.offset) <= 0.25
    source = changed(picture, (1,) * 3, (0.05,) * 3)
    source[:, 120:128] = 255
    assert fit(STROKE, picture, source).levels.offset == pytest.approx((0.05,) * 3, abs=0.02)


def test_opacity_and_grey_are_no_trouble():
    grey = scene(np.uint16, 1)
    assert len(fit(STROKE, grey, grey).levels.gain) == 1
    with_alpha = np.dstack([scene(np.uint8), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    assert len(fit(STROKE, with_alpha, with_alpha, has_alpha=True).levels.gain) == 3


def test_who_does_not_ask_and_who_erases_gets_none():
    picture = scene(np.uint8)
    assert fit(replace(STROKE, match_brightness=False), picture, picture).levels is None
    assert fit(replace(STROKE, source=FusedSource()), picture, picture).levels is None
    rectangle = Stroke(
        "rectangle", ((60, 60), (100, 90)), FrameSource(0), radius=4, match_brightness=True
    )
    found = fit(rectangle, picture, changed(picture, (1,) * 3, (0.05,) * 3))
    assert found.levels.offset == pytest.approx((0.05,) * 3, abs=0.02)


def test_a_preview_measures_the_same():
    from panfocus.arrays.pixels import shrink

    picture = scene(np.uint8)
    source = changed(picture, (1.1,) * 3, (0.02,) * 3)
    small = Region(0, 0, WIDTH // 4, HEIGHT // 4, 4.0)
    near = surroundings(STROKE, small)
    part = Layers(shrink(picture, 4)).part(*near.slices)
    given = Given(f0=Layers(shrink(source, 4)))
    seen = fit_brightness(STROKE, [], near, part, given).levels
    full = fit(STROKE, picture, source).levels
    middle = [np.array(each.gain) * 0.45 + each.offset for each in (seen, full)]
    assert np.abs(middle[0] - middle[1]).max() < 0.01
