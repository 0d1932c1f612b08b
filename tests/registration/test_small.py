"""Pictures of few pixels, and detail in a part of the picture only: moved where it is plain."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.registration.accept import CLEAR, Proof
from panfocus.registration.links import Links
from panfocus.registration.options import FREEDOMS
from panfocus.registration.pyramid import WORKING_PIXELS, enlargement, make_detail
from tests.conftest import texture
from tests.registration.test_registration import error, photographed, similarity

SIZES = [(72, 88), (104, 128), (160, 120), (208, 256)]


def halves(picture, sigma=1.2):
    """Return a pair of which each frame is sharp in one half."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma)
    left = (np.arange(picture.shape[1]) < picture.shape[1] // 2)[None, :]
    return np.where(left, picture, soft), np.where(left, soft, picture)


def moved_pair(size, matrix):
    wide = (size[0] + 40, size[1] + 40)
    one, other = halves(texture(*wide, 5, 1))
    shift = np.array([[1, 0, 20.0], [0, 1, 20.0], [0, 0, 1]])
    apart = shift @ matrix @ np.linalg.inv(shift)
    cut = (slice(20, 20 + size[0]), slice(20, 20 + size[1]))
    return one[cut], photographed(other, apart)[cut]


def placed(frames, reference=0):
    height, width = frames[0].shape
    links = Links("auto", FREEDOMS)
    for frame in frames:
        links.add(make_detail(frame, 1, height, width))
    return links.place(reference)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", [(3.0, -2.0), (0.0, 1.5)])
def test_a_small_pair_that_moves_by_pixels_is_aligned(size, shift):
    true = similarity(shift=shift, size=size)
    found = placed(moved_pair(size, true))[1]
    assert found.status == "aligned"
    assert error(found.matrix, true, size) < 0.15


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0, 4, 10])
def test_small_pictures_in_place_stay_there(size, noise):
    rng = np.random.default_rng(2)
    frames = [
        np.clip(np.rint(f + rng.normal(0, noise, f.shape)), 0, 255).astype(np.uint8)
        for f in halves(texture(*size, 7, 1), sigma=3)
    ]
    assert [f.status for f in placed(frames)] == ["in place", "in place"]


def test_noise_of_small_frames_that_show_nothing_is_no_movement():
    rng = np.random.default_rng(3)
    soft = cv2.GaussianBlur(texture(104, 128, 0, 1), (0, 0), 14).astype(float)
    noisy = [np.clip(np.rint(soft + rng.normal(0, 4, soft.shape)), 0, 255) for _ in range(4)]
    assert all(f.kind == "identity" for f in placed([f.astype(np.uint8) for f in noisy], 2))


def test_a_small_stack_is_fused_as_if_it_lay_in_place():
    size = (104, 128)
    still = moved_pair(size, np.eye(3))
    moved = moved_pair(size, similarity(shift=(3, -2), size=size))
    options = {"system": "guided", "keep_size": True, "reference": "first"}
    wanted = panfocus.fuse(still, **options).image
    errors = {}
    for align in ("auto", "none"):
        image = panfocus.fuse(moved, align=align, **options).image
        apart = image[10:-10, 10:-10].astype(float) - wanted[10:-10, 10:-10]
        errors[align] = np.square(apart).mean()
    assert errors["auto"] < 0.05 * errors["none"]


def test_only_small_pictures_are_enlarged():
    assert [enlargement(*size) for size in [(64, 80), (104, 128), (208, 256), (256, 300)]] == [
        4,
        4,
        2,
        1,
    ]
    long = enlargement(120, 3000)
    assert 120 * 3000 * long**2 <= WORKING_PIXELS
    levels = make_detail(texture(104, 128, 0, 1), 1, 104, 128).levels
    assert [level.factor for level in levels] == [0.25, 0.5, 1, 2]
    assert [level.smooth.shape[0] for level in levels] == [416, 208, 104, 52]


def test_a_picture_with_detail_in_one_quarter_is_aligned():
    size = (320, 400)
    scene = np.full(size, 20, np.uint8)
    scene[20:150, 30:190] = texture(130, 160, 4, 1)
    true = similarity(shift=(4, 3), size=size)
    one, other = halves(scene)
    found = placed([one, photographed(other, true)])[1]
    assert found.status == "aligned"
    assert error(found.matrix, true, size) < 0.1


@pytest.mark.parametrize(
    ("gain", "clear", "quadrants", "is_clear"),
    [
        (0.9, 2 * CLEAR, (5.0,), True),
        (0.9, 2 * CLEAR, (5.0, 0.5), False),  # one of two says nothing
        (0.4, 2 * CLEAR, (5.0,), False),  # blur can do as much in one quarter
        (0.9, 0.5 * CLEAR, (5.0,), False),
    ],
)
def test_one_quarter_is_believed_only_where_most_of_what_remains_goes(
    gain, clear, quadrants, is_clear
):
    assert Proof(gain, clear, quadrants).is_clear == is_clear
