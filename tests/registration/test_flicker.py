"""Bands of brightness that lie elsewhere in each frame: evened, and nothing else taken for them."""

from itertools import pairwise

import numpy as np
import pytest

import panfocus
from panfocus.io.checked_json import Value
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.curves import Curve, CurveShape, apply_curve
from panfocus.registration.exposure import FrameLevels, compare
from panfocus.registration.flicker import LINES, Lines, are_bands, are_near, lines_of, spread
from panfocus.registration.gains import OnlineGains, gains
from panfocus.registration.placing import Registration
from panfocus.registration.records import registration_from, registration_to
from tests.conftest import blurred, in_strips, texture

HEIGHT, WIDTH = 240, 320
OPTIONS = {"system": "guided", "align": "none"}


def stack(count=4, height=HEIGHT, width=WIDTH, seed=0):
    """Frames that are sharp each in a strip of its own, of a scene of middling contrast."""
    sharp = (90 + texture(height, width, seed) * 0.3).astype(np.uint8)
    return list(in_strips(sharp, blurred(sharp, 2), count))


def lit(frame, amount, phase, waves=3.0):
    """A frame with bands along its longer side."""
    height, width = frame.shape[:2]
    at = np.arange(min(height, width)) / min(height, width)
    light = 1 + amount * np.sin(2 * np.pi * (waves * at + phase))
    light = light[:, None, None] if height <= width else light[None, :, None]
    return np.clip(np.rint(frame * light), 0, 255).astype(np.uint8)


def flickering(frames, amount=0.06, waves=3.0):
    phases = np.random.default_rng(1).uniform(size=len(frames))
    return [lit(f, amount, p, waves) for f, p in zip(frames, phases, strict=True)]


def ratios(frames):
    levels = [FrameLevels(frame, has_alpha=False) for frame in frames]
    return [compare(a, b, np.eye(3)) for a, b in pairwise(levels)]


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (WIDTH, HEIGHT)])
@pytest.mark.parametrize("waves", [2.5, 9.0])
@pytest.mark.parametrize("amount", [0.03, 0.1])
def test_bands_are_evened_and_told(size, waves, amount):
    frames = flickering(stack(4, *size), amount, waves)
    wanted = [lit(f, 0, 0) for f in stack(4, *size)]
    light = frames[2].astype(float).mean(axis=1 if size[0] < size[1] else 0)  # the reference's
    light /= wanted[2].astype(float).mean(axis=1 if size[0] < size[1] else 0)
    light = light[:, None] if size[0] < size[1] else light[None]
    true = panfocus.fuse(wanted, **OPTIONS).image * light
    apart = {}
    for exposure in ("auto", "none"):
        found = panfocus.fuse(frames, exposure=exposure, **OPTIONS)
        apart[exposure] = np.square(found.image - true).mean()
        told = [w for w in found.report.warnings if "bands of brightness" in w]
        assert len(told) == (exposure == "auto")
    assert apart["auto"] < 0.35 * apart["none"]


def test_frames_without_bands_are_untouched_bit_for_bit():
    frames = stack()
    assert not are_bands([ratio.lines for ratio in ratios(frames)])
    images = [panfocus.fuse(frames, exposure=e, **OPTIONS).image for e in ("auto", "none")]
    np.testing.assert_array_equal(*images)


def test_what_one_half_alone_shows_is_the_scene():
    logs = np.zeros((HEIGHT, WIDTH), np.float32)
    logs[:, : WIDTH // 2] = 0.05 * np.sin(np.arange(HEIGHT) / 5)[:, None]
    lines = lines_of(logs, np.ones(logs.shape, bool))
    assert lines is not None
    assert not are_bands([lines, Lines(-lines.halves)])
    assert np.abs(lines.logs()).max() < 0.01


def test_lines_are_found_again_through_clipping():
    true = 0.12 * np.sin(np.arange(HEIGHT) * (2 * np.pi * 4 / HEIGHT))
    noise = np.random.default_rng(0).normal(0, 0.05, (HEIGHT, WIDTH))
    logs = (0.3 + true[:, None] + noise).astype(np.float32)
    lines = lines_of(logs, np.ones(logs.shape, bool))
    assert lines is not None
    assert are_bands([lines, Lines(-lines.halves)])
    assert not are_bands([lines])  # two frames alone are not judged
    found = spread(lines.logs(), HEIGHT)
    assert np.abs(found - true)[8:-8].max() < 0.012


def test_what_grows_from_frame_to_frame_is_no_flicker():
    wave = np.zeros((2, LINES))
    wave[:, 8] = 0.2
    same = Lines(wave)
    assert are_bands([same, Lines(-wave), same, Lines(-wave)])
    assert not are_bands([same, same, same, same])


def test_too_few_pixels_tell_nothing():
    logs = np.zeros((HEIGHT, WIDTH), np.float32)
    useful = np.zeros(logs.shape, bool)
    assert lines_of(logs, useful) is None
    useful[: HEIGHT // 2] = True
    assert lines_of(logs, useful) is None
    assert lines_of(logs[:50, :60], np.ones((50, 60), bool)) is None
    assert not are_bands([None, None])


def test_frames_far_apart_are_not_compared_line_by_line():
    near, far = np.eye(3), np.eye(3)
    near[0, 2], far[1, 2] = 2, 20
    assert are_near(near, HEIGHT, WIDTH)
    assert not are_near(far, HEIGHT, WIDTH)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("is_upright", [False, True])
def test_lines_follow_their_own_curves_and_clip_nothing(dtype, is_upright):
    size = (WIDTH, HEIGHT) if is_upright else (HEIGHT, WIDTH)
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = np.full((*size, 4), 0.4 * top, dtype)
    pixels[0, 0, :3], pixels[0, 1, :3] = top, 0
    lines = np.linspace(-0.1, 0.1, LINES)
    curve = Curve(np.zeros(3), CurveShape(0.9, False), lines)
    out = apply_curve(pixels, curve, has_alpha=True)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(out[..., :3] == top, pixels[..., :3] == top)
    np.testing.assert_array_equal(out[..., :3] == 0, pixels[..., :3] == 0)
    along = out[2:, 2:, 0].astype(float).mean(axis=0 if is_upright else 1) / (0.4 * top)
    wanted = np.exp(spread(lines, HEIGHT))[2:]
    assert np.abs(along - wanted).max() < (0.006 if dtype == np.uint8 else 0.001)


def test_frames_one_after_the_other_are_evened_as_a_stack():
    found = ratios(flickering(stack(5)))
    online = OnlineGains()
    alone = [online.add(ratio) for ratio in found]
    whole = gains(found, 0)[1:]
    for one, other in zip(alone[1:], whole[1:], strict=True):  # of two frames nothing is known
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.lines, other.lines)


def test_lines_go_through_a_project():
    frames = tuple(
        Placed(name, np.eye(3), "identity", status)
        for name, status in (("a", "reference"), ("b", "in place"))
    )
    alignment = Alignment(HEIGHT, WIDTH, 0, frames)
    lines = np.linspace(-0.05, 0.05, LINES)
    curves = [None, Curve(np.zeros(3), CurveShape(0.9, False), lines)]
    record = registration_to(Registration(alignment, curves, alignment.whole()))
    back = registration_from(Value(record, "a.json")).curves[1]
    assert back is not None
    np.testing.assert_array_equal(back.lines, lines)
