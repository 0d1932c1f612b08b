"""Brightness and white balance: matched when they differ, untouched when they do not."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import panfocus
from panfocus.registration import curves, exposure
from panfocus.registration.curves import Curve, CurveShape, apply_curve
from panfocus.registration.exposure import FrameLevels, compare
from panfocus.registration.gains import _SHAPES, OnlineGains, gains
from tests.conftest import blurred, focal_stack, psnr


def compared(fixed, moving, matrix):
    return compare(*(FrameLevels(frame, has_alpha=False) for frame in (fixed, moving)), matrix)


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


def test_blocks_are_medians_of_what_is_flat_in_both():
    rng = np.random.default_rng(4)
    fixed, moving = rng.uniform(0.1, 0.9, (2, 3, 90, 131)).astype(np.float32)
    useful = rng.random((90, 131)) < 0.4
    useful[:11, :11] = False  # one block has nothing to tell
    found = exposure._blocks(fixed, moving, useful)
    expected: list[list[np.ndarray]] = [[], [], []]
    for top in range(0, 90 - 10, 11):
        for left in range(0, 131 - 10, 11):
            block = (slice(top, top + 11), slice(left, left + 11))
            where = useful[block]
            if where.sum() >= 25:
                one, other = (planes[:, *block][:, where] for planes in (fixed, moving))
                for kind, values in zip(expected, (np.log(one / other), one, other), strict=True):
                    kind.append(np.median(values, axis=1))
    assert 0 < len(expected[0]) < 8 * 11
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, np.array(theirs, np.float64))


def test_equal_exposures_are_untouched_bit_for_bit():
    frames, _ = scene()
    auto = panfocus.fuse(frames, system="guided", exposure="auto")
    none = panfocus.fuse(frames, system="guided", exposure="none")
    np.testing.assert_array_equal(auto.image, none.image)
    assert all(f["exposure_gain"] is None for f in auto.report.frames)


def test_defocus_alone_is_not_taken_for_another_exposure():
    _, sharp = scene()
    assert gains([compared(sharp, blurred(sharp, 4), np.eye(3))], 0) == [None, None]


@pytest.mark.parametrize(("gain", "is_matched"), [(1.015, True), (0.985, True), (1.006, False)])
def test_what_differs_by_more_than_a_hundredth_is_matched(gain, is_matched):
    frames, _ = scene()
    found = gains([compared(frames[0], brighter(frames[1], gain), np.eye(3))], 0)[1]
    assert (found is not None) == is_matched


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
    assert gains([compared(sharp, shadow, np.eye(3))], 0) == [None, None]


def as_dtype(picture, dtype):
    top = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    deep = picture.astype(np.float64) / 255 * top
    return deep.astype(np.float32) if dtype == np.float32 else np.rint(deep).astype(dtype)


def levels(dtype):
    return (
        np.linspace(0, 1, 4001).astype(np.float32)
        if dtype == np.float32
        else np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    )


@given(
    log=st.floats(-1.2, 1.2),
    shape=st.sampled_from(_SHAPES),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
)
def test_a_curve_rises_from_black_to_white_and_clips_nothing_else(log, shape, dtype):
    before = levels(dtype)
    out = apply_curve(before[None], Curve(np.array([log]), shape))[0]
    assert out.dtype == dtype
    assert out[0] == 0
    assert out[-1] == before[-1]
    assert (out[:-1] < out[-1]).all()
    assert (out[1:] > 0).all()
    assert (np.diff(out.astype(np.float64)) >= 0).all()


def test_levels_under_the_knee_are_multiplied():
    out = apply_curve(levels(np.uint8)[None], Curve(np.log([1.25]), CurveShape(0.8, False)))[0]
    np.testing.assert_allclose(out[:160], np.arange(160) * 1.25, atol=0.501)


@given(
    log=st.floats(-0.9, 0.9),
    shape=st.sampled_from(_SHAPES),
    level=st.floats(0.05, 0.95),
)
def test_a_gain_is_found_again_from_one_level(log, shape, level):
    knee = shape.knee
    after = curves._bend(np.array([level]), log, knee)
    assert curves.unbend(after, np.array([level]), knee)[0] == pytest.approx(log, abs=1e-6)
    back = curves._bend(after, -log, knee)
    assert back[0] == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_matching_adds_no_clipped_pixels(seed, dtype):
    frames, _ = scene(seed=seed)
    mixed = as_dtype(np.stack([brighter(f, 1.5) for f in frames]), dtype)
    top = mixed.max()
    rng = np.random.default_rng(seed)
    for n in (0, 1, 3):  # a copy of what is clipped already would be grey: darken the light
        dark = as_dtype(frames[n], dtype).astype(np.float64) * 1.5 * rng.uniform(0.6, 0.9)
        mixed[n] = np.minimum(dark if dtype == np.float32 else np.rint(dark), top)
    result = panfocus.fuse(mixed, system="guided", maps=False)
    assert [f["exposure_gain"] is None for f in result.report.frames] == [0, 0, 1, 0]
    shares = [(f == top).any(axis=-1).mean() for f in mixed]
    assert shares[2] > 0.01
    assert (result.image == top).any(axis=-1).mean() <= max(shares)


def encoded(light):
    """A camera's levels of linear light: highlights roll off, then the encoding of sRGB."""
    return curves._stored(1 - np.exp(-1.6 * light))


