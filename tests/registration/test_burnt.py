"""A brighter frame's burnt-out places tell nothing: they are neither shown nor held against it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.frame import Frame
from panfocus.registration.burnt import Highlights, burnt_out, darkens
from panfocus.registration.curves import Curve, CurveShape
from panfocus.registration.transforms import Crop
from tests.conftest import focal_stack, psnr

SIZE = 200, 260
WHOLE = Crop(0, SIZE[0], 0, SIZE[1])
STILL = np.eye(3)


def darkened(log, white=1.0):
    return Curve(np.full(3, log), CurveShape(0.9, linear=False), white=white)


def bright_sky(count=5, seed=3):
    """A stack of which half is bright and flat in parts, and its truth."""
    frames, truth = focal_stack(count, *SIZE, seed)
    rng = np.random.default_rng(seed)
    for _ in range(30):
        y, x = rng.integers(0, SIZE[0] - 24), rng.integers(0, SIZE[1] - 24)
        colour = rng.integers(60, 170, 3)
        for picture in (*frames, truth):
            picture[y : y + 24, x : x + 24] = colour
    for picture in (*frames, truth):
        picture[:70] = picture[:70] // 4 + 175
    return frames, truth


def exposed(frame, gain):
    return np.clip(np.rint(frame * gain), 0, 255).astype(np.uint8)


def gained(monkeypatch, fuse, truth):
    """Return by how many dB the picture is better than with burnt-out places shown."""
    got = psnr(fuse().image, truth)
    with monkeypatch.context() as without:
        without.setattr(Highlights, "hide", lambda *given: given[1])
        return got - psnr(fuse().image, truth)


@pytest.mark.parametrize(
    ("changed", "gain", "system"),
    [([4], 1.35, "guided"), ([0, 1], 1.6, "guided"), ([0, 4], 1.6, "dualpath")],
)
def test_frames_that_burn_out_are_not_shown_there(monkeypatch, changed, gain, system):
    frames, truth = bright_sky()
    burnt = [exposed(f, gain) if n in changed else f for n, f in enumerate(frames)]
    assert all((burnt[n] == 255).mean() > 0.1 for n in changed)

    def fuse():
        got = panfocus.fuse(burnt, system=system, maps=False)
        assert obstructed(got) == []
        return got

    assert gained(monkeypatch, fuse, truth) > 3


def test_nor_are_frames_that_come_one_by_one(monkeypatch):
    frames, truth = bright_sky()
    burnt = [exposed(f, 1.5) if n > 2 else f for n, f in enumerate(frames)]

    def fuse():
        return panfocus.fuse(iter(burnt), system="guided", maps=False)

    assert gained(monkeypatch, fuse, truth) > 3


def test_beside_what_the_reference_burnt_out_a_little_white_is_left():
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    pixels[90:130, 90:130] = 255
    pixels[20:60, 20:60] = 255
    reference = np.full_like(pixels, 60)
    reference[95:125, 95:125] = 255
    highlights = Highlights.of(Frame("reference", reference), 1)
    frame = Frame("brighter", pixels)
    little = highlights.hide(frame, pixels, darkened(-0.05), STILL, WHOLE).cover
    assert little is not None
    assert (little[85:135, 85:135] == 255).all()
    assert (little[17:63, 17:63] == 0).all()
    assert (little == 0).sum() == 46**2
    much = highlights.hide(frame, pixels, darkened(-0.3), STILL, WHOLE).cover
    assert much is not None
    assert (much == 0).sum() == 2 * 46**2


@pytest.mark.parametrize("curve", [None, darkened(0.3), darkened(-0.01)])
def test_frames_that_are_not_darkened_stay_as_they_are(curve):
    pixels = np.full((*SIZE, 3), 255, np.uint8)
    frame = Frame("white", pixels)
    none = Highlights(np.zeros(SIZE, bool), 1)
    assert none.hide(frame, pixels, curve, STILL, WHOLE) is frame
    assert not darkens(curve)


def test_grains_of_a_texture_hide_little_around_them():
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    pixels[50:53, 60:63] = 255
    none = Highlights(np.zeros(SIZE, bool), 1)
    cover = none.hide(Frame("grain", pixels), pixels, darkened(-0.4), STILL, WHOLE).cover
    assert cover is not None
    assert (cover == 0).sum() == 5**2


def test_what_is_hidden_moves_with_the_frame_and_joins_its_cover():
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    pixels[100:120, 150:170] = 255
    shown = np.full((150, 200), 255, np.uint8)
    shown[:10] = 0
    frame = replace(Frame("moved", np.full((150, 200, 3), 90, np.uint8)), cover=shown)
    matrix = np.array([[1, 0, 7.0], [0, 1, -4], [0, 0, 1]])
    none = Highlights(np.zeros((SIZE[0] // 4, SIZE[1] // 4), bool), 4)
    field = Crop(20, 170, 30, 230)
    placed = none.hide(frame, pixels, darkened(-0.4), matrix, field)
    assert placed.cover is not None
    expected = np.full((150, 200), 255, np.uint8)
    # 3 pixels around; from the frame to the reference, and into the field
    expected[97 + 4 - 20 : 123 + 4 - 20, 147 - 7 - 30 : 173 - 7 - 30] = 0
    expected[:10] = 0
    np.testing.assert_array_equal(placed.cover, expected)


@pytest.mark.parametrize(
    ("dtype", "level", "below"),
    [(np.uint8, 251.2, 251), (np.uint16, 64552.0, 64551), (np.float32, 0.985, 0.984)],
)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_any_colour_that_reaches_a_level_is_burnt_out(dtype, level, below, channels):
    pixels = np.full((6, 8, *channels), below, dtype)
    colours = pixels.reshape(6, 8, -1)
    colours[2, 3, 0] = np.ceil(level) if dtype != np.float32 else level
    colours[5, 7, -1] = np.iinfo(dtype).max if dtype != np.float32 else np.inf
    has_alpha = channels == (4,)
    expected = np.zeros((6, 8), np.uint8)
    expected[2, 3] = 255
    expected[5, 7] = 0 if has_alpha else 255
    np.testing.assert_array_equal(burnt_out(pixels, level, has_alpha=has_alpha), expected)


def test_counts_of_a_camera_are_burnt_out_at_its_own_white():
    pixels = np.full((*SIZE, 3), 900, np.uint16)
    pixels[50:70, 50:70] = 4095
    reference = Frame("reference", np.full((*SIZE, 3), 600, np.uint16))
    highlights = Highlights.of(reference, 1, 4095 / 65535)
    assert not highlights.white.any()
    frame = Frame("brighter", pixels)
    placed = highlights.hide(frame, pixels, darkened(-0.4, 4095 / 65535), STILL, WHOLE)
    assert placed.cover is not None
    assert (placed.cover[50:70, 50:70] == 0).all()


def test_what_does_not_decide_sees_the_whole_frame(monkeypatch):
    frames, truth = bright_sky()
    burnt = [exposed(f, 1.5) if n == 4 else f for n, f in enumerate(frames)]
    assert gained(monkeypatch, lambda: panfocus.fuse(burnt, system="pyramid"), truth) == 0


def obstructed(fused):
    """Return the frames that were left out."""
    return [n for n, f in enumerate(fused.report.frames) if "left_out" in f["align"]]


def lights(height=400, width=520):
    """A scene of which a part is far brighter than the rest."""
    rng = np.random.default_rng(8)
    rough = cv2.resize(rng.random((10, 13)).astype(np.float32), (width, height))
    fine = cv2.GaussianBlur(rng.random((height, width)).astype(np.float32), (0, 0), 1.5)
    light = 0.1 + 0.5 * rough + 0.6 * (fine - 0.5)
    for _ in range(12):
        at = tuple(int(v) for v in rng.integers(60, 340, 2))
        cv2.circle(light, at, 26, float(rng.uniform(1.0, 4.0)), -1, cv2.LINE_AA)
    return np.clip(light, 0.01, None)


def taken(light, stops, blur):
    seen = cv2.GaussianBlur(light, (0, 0), blur) if blur else light
    level = np.clip(seen * 2.0**stops, 0, 1) ** (1 / 2.2)
    return np.dstack([np.rint(255 * level).astype(np.uint8)] * 3)


def stack_of_lights(stops):
    light = lights()
    blurs = (0.0, 1.5, 3.0, 4.5, 6.0)
    return [taken(light, s, b) for s, b in zip(stops, blurs, strict=True)]


def test_a_frame_whose_highlights_burn_out_is_not_obstructed():
    frames = stack_of_lights([-0.9, 0.5, -0.9, -0.9, -0.9])
    assert obstructed(panfocus.fuse(frames, system="guided", maps=False)) == []


def test_a_hand_before_burnt_out_highlights_is():
    frames = stack_of_lights([0.4] * 5)
    hand = frames[1].copy()
    cv2.ellipse(hand, (520, 400), (300, 240), 20, 0, 360, (128, 85, 64), -1, cv2.LINE_AA)
    frames[1] = hand
    assert obstructed(panfocus.fuse(frames, system="guided", maps=False)) == [1]
