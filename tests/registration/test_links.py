"""Stacks placed as a whole: what carries a frame, what leaves it, and what may change."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.errors import UsageError
from panfocus.registration.links import CARRIED, UNALIGNED, Links
from panfocus.registration.options import FREEDOMS, freedoms_of
from panfocus.registration.transforms import scale_and_turn
from tests.conftest import texture
from tests.registration.test_registration import SIZE, detail, error, photographed, similarity


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


def test_a_dark_frame_whose_blur_bleeds_inwards_is_no_scale():
    sharp = texture(*SIZE)
    sharp[:12], sharp[-12:], sharp[:, :12], sharp[:, -12:] = 0, 0, 0, 0
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    assert [f.status for f in placed([sharp, soft])] == ["in place"] * 2


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
