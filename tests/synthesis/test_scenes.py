import cv2
import numpy as np
import pytest

from panfocus.synthesis import kinds
from panfocus.synthesis.scenes import KINDS, MOVING_KINDS
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


def test_no_choice_of_pixels_gives_what_lies_behind_a_veil():
    scene = KINDS["translucent"](np.random.default_rng(1), PICTURES)
    apart = np.abs(scene.frames.astype(int) - scene.truth).max(-1).min(0)
    inside = scene.band
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((31, 31))) == 0
    assert apart[inside].mean() > 5 * apart[outside].mean() + 1
