"""Resampling: what need not change does not, what is smooth stays, and nothing rings that shows."""

import cv2
import numpy as np
import pytest

from panfocus.frame import Frame, Metadata
from panfocus.io.icc import linear_profile
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.placing import Registration
from panfocus.registration.resample import interpolate
from panfocus.registration.transforms import Crop
from panfocus.registration.warp import cover, warp, whole_shift
from tests.conftest import focal_stack, psnr, texture
from tests.registration.test_registration import SIZE, photographed, similarity

WHOLE = Crop(0, SIZE[0], 0, SIZE[1])
DTYPES = [np.uint8, np.uint16, np.float32]
TURNED = similarity(1.007, 0.4, (1.3, -2.6))


def white(dtype):
    return 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)


def as_dtype(picture, dtype):
    """A picture of 8 bits in another dtype; floats in [0, 1]."""
    return (picture * (white(dtype) / 255)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4, 5])
def test_warping_undoes_the_motion_in_every_dtype(dtype, channels):
    scene = cv2.GaussianBlur(texture(*SIZE, channels=6), (0, 0), 1.5)[..., :channels]
    scene = scene[..., 0] if channels == 1 else scene
    top = 1 / 255 if dtype == np.float32 else np.iinfo(dtype).max / 255
    native = (scene * top).astype(dtype)
    true = similarity(1.01, 0.5, (2.5, 1.5))
    planes = native[..., None] if channels == 1 else native
    moved = np.stack([photographed(planes[..., c].copy(), true) for c in range(channels)], -1)
    field = Crop(20, 230, 25, 300)
    back = warp(moved.reshape(native.shape), true, field)
    assert back.dtype == dtype
    assert back.shape[:2] == (210, 275)
    off = np.abs(back.astype(np.float64) - native[20:230, 25:300]) / top
    assert off.mean() < 0.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_warping_does_not_ring_beyond_the_frames_range(dtype):
    top = 0.8 if dtype == np.float32 else np.iinfo(dtype).max // 16
    lights = np.where(texture(*SIZE)[..., 0] > 128, top, top / 8).astype(dtype)
    moved = warp(lights, similarity(1.01, 0.3, (0.5, 0.5)), WHOLE)
    assert moved.dtype == dtype
    assert moved.max() == lights.max()
    assert moved.min() == lights.min()


@pytest.mark.parametrize("bend", [0, 1e-6])
@pytest.mark.parametrize("shift", [(0.5, 0.5), (3, -150), (-3, 150), (0, 300)])
def test_tiles_fit_together_and_mirror_at_the_frames_border(shift, bend):
    size, pad = (400, 90), 320
    picture = as_dtype(texture(*size), np.float32)
    around = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), "reflect")
    for scale, turn in ((1.01, 0.5), (0.97, -4), (1.02, 0), (0.99, 0.1)):
        matrix = similarity(scale, turn, shift, size)
        matrix[2, :2] = bend, -2 * bend
        inside = np.array([[1, 0, pad], [0, 1, pad], [0, 0, 1]], np.float64) @ matrix
        whole = interpolate(around, inside, size[::-1], is_encoded=True)
        made = warp(picture, matrix, Crop(0, size[0], 0, size[1]))
        off = np.abs(made - np.clip(whole, picture.min(), picture.max()))
        # places are rounded to a 64th of a pixel, or a 48th, and a tile may round the other way
        assert np.quantile(off, 0.98) < (1e-3 if bend else 0.02)
        assert off.max() < 0.05


def test_less_than_a_tenth_of_a_pixel_is_not_resampled():
    picture = texture(*SIZE)
    still = warp(picture, similarity(shift=(0.05, 0.05)), WHOLE)
    np.testing.assert_array_equal(still, picture)
    moved = warp(picture, similarity(shift=(0.3, 0.3)), WHOLE)
    assert (moved != picture).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_frames_that_lie_in_place_are_not_touched(dtype, channels):
    picture = as_dtype(texture(*SIZE, channels=channels), dtype)
    np.testing.assert_array_equal(warp(picture, np.eye(3), WHOLE), picture)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shift", [(7, -4), (-3.04, 12.03), (0, 9), (400, 0), (-2, -700)])
