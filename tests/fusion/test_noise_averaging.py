import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.noise import noise_variance
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.noise_averaging import Calm
from tests.conftest import blurred, focal_pair, psnr, texture


def noisy(picture, sigma, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.fixture
def void():
    """Four noisy frames of which none has anything in focus; and what they show."""
    soft = cv2.GaussianBlur(texture(128, 160), (0, 0), 12)
    return np.stack([noisy(soft, 4, n) for n in range(4)]), soft


def test_where_nothing_is_in_focus_noise_is_averaged(void):
    frames, clean = void
    smooth = panfocus.fuse(frames, system="guided").image
    picked = panfocus.fuse(frames, system="guided", void="off").image
    assert psnr(picked, clean) == pytest.approx(psnr(frames[0], clean), abs=0.6)
    assert psnr(smooth, clean) > psnr(picked, clean) + 4.5  # 6.02 is what four frames can give


def test_noise_in_the_void_is_averaged_at_sixteen_bits_too(void):
    frames, clean = void
    frames = frames.astype(np.uint16) * 257
    image = panfocus.fuse(frames, system="guided").image
    assert psnr(image, clean.astype(np.uint16) * 257) > psnr(frames[0], clean * 257.0) + 4.5


def test_what_is_in_focus_is_not_averaged_away():
    frames, sharp = focal_pair(128, 160)
    frames = np.stack([noisy(f, 3, n) for n, f in enumerate(frames)])
    smooth = panfocus.fuse(frames, system="guided").image
    picked = panfocus.fuse(frames, system="guided", void="off").image
    assert psnr(smooth, sharp) >= psnr(picked, sharp) - 0.01


def test_without_noise_nothing_changes():
    frames, _ = focal_pair(128, 160)
    smooth = panfocus.fuse(frames, system="guided")
    picked = panfocus.fuse(frames, system="guided", void="off")
    np.testing.assert_array_equal(smooth.image, picked.image)


def test_maps_and_shares_tell_the_decision_and_not_the_average(void):
    frames, _ = void
    smooth = panfocus.fuse(frames, system="guided")
    picked = panfocus.fuse(frames, system="guided", void="off")
    assert (smooth.index == picked.index).mean() > 0.9
    assert smooth.report.frames[1]["share"] == picked.report.frames[1]["share"]


def test_select_copies_native_pixels_in_the_void_too(void):
    frames, _ = void
    result = panfocus.fuse(frames, system="guided", mode="select")
    picked = np.take_along_axis(frames, result.index[None, ..., None].astype(int), axis=0)[0]
    np.testing.assert_array_equal(result.image, picked)


@pytest.mark.parametrize("decision", [0.0, 1.0, 0.5])
def test_equal_scenes_take_equal_weights(decision):
    flat = np.full((160, 160), 120, np.uint8)
    calm = Calm(1)
    ones = np.ones((160, 160), np.float32)
    alphas = []
    for n in range(4):
        frame = Frame.of(n, noisy(flat, 4, n))
        calm.push(frame)
        step = Decision(frame, ones if n == 0 else ones * decision)
        alphas.append(float(calm.soften(step).alpha.mean()))
    # the mean of all frames, whatever was decided; a little more where noise looks like a change
    np.testing.assert_allclose(alphas, [1, 1 / 2, 1 / 3, 1 / 4], atol=0.08)


def test_frames_that_differ_keep_the_decision():
    first = noisy(np.full((64, 64), 120, np.uint8), 2, 0)
    second = noisy(np.full((64, 64), 150, np.uint8), 2, 1)
    calm = Calm(1)
    ones = np.ones((64, 64), np.float32)
    for number, each in enumerate((first, second, first)):
        calm.push(Frame.of(number, each))
    calm.soften(Decision(Frame.of(0, first), ones))
    assert calm.soften(Decision(Frame.of(1, second), ones)).alpha.min() > 0.999
    assert calm.soften(Decision(Frame.of(2, first), 0 * ones)).alpha.max() < 0.001


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_noise_is_estimated_beside_texture(sigma):
    rng = np.random.default_rng(0)
    scene = blurred(texture(256, 256, channels=1).astype(np.float32), 8)
    scene[:, 128:] = texture(256, 128, channels=1)
    estimate = np.sqrt(noise_variance(scene + rng.normal(0, sigma, scene.shape).astype("f4")))
    assert 0.75 * sigma < estimate < 1.1 * sigma


def test_clipped_parts_tell_nothing_of_noise():
    scene = np.random.default_rng(0).normal(120, 4, (128, 128)).astype(np.float32)
    scene[:, :64] = 255
    assert np.sqrt(noise_variance(scene)) > 3
    assert noise_variance(np.full((64, 64), 255, np.float32)) == 0


@pytest.mark.parametrize("sigma", [3.0, 8.0])
@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_frames_that_were_put_in_place_are_averaged_as_still_ones_are(system, sigma):
    """Interpolated, a frame has less noise than it was taken with, and another kind of it."""
    sharp = blurred(texture(300, 400).astype(np.float32), 0.8)
    sharp[:, 130:270] = blurred(sharp, 12)[:, 130:270]  # a void between two things
    soft = blurred(sharp, 3)
    near = np.arange(400)[None, :, None] < 200
    frames = [np.where(near, sharp, soft), np.where(near, soft, sharp)]
    turn = cv2.getRotationMatrix2D((200, 150), 0.25, 1.0)
    turned = cv2.warpAffine(frames[0], turn, (400, 300), flags=cv2.INTER_LANCZOS4)

    def quality(first):
        pair = [noisy(first, sigma, 1), noisy(frames[1], sigma, 2)]
        options = {"align": "similarity", "keep_size": True, "maps": False, "reference": 1}
        fusion = panfocus.fuse(pair, system=system, **options)
        inner = slice(20, -20), slice(20, -20)
        return psnr(fusion.image[inner], sharp[inner]), fusion.report.frames[0]["align"]["status"]

    (still, kept), (moved, aligned) = quality(frames[0]), quality(turned)
    assert (kept, aligned) == ("in place", "aligned")
    assert moved > still - 0.45
