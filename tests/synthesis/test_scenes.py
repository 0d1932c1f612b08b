import cv2
import numpy as np
import pytest

import panfocus
from panfocus.synthesis import kinds
from panfocus.synthesis.scenes import (
    KINDS,
    MOVING_KINDS,
    Motion,
    blob_matte,
    depth_light,
    depth_map_stack,
    draw_motions,
    film,
    hair_matte,
    margin_of,
)
from tests.conftest import psnr, texture

PICTURES = [texture(120, 160, seed) for seed in range(4)]


def test_the_command_line_knows_every_kind():
    assert kinds.NAMES == (*KINDS, *MOVING_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_fixes_the_scene(kind):
    first = KINDS[kind](np.random.default_rng(5), PICTURES)
    again = KINDS[kind](np.random.default_rng(5), PICTURES)
    other = KINDS[kind](np.random.default_rng(6), PICTURES)
    np.testing.assert_array_equal(first.frames, again.frames)
    assert (first.frames != other.frames).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_index_names_a_frame_close_to_the_truth(kind):
    scene = KINDS[kind](np.random.default_rng(1), PICTURES)
    assert scene.frames.dtype == scene.truth.dtype == np.uint8
    assert scene.index.max() < len(scene.frames)
    picked = np.take_along_axis(scene.frames, scene.index[None, ..., None].astype(int), axis=0)[0]
    single = max(psnr(f, scene.truth) for f in scene.frames)
    # where light comes through, no frame is close to the truth
    gained = {"void": 1, "hair": 2, "translucent": 0}.get(kind, 3)
    assert psnr(picked, scene.truth) > single + gained
    assert 0 < scene.band.mean() < 1


def test_hard_scenes_hold_native_pixels_outside_the_blur():
    scene = KINDS["hard"](np.random.default_rng(2), PICTURES)
    same = (scene.frames == scene.truth).all(axis=-1)
    assert same.any(axis=0).all()


def test_lights_are_clipped():
    scene = KINDS["bokeh"](np.random.default_rng(3), PICTURES)
    white = (scene.frames == 255).all(axis=-1).mean(axis=(1, 2))
    assert white[0] > 2 * white[1]


def test_a_matte_covers_about_what_was_asked():
    matte = blob_matte(np.random.default_rng(0), 200, 300, 0.3, 0.5)
    assert matte.mean() == pytest.approx(0.3, abs=0.02)
    assert 0 <= matte.min() <= matte.max() <= 1


def test_a_depth_map_makes_a_stack_that_fuses():
    depth = np.tile(np.linspace(0, 1, 160, dtype=np.float32), (120, 1))
    scene = depth_map_stack(PICTURES[0], depth, 5)
    result = panfocus.fuse(scene.frames, system="guided")
    assert psnr(result.image, scene.truth) > max(psnr(f, scene.truth) for f in scene.frames) + 3
    assert np.corrcoef(result.depth.ravel(), depth.ravel())[0, 1] > 0.9


def fine_detail(picture):
    """Mean step from pixel to pixel."""
    return np.abs(np.diff(picture.astype(np.float64), axis=1)).mean()


def test_moved_frames_are_as_sharp_as_still_ones():
    light = depth_light(np.random.default_rng(0), [texture(200, 240, s) for s in range(4)], 3)
    motions = (Motion(shift_x=0.5, shift_y=-1.5), Motion(), Motion(0.999, 0.1, 1.3, 0.7))
    margin = margin_of(motions, 200, 240)
    still = film(light, [Motion()] * 3, margin)
    moved = film(light, motions, margin)
    np.testing.assert_array_equal(moved.frames[1], still.frames[1])
    np.testing.assert_array_equal(moved.truth, still.truth)
    for one, other in zip(moved.frames, still.frames, strict=True):
        assert fine_detail(one) == pytest.approx(fine_detail(other), rel=0.03)


def test_what_is_cut_away_is_all_that_motion_brings_in():
    for seed in range(5):
        motions = draw_motions(np.random.default_rng(seed), 8)
        margin = margin_of(motions, 300, 400)
        corners = np.array(
            [[x, y, 1] for x in (margin, 399 - margin) for y in (margin, 299 - margin)]
        )
        for motion in motions:
            whole = np.vstack([motion.matrix(300, 400), [0, 0, 1]])
            moved = corners @ np.linalg.inv(whole)[:2].T
            assert (moved >= 3).all()
            assert (moved <= [396, 296]).all()


def test_fibres_are_finer_than_what_a_blob_has():
    matte = hair_matte(np.random.default_rng(0), 200, 240)
    blob = blob_matte(np.random.default_rng(0), 200, 240, float(matte.mean()), 0.3)
    wide = [cv2.erode(m, np.ones((3, 3), np.uint8)).mean() / m.mean() for m in (matte, blob)]
    assert wide[0] < 0.45  # what is left one pixel further in
    assert wide[1] > 0.7
    assert ((matte > 0.05) & (matte < 0.95)).any()


def test_no_choice_of_pixels_gives_what_lies_behind_a_veil():
    scene = KINDS["translucent"](np.random.default_rng(1), PICTURES)
    apart = np.abs(scene.frames.astype(int) - scene.truth).max(-1).min(0)
    inside = scene.band
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((31, 31))) == 0
    assert apart[inside].mean() > 5 * apart[outside].mean() + 1
