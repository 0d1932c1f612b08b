"""Spread light in stacks: the frames on both sides of an edge are a pair."""

import numpy as np
import pytest

import panfocus
from panfocus.fusion.spread import stack
from panfocus.fusion.spread.meeting import Meeting, pairs_that_meet, solid_places
from panfocus.fusion.spread.stack import StackSpread, _faded
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.scene import encode, linear_of
from tests.fusion.test_spread import SIZE, both, decibels, error, photograph

FOCI = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def made(seed, foci=FOCI, gain=6.0, size=SIZE):
    """Return frames of a bright thing at depth 0 before a dark ground at depth 1, and the truth."""
    back = photograph(10 * seed, 20, 120, size)
    front = photograph(10 * seed + 1, 90, 235, size)
    rng = np.random.default_rng(seed)
    matte = blob_matte(rng, *back.shape[:2], 0.25, 0.7)
    layers = [Layer(linear_of(back), None, 1.0), Layer(linear_of(front), matte, 0.0)]
    shots = [render(layers, [gain * abs(1 - f), gain * abs(f)]) for f in foci]
    return np.stack([encode(shot) for shot in shots]), encode(render(layers, [0, 0]))


@pytest.fixture(scope="module")
def shots():
    return made(3)


@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_a_stack_comes_nearer_to_the_truth(shots, system):
    frames, truth = shots
    off, mended = both(frames, system=system)
    assert decibels(error(off, truth), error(mended, truth)) > 1.5


def test_wide_blurs_of_a_stack_are_looked_at_smaller(monkeypatch):
    frames, truth = made(3, gain=26.0, size=(416, 512))
    off, mended = both(frames)
    gained = decibels(error(off, truth), error(mended, truth))
    assert gained > 0.5
    monkeypatch.setattr("panfocus.fusion.spread.stack.COARSER", (1,))
    _, once = both(frames)
    assert gained > decibels(error(off, truth), error(once, truth)) + 0.3


def test_the_order_of_frames_does_not_matter(shots):
    frames, _ = shots
    there, back = both(frames)[1], both(frames[::-1])[1]
    assert np.abs(there.astype(float) - back).mean() < 0.5


def test_frames_that_are_neighbours_in_focus_are_left():
    frames, _ = made(3, FOCI[[0, 4]])
    # the third shows nothing that the first does not: its depth is nobody's
    off, mended = both(np.stack([*frames, frames[1]]))
    np.testing.assert_array_equal(off, mended)


def test_files_and_frames_that_come_once_give_the_same(shots, tmp_path):
    import cv2

    frames, _ = shots
    for n, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"f{n}.png"), frame[..., ::-1])
    options = {"system": "guided", "align": "none", "exposure": "none"}
    arrays = panfocus.fuse(frames, **options)
    assert arrays.report.mended_spread > 0.005
    np.testing.assert_array_equal(panfocus.fuse(tmp_path, **options).image, arrays.image)


def test_large_frames_are_looked_at_small_and_read_again(monkeypatch):
    """Of frames that are larger than what is looked at none is held while they pass."""
    frames, truth = made(3)
    monkeypatch.setattr("panfocus.fusion.spread.mending._LOOKED_AT", frames[0][..., 0].size // 4)
    off, mended = both(frames)
    assert decibels(error(off, truth), error(mended, truth)) > 0.5
    monkeypatch.setattr(stack, "_MOST_BYTES", 2 * frames[0].nbytes - 1)  # for one of them
    np.testing.assert_array_equal(both(frames)[1], off)


def test_opacity_guides_and_scientific_stacks_are_left_alone(shots):
    frames, _ = shots
    clear = np.dstack([np.full(frames[0].shape[:2], 255, np.uint8)])
    off, mended = both(np.stack([np.concatenate([f, clear], axis=2) for f in frames]))
    np.testing.assert_array_equal(off, mended)
    grey = np.ascontiguousarray(frames[..., 1])
    volume = panfocus.fuse_volume(grey, axes="ZYX", system="guided")
    plain = panfocus.fuse(grey, system="guided", align="none", exposure="none", banding="off",
                          spread="off", void="average")  # fmt: skip
    np.testing.assert_array_equal(np.squeeze(np.asarray(volume.image)), plain.image)


def test_noise_and_frames_in_no_order_do_no_harm(shots):
    frames, truth = shots
    rng = np.random.default_rng(0)
    noisy = np.clip(frames + rng.normal(0, 4, frames.shape), 0, 255).astype(np.uint8)
    for spoilt in (noisy, frames[[2, 0, 4, 1, 3]]):
        off, mended = both(spoilt)
        assert decibels(error(off, truth), error(mended, truth)) > -0.02


def test_depths_meet_where_solid_places_touch():
    index = np.full((60, 80), 7, np.uint16)
    index[:, :40] = 2
    index[20:24, 50:54] = 0  # speckle
    solid = solid_places(index)
    assert pairs_that_meet(solid) == [(2, 7)]
    meeting = Meeting.of(index, solid, (2, 7))
    assert meeting.first[:, :40].all()
    assert not meeting.first[:20, 40:].any()
    assert meeting.near[:, 40].all()
    assert not meeting.near[:, 70:].any()
    index[:, 40:] = 3  # the next frame
    assert pairs_that_meet(solid_places(index)) == []


def test_frames_that_are_large_and_come_once_are_not_held(monkeypatch):
    monkeypatch.setattr("panfocus.fusion.spread.mending._LOOKED_AT", 100)
    held = StackSpread(is_linear=False, again=None)
    picture = np.zeros((64, 64, 3), np.uint8)
    for number in range(3):
        held.push(panfocus.frame.Frame.of(number, picture))
    assert held.mended(picture)[0] is picture
    assert not held._greys
    assert not held._held


def test_what_a_frame_does_not_show_is_known_when_it_is_read_again(shots, monkeypatch):
    """A transfer that was cut short left a black part, which is not light of the scene."""
    frames = shots[0].copy()
    frames[2][:, :60] = 0
    seen = []

    class Spy(StackSpread):
        def __init__(self, *, is_linear, again):
            super().__init__(is_linear=is_linear, again=again)
            seen.append(again)

    monkeypatch.setattr(stack, "StackSpread", Spy)
    panfocus.fuse(frames, system="guided", align="none", exposure="none")
    covers = [frame.cover for frame in seen[0]()]
    assert [cover is not None for cover in covers] == [n == 2 for n in range(5)]
    assert not covers[2][:, :60].any()
    assert covers[2][:, 90:].all()


def test_no_change_ends_where_it_may_no_longer_be():
    near = np.zeros((60, 80), np.float32)
    near[20:50, :50] = 1
    share = _faded(near)
    assert np.abs(np.diff(share, axis=0)).max() < 0.3
    assert np.abs(np.diff(share, axis=1)).max() < 0.3
    assert (share[near == 0] == 0).all()
    assert (share[26:44, :44] == 1).all(), "what is inside, and goes on beyond the picture"
