"""Brightness and white balance: matched when they differ, untouched when they do not."""

import numpy as np
import pytest

import panfocus
from panfocus.registration.exposure import apply_gain, compare, gains
from tests.conftest import blurred, focal_stack, psnr


def scene(height=160, width=200, seed=0):
    """A stack of a scene with flat parts, and its truth."""
    rng = np.random.default_rng(seed)
    frames, sharp = focal_stack(4, height, width, seed)
    flat = np.zeros((height, width), bool)
    for _ in range(30):
        y, x = rng.integers(0, height - 24), rng.integers(0, width - 24)
        flat[y : y + 24, x : x + 24] = True
        colour = rng.integers(50, 180, 3)
        for picture in (*frames, sharp):
            picture[y : y + 24, x : x + 24] = colour
    return frames, sharp


def brighter(frame, gain):
    return np.clip(np.rint(frame * np.asarray(gain)), 0, 255).astype(np.uint8)


def test_equal_exposures_are_untouched_bit_for_bit():
    frames, _ = scene()
    auto = panfocus.fuse(frames, system="guided", exposure="auto")
    none = panfocus.fuse(frames, system="guided", exposure="none")
    np.testing.assert_array_equal(auto.image, none.image)
    assert all(f["exposure_gain"] is None for f in auto.report.frames)


def test_defocus_alone_is_not_taken_for_another_exposure():
    _, sharp = scene()
    assert gains([compare(sharp, blurred(sharp, 4), np.eye(3))], 0) == [None, None]


@pytest.mark.parametrize("gain", [(1.1, 1.1, 1.1), (0.85, 0.9, 0.95), (1.08, 1.0, 0.93)])
@pytest.mark.parametrize("order", [1, -1])
def test_another_exposure_or_white_balance_is_matched(gain, order):
    frames, sharp = scene()
    mixed = frames.copy()
    mixed[3] = brighter(frames[3], gain)
    mixed = mixed[::order].copy()
    odd = 3 if order == 1 else 0
    result = panfocus.fuse(
        mixed, system="guided", exposure="auto", reference="2" if odd == 3 else "1"
    )
    found = [f["exposure_gain"] for f in result.report.frames]
    np.testing.assert_allclose(found[odd], 1 / np.array(gain), rtol=0.02)
    assert [n for n, g in enumerate(found) if g is not None] == [odd]
    none = panfocus.fuse(mixed, system="guided", exposure="none")
    assert psnr(result.image, sharp) > psnr(none.image, sharp) + 1


def test_a_ramp_of_exposures_is_matched_to_the_reference():
    frames, _ = scene()
    ramp = np.stack([brighter(f, 0.9 + 0.06 * n) for n, f in enumerate(frames)])
    found = [f["exposure_gain"] for f in panfocus.fuse(ramp, system="guided").report.frames]
    assert found[2] is None
    for n in (0, 1, 3):
        np.testing.assert_allclose(found[n], 1.02 / (0.9 + 0.06 * n), rtol=0.015)


def test_a_difference_in_a_part_only_is_not_matched():
    _, sharp = scene()
    shadow = sharp.copy()
    shadow[:, :60] = brighter(shadow[:, :60], 0.7)
    assert gains([compare(sharp, shadow, np.eye(3))], 0) == [None, None]


def test_clipped_white_stays_white_and_order_is_kept():
    levels = np.arange(256, dtype=np.uint8)[None]
    for gain in (0.5, 0.8, 1.25):
        out = apply_gain(levels, np.array([gain]))[0].astype(int)
        assert out[0] == 0
        assert out[255] == 255
        assert (np.diff(out) >= 0).all()
        assert abs(out[100] - 100 * gain) <= 0.5


def test_opacity_has_no_exposure():
    picture = np.full((20, 20, 4), 100, np.uint8)
    out = apply_gain(picture, np.array([1.2, 1.1, 0.9]), has_alpha=True)
    assert out[0, 0].tolist() == [120, 110, 90, 100]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_pixels_are_matched_in_their_dtype(dtype):
    frames, _ = scene()
    top = 257 if dtype == np.uint16 else 1 / 255
    deep = (frames.astype(np.float64) * top).astype(dtype)
    deep[3] = (deep[3] * 0.9).astype(dtype)
    result = panfocus.fuse(deep, system="guided")
    assert result.image.dtype == dtype
    np.testing.assert_allclose(result.report.frames[3]["exposure_gain"], 1 / 0.9, rtol=0.01)
