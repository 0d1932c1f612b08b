"""Stacks placed as a whole: what carries a frame, what leaves it, and what may change."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.errors import UsageError
from panfocus.registration.accept import GAIN_ALONE, Proof
from panfocus.registration.links import CARRIED, UNALIGNED, Links
from panfocus.registration.options import FREEDOMS, freedoms_of
from panfocus.registration.transforms import scale_and_turn
from tests.conftest import texture
from tests.registration.test_registration import (
    SIZE,
    detail,
    error,
    moving_pair,
    photographed,
    similarity,
)


def placed(frames, reference=0):
    links = Links("auto", FREEDOMS)
    for frame in frames:
        links.add(detail(frame))
    return links.place(reference)


def test_a_flat_frame_of_a_rail_is_carried_by_its_neighbours():
    true = [similarity(1 + 0.006 * n) for n in range(6)]
    frames = [photographed(texture(*SIZE), m) for m in true]
    frames[3] = np.full_like(frames[3], 90)
    found = placed(frames)
    assert found[3].status in (CARRIED, UNALIGNED)
    assert found[5].status in ("aligned", CARRIED)
    assert error(found[5].matrix, true[5]) < 0.3


def test_what_lies_beyond_a_flat_frame_is_placed_and_nothing_is_said_to_be_left():
    true = [similarity(1 + 0.006 * (n - 4)) for n in range(8)]
    frames = [photographed(texture(*SIZE), m) for m in true]
    frames[3] = np.full_like(frames[3], 90)
    found = placed(frames, 4)
    assert [f.status for f in found[2:4]] == [CARRIED, CARRIED]
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.3


def test_a_frame_that_is_wholly_blurred_does_not_seem_to_rest():
    true = [similarity(1 + 0.006 * (n - 4)) for n in range(8)]
    frames = [photographed(texture(*SIZE), m) for m in true]
    frames[2] = cv2.GaussianBlur(frames[2], (0, 0), 40)
    found = placed(frames, 4)
    assert found[2].status == CARRIED
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.3


def test_a_rail_that_pauses_is_not_moved_along():
    places = [-3, -2, -1, 0, 0, 1, 2, 3]
    true = [similarity(1 + 0.006 * n) for n in places]
    found = placed([photographed(texture(*SIZE), m) for m in true], 3)
    assert found[4].status == "in place"
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.1


def test_small_steps_of_a_stack_that_moves_are_no_rest():
    # focus by hand: there and back, one step of a third of a pixel, the others of less
    places = [0, 3, 10, 8, 11, 14, 12]
    true = [similarity(1 + 0.0002 * (n - 8)) for n in places]
    sharp = texture(*SIZE)
    frames = [
        cv2.GaussianBlur(photographed(sharp, m), (0, 0), 0.8 + 0.2 * abs(n - 3))
        for n, m in enumerate(true)
    ]
    found = placed(frames, 3)
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.1


def test_one_turn_is_not_lost_among_steps_that_do_not_turn():
    grown = [similarity(1 + 0.004 * (n - 2)) for n in range(6)]
    touched = similarity(turn=0.3, shift=(0.5, 0.5))
    true = [m if n < 4 else touched @ m for n, m in enumerate(grown)]
    found = placed([photographed(texture(*SIZE), m) for m in true], 2)
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.1


def test_turns_of_steps_that_are_small_each_are_seen():
    turns = [0.0, 0.025, 0.05, 0.075, 0.1, 0.125]
    true = [
        similarity(turn=t - 0.05, shift=(0.8 * (n - 2), 0.3 * (n - 2))) for n, t in enumerate(turns)
    ]
    found = placed([photographed(texture(*SIZE), m) for m in true], 2)
    assert max(error(f.matrix, m) for f, m in zip(found, true, strict=True)) < 0.08


def test_frames_that_rest_beside_a_jump_stay_as_they_are():
    sharp = texture(*SIZE)
    jump = similarity(shift=(1.5, -2))
    frames = [cv2.GaussianBlur(sharp, (0, 0), s) for s in (0.8, 1.5, 2.5, 1.2)]
    frames += [cv2.GaussianBlur(photographed(sharp, jump), (0, 0), s) for s in (1.0, 2.0)]
    found = placed(frames, 1)
    assert [f.status for f in found] == ["in place"] * 4 + ["aligned"] * 2
    assert max(error(f.matrix, jump) for f in found[4:]) < 0.1


def test_a_dark_frame_whose_blur_bleeds_inwards_is_no_scale():
    sharp = texture(*SIZE)
    sharp[:12], sharp[-12:], sharp[:, :12], sharp[:, -12:] = 0, 0, 0, 0
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    assert [f.status for f in placed([sharp, soft])] == ["in place"] * 2


@pytest.mark.parametrize(
    ("noise", "true"),
    [
        (8, similarity(turn=0.2)),
        (8, similarity(1.003)),
        (12, similarity(shift=(0.7, 0.5))),
        (16, similarity(shift=(0.7, 0.5))),
    ],
)
def test_a_noisy_pair_that_moves_a_little_is_aligned(noise, true):
    rng = np.random.default_rng(1)
    frames = [f + rng.normal(0, noise, f.shape) for f in moving_pair(true)]
    found = placed([np.clip(np.rint(f), 0, 255).astype(np.uint8) for f in frames])[1]
    assert found.status == "aligned"
    assert found.gain < GAIN_ALONE  # of what remains most is noise, which nothing takes away
    assert error(found.matrix, true) < 0.1


def test_what_a_pair_must_gain_depends_on_how_far_and_how_much_at_one_it_moves():
    def proof(gain, agreed, noise=0.0):
        return Proof(gain, 9.0, (5.0,) * 4, noise, agreed)

    grown = ("shift", "scale")
    assert proof(0.3, 0.5).stands_alone(0.5, grown, 0)
    assert proof(0.2, 0.8).stands_alone(0.5, grown, 0)
    assert proof(0.1, 0.8, noise=0.5).stands_alone(0.5, grown, 0)
    assert not proof(0.2, 0.6).stands_alone(0.9, grown, 0)
    assert proof(0.2, 0.6).stands_alone(1.1, grown, 0)
    assert not proof(0.1, 0.6).stands_alone(2.0, grown, 0)
    assert proof(0.15, 0.6).stands_alone(1.6, grown, 0)
    assert not proof(0.15, 0.6).stands_alone(1.3, grown, 0)


def test_a_pair_that_moves_as_a_whole_must_gain_little_since_blur_feigns_no_shift():
    little, less = (Proof(gain, 9.0, (5.0,) * 4, 0.0, 0.5) for gain in (0.06, 0.04))
    assert little.stands_alone(0.5, ("shift",), 0.5)
    assert not less.stands_alone(0.5, ("shift",), 0.5)
    assert little.stands_alone(1.2, ("shift", "scale"), 0.7)
    assert not little.stands_alone(1.2, ("shift", "scale"), 0.4)
    bent = ("shift", "scale", "rotate", "shear")
    assert not little.stands_alone(1.2, bent, 0.7)


def test_a_pair_of_large_blur_and_noise_that_is_shifted_is_aligned():
    rng = np.random.default_rng(6)
    sharp = texture(*SIZE)
    true = similarity(shift=(-0.9, 0.7))
    moved = photographed(sharp, true)
    half = np.arange(SIZE[1]) < SIZE[1] // 2
    pair = [
        np.where(half[:, None] == side, frame, cv2.GaussianBlur(frame, (0, 0), 5))
        for side, frame in ((True, sharp), (False, moved))
    ]
    noisy = [np.clip(np.rint(f + rng.normal(0, 3, f.shape)), 0, 255).astype(np.uint8) for f in pair]
    found = placed(noisy)[1]
    assert found.status == "aligned"
    assert error(found.matrix, true) < 0.3


def test_only_what_may_change_changes():
    true = similarity(1.01, 1.0, (3, 2))
    frames = np.stack([photographed(texture(*SIZE), m) for m in (np.eye(3), true)])
    options = {"system": "guided", "align": "auto", "reference": "first", "keep_size": True}
    result = panfocus.fuse(frames, align_dof="shift,scale", **options)
    assert scale_and_turn(result.transforms.frames[1].matrix)[1] == pytest.approx(0, abs=1e-6)
    whole = panfocus.fuse(frames, **options).transforms.frames[1].matrix
    assert error(whole, true) < 0.15


@pytest.mark.parametrize("text", ["", "zoom", "shift,zoom"])
def test_unknown_freedoms_are_refused(text):
    with pytest.raises(UsageError):
        freedoms_of(text)


def drifting(count, step=0.35):
    """Frames that creep by less than what a pair of them alone could prove."""
    scene = texture(480, 640)
    size = scene.shape[:2]
    return [
        photographed(scene, similarity(1, 0, (step * n, 0), size))[24:-24, 24:-24]
        for n in range(count)
    ]


def test_frames_that_pass_once_are_judged_with_those_before_them():
    frames = drifting(8)
    result = panfocus.fuse(iter(frames), system="guided", align="auto", maps=False)
    found = [placed.matrix[0, 2] for placed in result.transforms.frames]
    assert found[2:] == pytest.approx([0.35 * n for n in range(2, 8)], abs=0.1)


def test_frames_that_pass_once_are_judged_in_steady_memory():
    links = Links("auto", FREEDOMS)
    for frame in drifting(5):
        links.add(detail(frame))
        links = links.recent(3)
    assert len(links.place(0)) == 3
    assert len(links._pairs) == 3


def test_a_frame_that_neighbours_do_not_place_is_tied_to_the_reference():
    scene = texture(*SIZE)
    true = [similarity(1, 0, (4.0 * n, -3.0 * n)) for n in range(6)]
    frames = [photographed(scene, m) for m in true]
    # frames 2 and 3 show nothing: 4 and 5 have no neighbour that leads to the reference
    frames[2] = frames[3] = np.full_like(scene, 90)
    same = {"system": "guided", "reference": "first", "keep_size": True, "maps": False}
    off = {}
    for way in ("neighbour", "reference"):
        found = panfocus.fuse(frames, align="auto", align_to=way, **same).transforms.frames
        off[way] = error(found[5].matrix, true[5])
    assert off["reference"] < 0.2


def test_what_noise_leaves_is_not_owed():
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(texture(480, 640), (0, 0), 2).astype(np.float32)
    size = scene.shape[:2]
    true = [similarity(1, 0, (0.7 * n, 0), size) for n in range(5)]
    dim = [photographed(scene, m) * (50 / 255) + rng.normal(8, 4, scene.shape) for m in true]
    frames = [np.clip(np.rint(f), 0, 255).astype(np.uint8)[24:-24, 24:-24] for f in dim]
    links = Links("auto", FREEDOMS)
    for frame in frames:
        links.add(detail(frame))
    assert all(p.proof.noise > 0.2 for p in links._pairs if p.second == p.first + 1)
    found = links.place(0)
    assert found[4].matrix[0, 2] == pytest.approx(2.8, abs=0.2)
