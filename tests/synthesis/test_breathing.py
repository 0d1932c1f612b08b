import numpy as np
import pytest

from panfocus.synthesis.breathing import film
from panfocus.synthesis.focal_stacks import depth_light
from panfocus.synthesis.motion import Motion, draw_motions, margin_of
from tests.conftest import texture


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