def test_shifts_by_whole_pixels_move_native_pixels(dtype, shift):
    picture = as_dtype(texture(*SIZE), dtype)
    matrix = similarity(1.0001, 0.003, shift)
    assert whole_shift(matrix, *SIZE) == tuple(np.rint(shift))
    made = warp(picture, matrix, Crop(3, 250, 5, 310))
    pad = 800
    around = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), "reflect")
    x, y = (int(n) + pad for n in np.rint(shift))
    np.testing.assert_array_equal(made, around[3 + y : 250 + y, 5 + x : 310 + x])


@pytest.mark.parametrize("shift", [(0.3, 5), (2, 2.5), (0.08, 0.08)])
def test_shifts_by_parts_of_pixels_are_resampled(shift):
    assert whole_shift(similarity(shift=shift), *SIZE) is None


def test_a_shift_by_whole_pixels_is_not_told_as_resampling():
    frames, _ = focal_stack(3, 160, 200)
    matrices = [np.eye(3), similarity(shift=(3, 0)), similarity(shift=(3.5, 0))]
    placed = tuple(Placed(str(n), m, "translation", "loaded") for n, m in enumerate(matrices))
    alignment = Alignment(*frames.shape[1:3], 0, placed)
    told = [alignment.facts(n)["resampled"] for n in range(3)]
    assert told == [False, False, True]


def test_the_reference_frame_is_not_touched_by_what_the_others_need():
    frames, _ = focal_stack(3, *SIZE)
    placed = tuple(
        Placed(str(n), m, "similarity", "loaded")
        for n, m in enumerate((TURNED, np.eye(3), np.linalg.inv(TURNED)))
    )
    registration = Registration(Alignment(*SIZE, 1, placed), [None] * 3, WHOLE)
    frame = Frame.of(1, frames[1])
    assert registration.place(1, frame) is frame
    cropped = Registration(registration.alignment, [None] * 3, Crop(10, 200, 20, 300))
    np.testing.assert_array_equal(cropped.place(1, frame).pixels, frames[1, 10:200, 20:300])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 4, 5])
@pytest.mark.parametrize("level", [0, 1, 77, 254, 255])
def test_what_is_flat_stays_what_it_is(dtype, channels, level):
    shape = SIZE if channels == 1 else (*SIZE, channels)
    flat = as_dtype(np.full(shape, level), dtype)
    made = warp(flat, TURNED, WHOLE)
    assert made.shape == flat.shape
    if dtype == np.float32:
        np.testing.assert_allclose(made, flat, atol=2e-6)
    else:
        np.testing.assert_array_equal(made, flat)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_slopes_stay_slopes(dtype, channels):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    slope = 20 + 0.45 * x + 0.25 * y
    place = TURNED @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    wanted = (20 + 0.45 * place[0] + 0.25 * place[1]).reshape(SIZE) * white(dtype) / 255
    native = slope * white(dtype) / 255
    native = (native if dtype == np.float32 else np.rint(native)).astype(dtype)
    native = np.dstack([native] * channels).reshape(*SIZE, channels)
    off = np.abs(warp(native, TURNED, WHOLE) - wanted[..., None])[16:-16, 16:-16]
    # rounding of places by a 50th of a pixel, of the frame, and of the result
    assert off.max() < 0.02 * white(dtype) / 255 + (0 if dtype == np.float32 else 1.2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("dark", "bright"), [(0, 255), (30, 255), (0, 200), (60, 180)])
def test_edges_do_not_ring_into_what_is_flat(dtype, dark, bright):
    steps = np.where(texture(*SIZE)[..., :1] > 128, bright, dark) * np.ones(3)
    steps[100:150, 100:220] = dark
    steps[110:140, 120:200] = bright
    native = as_dtype(steps, dtype)
    made = warp(native, TURNED, WHOLE).astype(np.float64) * 255 / white(dtype)
    assert made.min() >= dark - 1e-3
    assert made.max() <= bright + 1e-3
    near = warp(as_dtype(np.where(steps > dark, 180, 60), dtype), TURNED, WHOLE)
    # three pixels away from the edge nothing of it is left
    inner = near[117:129, 130:190] * (255.0 / white(dtype))
    assert np.abs(inner - 180).max() < 1.01


