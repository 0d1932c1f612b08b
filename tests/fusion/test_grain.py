import cv2
import numpy as np
import pytest

import panfocus
from panfocus.fusion.grain import Grain, smoothed
from tests.conftest import focal_pair, psnr, texture


def noisy(picture, sigma, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def soft_scene(height=128, width=160):
    return cv2.GaussianBlur(texture(height, width), (0, 0), 12)


@pytest.mark.parametrize("gain", [1, 257])
def test_grain_that_averaging_leaves_is_smoothed(gain):
    clean = soft_scene()
    frames = np.stack([noisy(clean, 4, n) for n in range(2)]).astype(
        [np.uint8, np.uint16][gain > 1]
    )
    frames *= gain
    average = panfocus.fuse(frames, system="guided", void="average").image
    smooth = panfocus.fuse(frames, system="guided").image
    truth = clean.astype(frames.dtype) * gain
    assert psnr(smooth, truth) > psnr(average, truth) + 5


def test_what_is_in_focus_gains_or_stays():
    frames, sharp = focal_pair(128, 160)
    frames = np.stack([noisy(f, 3, n) for n, f in enumerate(frames)])
    average = panfocus.fuse(frames, system="guided", void="average", spread="off").image
    smooth = panfocus.fuse(frames, system="guided", spread="off").image
    assert psnr(smooth, sharp) >= psnr(average, sharp) - 0.02


def test_native_pixels_and_scientific_stacks_keep_their_grain():
    frames = np.stack([noisy(soft_scene(), 4, n) for n in range(2)])
    planes = np.ascontiguousarray(frames[..., 1])
    alike = [
        panfocus.fuse(frames, system="guided", void=void, mode="select").image
        for void in ("smooth", "average")
    ]
    np.testing.assert_array_equal(*alike)
    volume = panfocus.fuse_volume(planes, axes="ZYX", system="guided")
    average = panfocus.fuse(planes, system="guided", void="average", align="none", exposure="none",
                            banding="off", spread="off")  # fmt: skip
    np.testing.assert_array_equal(np.squeeze(np.asarray(volume.image)), average.image)


def test_colours_of_one_lightness_stay_apart():
    """Luminance alone would not see the edge."""
    flat = np.full((96, 128, 3), (150, 110, 110), np.float32)
    flat[:, 64:] = (110, 130.45, 110)
    picture = noisy(flat, 2, 0)
    grain = Grain((4.0 * (0.299**2 + 0.587**2 + 0.114**2),) * 2, np.ones((96, 128), np.float32))
    out = smoothed(picture, grain).astype(np.float32)
    assert np.abs(out[:, 8:56] - flat[:, 8:56]).mean() < 0.9  # of 1.6
    step = out[:, 64:66].mean((0, 1)) - out[:, 62:64].mean((0, 1))
    np.testing.assert_allclose(step, [-40, 20.45, 0], atol=3)


def test_a_speck_that_stands_out_of_the_noise_is_kept():
    rng = np.random.default_rng(1)
    speck = np.zeros((33, 33), np.float32)
    speck[16, 16] = 1
    speck = cv2.GaussianBlur(speck, (0, 0), 1.0)
    clean = np.full((231, 231), 60, np.float32)
    for row, column in np.ndindex(7, 7):
        clean[33 * row : 33 * (row + 1), 33 * column : 33 * (column + 1)] += (
            speck / speck.max() * 24
        )
    picture = np.clip(np.rint(clean + rng.normal(0, 2, clean.shape)), 0, 255).astype(np.uint8)
    out = smoothed(picture, Grain((4.0, 4.0), np.ones(clean.shape, np.float32)))
    peaks = [image[16::33, 16::33].astype(np.float32) - 60 for image in (picture, out)]
    assert peaks[1].mean() > 0.95 * peaks[0].mean()
    assert (peaks[1] > 0.8 * peaks[0]).all()


def test_what_the_guard_keeps_is_left():
    picture = noisy(np.full((96, 128), 90, np.uint8), 3, 0)
    kept = np.zeros((48, 64), np.float32)
    kept[:, :32] = 1
    out = smoothed(picture, Grain((9.0, 9.0), np.ones((48, 64), np.float32), kept))
    np.testing.assert_array_equal(out[:, :64], picture[:, :64])
    assert out[:, 64:].std() < 0.6 * picture[:, 64:].std()


def test_tiles_leave_no_seams(monkeypatch):
    picture = noisy(soft_scene(), 4, 0)
    grain = Grain((6.0, 6.0), np.ones((64, 80), np.float32))
    whole = smoothed(picture, grain)
    monkeypatch.setitem(smoothed.__globals__, "_TILE", 48)
    np.testing.assert_array_equal(smoothed(picture, grain), whole)


def test_frames_that_were_interpolated_have_less_noise_than_they_had():
    """Detail beyond the noise that is left stays, though it is less than the noise of a frame."""
    rng = np.random.default_rng(0)
    flat = np.full((128, 160), 100, np.float32)
    flat[:, 80:] += 4 * np.sign(np.sin(np.arange(80) * np.pi / 2 + 0.4))
    picture = np.clip(np.rint(flat + rng.normal(0, 1, flat.shape)), 0, 255).astype(np.uint8)
    out = smoothed(picture, Grain((25.0, 25.0), np.ones(flat.shape, np.float32))).astype(np.float32)
    assert out[:, 84:156].std() > 0.9 * flat[:, 84:156].std()


def test_what_is_the_same_in_all_frames_is_no_noise():
    frame = noisy(soft_scene(), 4, 0)
    for count in (2, 4):
        out = panfocus.fuse([frame] * count, system="guided").image
        np.testing.assert_array_equal(out, frame)


@pytest.mark.parametrize("quality", [85, 90, 95])
def test_noise_that_jpeg_has_made_coarse_is_taken_for_noise(quality):
    """Of noise JPEG drops the finest part alone: by that a stack would seem to have hardly any."""
    clean = soft_scene()
    frames = [_through_jpeg(noisy(clean, 5, n), quality) for n in range(4)]
    smooth = panfocus.fuse(frames, system="guided").image
    picked = panfocus.fuse(frames, system="guided", void="off").image
    assert psnr(smooth, clean) > psnr(picked, clean) + 4


def _through_jpeg(picture, quality):
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
