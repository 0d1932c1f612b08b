"""Frames that nobody asked to align: told of when they are shifted, and only then."""

import numpy as np
import pytest

import panfocus
from panfocus.arrays.pixels import luminance
from panfocus.registration.misalignment import Glance
from tests.conftest import focal_pair, focal_stack
from tests.registration.test_registration import breathing_stack, moving_pair, similarity

WORDS = "do not lie on each other"


def told(result):
    return [w for w in result.report.warnings if WORDS in w]


@pytest.mark.parametrize("kind", ["pair", "stack", "sixteen bit"])
def test_nothing_is_said_of_frames_in_place(kind):
    frames = focal_pair(200, 240)[0] if kind == "pair" else focal_stack(5, 160, 200)[0]
    if kind == "sixteen bit":
        frames = np.asarray(frames).astype(np.uint16) * 40
    assert told(panfocus.fuse(frames, system="guided", align="none")) == []


def test_shifted_frames_are_named_with_their_remedy():
    pair = moving_pair(similarity(shift=(4, -3)))
    (words,) = told(panfocus.fuse(np.stack(pair), system="guided", align="none"))
    assert "frame 1" in words
    assert "5 px" in words
    assert '`align="auto"`' in words


def test_a_stack_that_breathes_is_told_of_unless_it_is_aligned():
    frames, _, _ = breathing_stack()
    assert len(told(panfocus.fuse(frames, system="guided", align="none"))) == 1
    assert len(told(panfocus.fuse((f for f in frames), system="guided", align="none"))) == 1
    assert told(panfocus.fuse(frames, system="guided")) == []
    assert told(panfocus.fuse(frames, system="guided", mode="best-plane")) == []


def test_few_of_many_frames_are_compared(monkeypatch):
    looked = []
    monkeypatch.setattr("panfocus.registration.misalignment._detail", looked.append)
    monkeypatch.setattr(Glance, "_compare", lambda self, *_: setattr(self, "_before", None))
    glance = Glance()
    for number in range(100):
        glance.add(str(number), number)
    assert looked == [0, 1, 3, 4, 15, 16, 63, 64]


def test_flat_frames_say_nothing():
    glance = Glance()
    for value in (10, 200):
        glance.add(str(value), luminance(np.full((64, 80), value, np.uint8)))
    assert glance.apart is None