@pytest.mark.parametrize("stop", [-1.0, -0.5, 0.5])
def test_a_camera_that_rolls_highlights_off_is_followed(stop):
    frames, _ = scene()
    light = -np.log(1 - curves.light_of(np.clip(frames[0] / 255, 0, 0.97))) / 1.6
    one, other = (np.rint(255 * encoded(light * 2**s)).astype(np.uint8) for s in (0, stop))
    (curve,) = (c for c in gains([compared(one, other, np.eye(3))], 0) if c is not None)
    assert curve.shape.linear
    assert np.ptp(curve.log) == 0
    off = apply_curve(other, curve).astype(float) - one
    assert np.sqrt(np.mean(off**2)) < 2.5


def test_white_balance_without_evidence_is_not_applied():
    _, sharp = scene()
    rng = np.random.default_rng(3)
    for seed in range(8):
        darker = sharp * 0.8 + rng.normal(0, 2, sharp.shape)
        # blocks disagree about colour as much as it deviates
        tint = np.random.default_rng(seed).normal(1, 0.03, (4, 5, 1, 3)).repeat(40, 0).repeat(40, 1)
        darker *= tint[:, :, 0]
        found = gains([compared(sharp, np.rint(darker).astype(np.uint8), np.eye(3))], 0)[1]
        assert found is not None
        assert np.ptp(found.log) == 0


def test_what_was_matched_is_told_in_one_line():
    frames, _ = scene()
    mixed = frames.copy()
    mixed[0] = brighter(frames[0], 0.8)
    told = panfocus.fuse(mixed, system="guided").report.warnings
    assert "brightness matched to frame 2: frame 0 by +25 %" in told
    mixed[0] = brighter(frames[0], (0.8, 0.8, 0.7))
    told = panfocus.fuse(mixed, system="guided").report.warnings
    assert any(w.startswith("brightness and white balance matched to frame 2") for w in told)
    told = panfocus.fuse(iter(mixed), system="guided").report.warnings
    assert sum("matched to frame 0" in w for w in told) == 1
    assert not any("matched" in w for w in panfocus.fuse(frames, system="guided").report.warnings)
    lines = exposure.notes([Curve(np.log([1.2]), CurveShape(0.9, False))] * 5 + [None], "abcdef", 5)
    assert lines == ["brightness matched to f: 5 of 6 frames by +20 %"]
    tint = [Curve(np.log([1.004, 1.0, 0.996]), CurveShape(0.9, False))] * 5
    lines = exposure.notes([*tint, None], "abcdef", 5)  # in the mean nothing that is told
    assert lines == [
        "brightness and white balance matched to f: 5 of 6 frames by up to 0.4 % in a colour"
    ]


def test_grey_frames_are_matched():
    frames, _ = scene()
    grey = frames[..., 1].copy()
    grey[1] = brighter(grey[1], 0.75)
    result = panfocus.fuse(grey, system="guided")
    np.testing.assert_allclose(result.report.frames[1]["exposure_gain"], 1 / 0.75, rtol=0.02)