def test_a_lone_bright_pixel_leaves_no_rings_in_the_dark():
    dots = np.zeros((*SIZE, 3), np.uint8)
    dots[20::40, 20::40] = 255
    made = warp(dots, similarity(shift=(0.5, 0.5)), WHOLE)
    far = cv2.dilate(dots, np.ones((7, 7), np.uint8)) == 0
    assert made[far].max() == 0


def test_opacity_is_no_colour():
    colour = texture(*SIZE)
    opacity = np.where(texture(*SIZE, seed=4, channels=1) > 128, 255, 0).astype(np.uint8)
    made = warp(np.dstack([colour, opacity]), TURNED, WHOLE)
    np.testing.assert_array_equal(made[..., :3], warp(colour, TURNED, WHOLE))
    np.testing.assert_array_equal(made[..., 3], warp(opacity, TURNED, WHOLE))


def test_light_is_interpolated_as_it_is():
    colour = texture(*SIZE)
    as_light = warp(colour, TURNED, WHOLE, is_light=True)
    planes = [warp(np.ascontiguousarray(colour[..., c]), TURNED, WHOLE) for c in range(3)]
    # which of two pixels is the nearest may differ with the number of channels
    assert (as_light != np.dstack(planes)).mean() < 1e-3
    placed = (
        Placed("a", np.eye(3), "identity", "reference"),
        Placed("b", TURNED, "similarity", "loaded"),
    )
    registration = Registration(Alignment(*SIZE, 0, placed), [None, None], WHOLE)
    developed = Frame("b", colour, metadata=Metadata(icc=linear_profile()))
    np.testing.assert_array_equal(registration.place(1, developed).pixels, as_light)
    shown = registration.place(1, Frame("b", colour)).pixels
    assert (shown != as_light).any()


@pytest.mark.parametrize("shift", [0.25, 0.5, 0.7])
def test_fine_waves_survive(shift):
    x = np.arange(SIZE[1]) * np.ones((SIZE[0], 1))
    for cycles in (0.3, 0.43):
        wave, wanted = (
            (0.5 + 0.2 * np.cos(2 * np.pi * cycles * (x + s))).astype(np.float32)
            for s in (0, shift)
        )
        matrix = similarity(shift=(shift, 0))
        usual = cv2.warpPerspective(
            wave, matrix, SIZE[::-1], flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        )
        off, usually_off = (
            float(np.sqrt(np.mean((made - wanted)[20:-20, 20:-20] ** 2)))
            for made in (warp(wave, matrix, WHOLE), usual)
        )
        assert off < (0.04 * 0.2 if cycles < 0.4 else usually_off)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (9, 200)])
def test_frames_smaller_than_the_kernel_are_resampled(size):
    picture = texture(64, 256)[: size[0], : size[1]]
    made = warp(picture, similarity(1.01, 0, (0.4, 0.3), size), Crop(0, size[0], 0, size[1]))
    assert made.shape == picture.shape


def test_a_single_row_is_resampled_along_itself():
    slope = np.linspace(0, 1, 60, dtype=np.float32)[None]
    made = warp(slope, similarity(shift=(0.5, 0), size=(1, 60)), Crop(0, 1, 0, 60))
    np.testing.assert_allclose(made[0, 12:-12], slope[0, 12:-12] + 0.5 / 59, atol=1e-4)


def test_resampling_does_not_change_what_a_frame_covers():
    for matrix in (TURNED, similarity(shift=(10, 0))):
        white_frame = np.full(SIZE, 255, np.uint8)
        shown = cv2.warpPerspective(
            white_frame, matrix, SIZE[::-1], flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        )
        np.testing.assert_array_equal(cover(matrix, WHOLE, *SIZE), shown)


def test_there_and_back_keeps_more_than_lanczos_does():
    picture = cv2.GaussianBlur(texture(*SIZE), (0, 0), 0.5)
    back = np.linalg.inv(TURNED)
    ours, usual = picture, picture
    for matrix in (TURNED, back):
        ours = warp(ours, matrix, WHOLE)
        usual = cv2.warpPerspective(
            usual, matrix, SIZE[::-1], flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        )
    inner = (slice(24, -24), slice(24, -24))
    assert psnr(ours[inner], picture[inner]) > psnr(usual[inner], picture[inner])
