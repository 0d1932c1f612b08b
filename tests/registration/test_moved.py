"""Frames that are resampled only where they are taken."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.pixels import luminance, shrink
from panfocus.frame import Frame
from panfocus.registration.moved import MovedPixels
from panfocus.registration.resample import interpolate, is_smooth
from panfocus.registration.transforms import Crop
from panfocus.registration.warp import Tiles, cover, warp
from panfocus.systems import load_system
from tests.conftest import focal_stack, psnr, texture
from tests.registration.test_registration import photographed, similarity

HEIGHT, WIDTH = 420, 500
TURNED = similarity(1.004, 0.1, (1.3, -2.6))
FIELD = Crop(5, 410, 7, 490)


@pytest.fixture
def native():
    return cv2.GaussianBlur(texture(HEIGHT, WIDTH), (0, 0), 0.8)


@pytest.fixture
def frame(native):
    return Frame("moved", MovedPixels(native, TURNED, FIELD, is_light=False))


@pytest.fixture
def made(monkeypatch):
    """The tiles that were made."""
    out = []
    make = Tiles.make
    monkeypatch.setattr(Tiles, "make", lambda self, tile: out.append(tile) or make(self, tile))
    return out


@pytest.mark.parametrize("turn", [0, 0.1, 0.6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_parts_are_alike_however_much_is_made(native, dtype, turn):
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (native * (top / 255)).astype(dtype)
    matrix = similarity(1.004, turn, (1.3, -2.6))
    whole = warp(pixels, matrix, FIELD)
    frame = Frame("moved", MovedPixels(pixels, matrix, FIELD, is_light=False))
    for tile in ((slice(101, 300), slice(40, 61)), (slice(380, 405), slice(470, 483))):
        part = frame.region(tile)
        assert part.dtype == dtype
        # places may be rounded the other way: a 48th of a pixel at most
        off = np.abs(part.astype(float) - whole[tile]) * (255 / top)
        assert off.mean() < 0.3
        assert off.max() < 8
        rough = frame.region_quickly(tile)
        assert rough.dtype == dtype
        assert rough.shape == part.shape
        assert np.abs(rough.astype(float) - part).mean() * (255 / top) < (8 if top == 255 else 0.01)
    assert frame.largest_sample == pixels.max() >= whole.max()
    assert np.array_equal(frame.pixels, whole)
    rough = frame.region_quickly((slice(0, 9), slice(0, 9)))
    rough[...] = 0  # as an array of its own it may be written to
    assert np.array_equal(frame.region((slice(0, 9), slice(0, 9))), whole[:9, :9])


def test_only_what_is_asked_for_is_made(frame, made):
    assert frame.shape == (405, 483, 3)
    assert frame.dtype == np.uint8
    assert frame.grey.shape == (405, 483)
    assert frame.colour(2).shape == (202, 241, 3)
    kept = frame.without_caches().covered(np.full((405, 483), 255, np.uint8))
    assert kept.shown(2).all()
    made.clear()  # of the reduced copy
    kept.region((slice(0, 50), slice(150, 250)))
    assert made == [Crop(0, 50, 0, 100)]
    made.clear()
    assert frame.pixels.shape == (405, 483, 3)
    assert len(made) == 9
    frame.region((slice(10, 190), slice(0, 380)))
    assert len(made) == 9


@pytest.mark.parametrize("bend", [0, 1e-6])
def test_reduced_copies_are_those_of_the_moved_frame(native, bend):
    matrix = TURNED.copy()
    matrix[2, 0] = bend
    moved = MovedPixels(native, matrix, FIELD, is_light=False)
    whole = warp(native, matrix, FIELD)
    inner = (slice(8, -8), slice(8, -8))
    for factor in (2, 3):
        assert moved.colour(factor).shape == shrink(whole, factor).shape
        assert psnr(moved.colour(factor)[inner], shrink(whole, factor)[inner]) > 36
    assert psnr(moved.grey()[inner], luminance(whole)[inner]) > 33


def test_detail_is_measured_before_it_is_interpolated(native, frame):
    system = load_system("guided")
    found = frame.measured(lambda grey: system.evidence(grey, 2), 2)
    matrix = TURNED @ np.array([[1, 0, FIELD.left], [0, 1, FIELD.top], [0, 0, 1]])
    still = Frame("still", native).measured(lambda grey: system.evidence(grey, 2), 2)
    assert found.shape == (202, 241)
    y, x = 100, 120
    at = matrix @ [2 * x + 0.5, 2 * y + 0.5, 1]
    near = still[round((at[1] - 0.5) / 2), round((at[0] - 0.5) / 2)]
    assert found[y, x] == pytest.approx(near, rel=0.1)


@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_a_stack_that_moves_is_fused_as_from_whole_frames(monkeypatch, system):
    frames, _ = focal_stack(4, HEIGHT, WIDTH)
    moves = [similarity(1 + 0.003 * n, 0.05 * n, (n, -n)) for n in range(-2, 2)]
    moving = [
        np.stack([photographed(f[..., c].copy(), m) for c in range(3)], -1)
        for f, m in zip(frames, moves, strict=True)
    ]
    lazily = panfocus.fuse(moving, system=system, maps=False)
    assert sum(f["align"]["resampled"] for f in lazily.report.frames) == 3
    monkeypatch.setattr("panfocus.registration.placing.MovedPixels", _whole)
    whole = panfocus.fuse(moving, system=system, maps=False)
    assert psnr(lazily.image, whole.image) > 40


def _whole(pixels, matrix, field, *, is_light):
    return warp(pixels, matrix, field, is_light=is_light)


def test_smooth_parts_need_no_long_filter():
    noise = np.random.default_rng(0).uniform(0, 255, (90, 110, 3)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 20, 230, cv2.NORM_MINMAX)
    assert is_smooth(smooth.astype(np.uint8))
    assert not is_smooth((smooth * 257).astype(np.uint16))  # OpenCV's places are too coarse
    assert not is_smooth(smooth / 255)
    assert not is_smooth(noise.astype(np.uint8))
    speck = smooth.astype(np.uint8)
    speck[40, 50] ^= 128
    assert not is_smooth(speck)
    assert not is_smooth(np.zeros((3, 40), np.uint8))


def test_smooth_parts_come_out_alike_by_both_filters(monkeypatch):
    noise = np.random.default_rng(0).uniform(0, 255, (90, 110, 3)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 20, 230, cv2.NORM_MINMAX)
    pixels, matrix = smooth.astype(np.uint8), similarity(1.0, 0.0, (0.5, 0.5))
    quick = interpolate(pixels, matrix, (100, 80), is_encoded=True)
    monkeypatch.setattr("panfocus.registration.resample.is_smooth", lambda pixels: False)
    careful = interpolate(pixels, matrix, (100, 80), is_encoded=True)
    off = np.abs(quick.astype(int) - careful)
    assert off.max() <= 2
    assert 0 < off.mean() < 0.5


@pytest.mark.parametrize("field", [Crop(0, HEIGHT, 0, WIDTH), FIELD, Crop(20, 400, 20, 480)])
@pytest.mark.parametrize("scale", [0.99, 1.01])
def test_what_is_shown_is_told_of_corners_where_they_suffice(field, scale):
    matrix = similarity(scale, 0.1, (1.3, -2.6))
    start = np.array([[1, 0, field.left], [0, 1, field.top], [0, 0, 1]], np.float64)
    size = (field.right - field.left, field.bottom - field.top)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    white = np.full((HEIGHT, WIDTH), 255, np.uint8)
    shown = cv2.warpPerspective(white, matrix @ start, size, flags=flags)
    found = cover(matrix, field, HEIGHT, WIDTH)
    assert (shown == 255).all() if found is None else np.array_equal(found, shown)
