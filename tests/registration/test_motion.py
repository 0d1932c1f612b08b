"""What moves within the picture is taken from one frame, told of and marked."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.registration.flow import Grid
from panfocus.registration.motion import MovingParts, Traces, hide_all_but_one, traced
from panfocus.registration.patches import SIDE
from panfocus.registration.transforms import Crop
from tests.conftest import blurred, focal_stack, psnr, texture
from tests.registration.test_registration import breathing_stack

SIZE = (320, 400)  # 12 x 15 patches
#: Where the leaf is in each frame, (x, y).
PLACES = ((120, 150), (141, 162), (172, 158), (150, 140))
SEED = 5


def with_leaf(picture, place, soft=0.0):
    """A picture with a leaf of its own texture before it."""
    leaf = texture(*SIZE, seed=SEED).astype(np.float32)[::-1]
    shift = np.array([[1, 0, place[0] - 200], [0, 1, place[1] - 160]], np.float64)
    matte = np.zeros(SIZE, np.float32)
    cv2.ellipse(matte, (200, 160), (48, 15), 30, 0, 360, 1.0, -1, cv2.LINE_AA)
    moved = [cv2.warpAffine(p, shift, SIZE[::-1]) for p in (0.4 * leaf * matte[..., None], matte)]
    lit, cover = (cv2.GaussianBlur(p, (0, 0), soft) if soft else p for p in moved)
    return np.clip(lit + (1 - cover[..., None]) * picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scene():
    """Frames sharp in one strip each, a leaf that sways before them; the picture behind it."""
    frames, sharp = focal_stack(4, *SIZE)
    softs = (2.0, 1.0, 0.0, 2.0)
    made = [with_leaf(f, p, s) for f, p, s in zip(frames, PLACES, softs, strict=True)]
    return made, sharp


@pytest.fixture(scope="module")
def fusions(scene):
    asked = {"system": "guided", "keep_size": True}
    return {a: panfocus.fuse(scene[0], align=a, **asked) for a in ("auto", "local")}


def test_what_moves_has_one_contour(scene, fusions):
    around = (slice(110, 195), slice(60, 230))
    poses = [with_leaf(scene[1], place) for place in PLACES]
    nearest = {
        align: max(psnr(fusion.image[around], pose[around]) for pose in poses)
        for align, fusion in fusions.items()
    }
    assert nearest["local"] > nearest["auto"] + 2


def test_it_is_told_and_marked(fusions):
    fusion = fusions["local"]
    share = fusion.report.registration["moving_share"]
    assert 0.02 < share < 0.4
    assert "things moved in" in fusion.report.registration["told"]
    assert "taken from one frame" in fusion.report.registration["told"]
    assert (fusion.confidence[140:170, 130:170] == 0).mean() > 0.25
    assert (fusion.confidence == 0).mean() == pytest.approx(share, abs=0.05)
    assert fusions["auto"].report.registration["moving_share"] == 0
    assert (fusions["auto"].confidence[140:170, 130:170] == 0).mean() < 0.1


def test_where_nothing_moves_nothing_is_hidden():
    for frames in (focal_stack(4, *SIZE)[0], breathing_stack(4, *SIZE)[0]):
        fusion = panfocus.fuse(frames, system="guided", align="local", keep_size=True)
        assert fusion.report.registration["moving_share"] == 0


def test_blur_is_no_motion_and_another_picture_is():
    blocks = np.random.default_rng(0).integers(0, 2, (2, 40, 50)).astype(np.float32)
    grey, other = (np.kron(b, np.ones((8, 8), np.float32)) for b in blocks)
    shown = np.ones(SIZE, np.float32)
    assert not traced(grey, blurred(grey, 2.5), shown).moves.any()
    found = traced(grey, other, shown)
    assert found.surely.mean() > 0.5
    assert found.moves[found.surely].all()
    hidden = np.zeros(SIZE, np.float32)
    assert not traced(grey, other, hidden).moves.any()


def traces(moves, energies):
    grid = Grid.of(*SIZE)
    out = []
    for where, energy in zip(moves, energies, strict=True):
        mask = np.zeros((grid.rows, grid.cols), bool)
        mask[where] = True
        out.append(Traces(mask, mask, np.full(mask.shape, energy, np.float32)))
    return out


def test_frames_are_hidden_where_something_moved_between_them_and_the_sharpest():
    left, right, none = (
        (slice(3, 5), slice(2, 4)),
        (slice(3, 5), slice(9, 11)),
        (slice(0), slice(0)),
    )
    # the reference is frame 1; between 0 and 1 the left moves, between 2 and 3 the right
    motion = hide_all_but_one(traces((left, none, none, right), (1, 2, 9, 3)), 1, SIZE, 1)
    assert motion is not None
    for number, where in ((0, left), (3, right)):
        assert motion.hidden[number][where].all()
        assert motion.hidden[number].sum() == 4
    assert not motion.hidden[1].any()
    assert not motion.hidden[2].any()
    # two frames of which one is blurred far look the same as motion
    assert hide_all_but_one(traces((left, none), (1, 2)), 1, SIZE, 1) is None
    assert hide_all_but_one(traces((none, none, none), (1, 2, 3)), 1, SIZE, 1) is None
    # where nearly all differs, as contrast that turns over does, that is no motion
    most = (slice(0, 6), slice(0, 8))
    assert hide_all_but_one(traces((most, none, none), (1, 2, 3)), 1, SIZE, 1) is None


def test_masks_lie_where_the_patches_are():
    mask = np.zeros((2, 3), bool)
    mask[1, 2] = True
    motion = MovingParts(2 * SIDE, 10, 20, [mask, ~mask])
    field = Crop(5, 150, 7, 200)
    full = motion.in_field(mask, field)
    assert full.shape == (145, 193)
    ys, xs = np.nonzero(full)
    assert ys.min() + 5 == 10 + 2 * SIDE
    assert xs.min() + 7 == 20 + 2 * 2 * SIDE
    assert motion.part(range(1, 2)).hidden[0] is motion.hidden[1]
    assert motion.moves.all()