def test_opacity_has_no_exposure():
    picture = np.full((20, 20, 4), 100, np.uint8)
    out = apply_curve(
        picture, Curve(np.log([1.2, 1.1, 0.9]), CurveShape(0.8, False)), has_alpha=True
    )
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


def test_frames_one_after_the_other_get_the_curves_of_a_stack_and_each_is_fitted_once(monkeypatch):
    _, sharp = scene()
    frames = [brighter(sharp, 0.97**n) for n in range(12)]
    ratios = [compared(one, other, np.eye(3)) for one, other in pairwise(frames)]
    fitted = []
    fit = exposure.Ratio.fit
    monkeypatch.setattr(
        exposure.Ratio, "fit", lambda self, shape: fitted.append(1) or fit(self, shape)
    )
    online = OnlineGains()
    found = [online.add(ratio) for ratio in ratios]
    # by every shape for the choice, and by the chosen ones for the curve
    assert len(fitted) <= len(ratios) * (len(_SHAPES) + 3)
    for n, curve in enumerate(found, 1):
        expected = gains(ratios[:n], 0)[n]
        assert (curve is None) == (expected is None)
        if curve is not None and expected is not None:
            assert curve.shape == expected.shape
            np.testing.assert_allclose(curve.log, expected.log, rtol=0, atol=1e-12)
    assert found[-1] is not None


def textured(gain=1.0, count=3):
    """Frames without a flat place, of which all but the first are brighter."""
    rng = np.random.default_rng(1)
    grain = rng.uniform(60, 160, (240, 320, 1)).astype(np.float32).repeat(3, 2)
    grain = blurred(grain.astype(np.uint8), 1.2).astype(np.float32)
    grain = 110 + 5 * (grain - grain.mean())
    return [
        np.rint(grain * (gain if n else 1.0)).clip(0, 255).astype(np.uint8) for n in range(count)
    ]


def test_brightness_is_matched_where_nothing_is_flat():
    first, second, _ = textured(1.15)
    found = compared(first, second, np.eye(3))
    assert found is not None
    assert found.log == pytest.approx(-np.log(1.15), abs=0.01)


def test_what_is_hardly_flat_tells_only_if_blocks_agree():
    first, second, _ = textured(1.0)
    rng = np.random.default_rng(2)
    patches = rng.uniform(0.85, 1.15, (8, 10)).repeat(30, 0).repeat(32, 1)[..., None]
    uneven = np.rint(second * patches).clip(0, 255).astype(np.uint8)
    assert compared(first, uneven, np.eye(3)) is None


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_cameras_of_few_bits_in_files_of_16_are_matched(bits):
    most = 2**bits - 1
    frames, _ = scene()
    counts = [np.rint(frame * (most / 255)).astype(np.uint16) for frame in frames]
    dim = [counts[0], *(np.rint(frame * 0.8).astype(np.uint16) for frame in counts[1:])]
    ratios = [compared(one, other, np.eye(3)) for one, other in pairwise(dim)]
    found = gains(ratios, 0)
    assert all(curve is not None for curve in found[1:])
    assert found[1].gain == pytest.approx(1.25, abs=0.03)
    brightened = apply_curve(counts[1], found[1])
    assert brightened.max() <= most  # no light beyond the camera's white
    assert (brightened == most).sum() == (counts[1] == most).sum()


def test_frames_of_few_bits_come_out_as_those_of_all():
    frames, _ = scene()
    full = [frame.astype(np.uint16) * 257 for frame in frames]
    few = [np.rint(frame * (4095 / 255)).astype(np.uint16) for frame in frames]
    dark = [np.rint(f * 0.85).astype(np.uint16) if n else f for n, f in enumerate(few)]
    darker = [np.rint(f * 0.85).astype(np.uint16) if n else f for n, f in enumerate(full)]
    curves_of = [
        gains([compared(one, other, np.eye(3)) for one, other in pairwise(stack)], 0)
        for stack in (dark, darker)
    ]
    for one, other in zip(*curves_of, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.gain == pytest.approx(other.gain, abs=0.002)
