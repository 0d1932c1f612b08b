import numpy as np
import pytest

from panfocus.train.dualpath import (
    masks,
)
from tests.support.pairs import halves


@pytest.mark.parametrize("measure", sorted(masks.TEACHERS))
@pytest.mark.parametrize("window", masks.WINDOWS)
def test_every_measure_is_mostly_right_where_it_claims_evidence(picture, measure, window):
    frames = halves(picture).astype(np.float32).mean(-1) / 255
    found = masks.imperfect(frames, measure, window)
    truth = np.zeros(frames.shape, bool)
    half = frames.shape[2] // 2
    truth[0, :, :half], truth[1, :, half:] = True, True
    valid = found.valid > 0
    assert 0.2 < valid.mean() < 1
    right = ((found.mask[0] > 0) == truth[0])[valid].mean()
    assert 0.8 < right < 1  # imperfect: right mostly, wrong somewhere
    assert np.array_equal(found.mask.sum(0), np.ones_like(found.valid))


def test_noise_alone_is_no_evidence():
    rng = np.random.default_rng(0)
    flat = 0.5 + rng.standard_normal((2, 64, 64), dtype=np.float32) * (0.7 / 255)
    for measure in masks.TEACHERS:
        assert masks.imperfect(flat, measure, 9).valid.mean() < 0.01


def test_every_measure_and_window_is_asked_and_they_differ(picture):
    frames = halves(picture).astype(np.float32).mean(-1) / 255
    asked = masks.all_of(frames, masks.MEASURES, masks.WINDOWS)
    count = len(masks.TEACHERS) * len(masks.WINDOWS) + 1
    assert asked.mask.shape == (count, *frames.shape)
    assert asked.valid.shape == (count, *frames.shape[1:])
    assert len({m.tobytes() for m in asked.mask}) == count
    assert np.array_equal(asked.mask.sum(1), np.ones_like(asked.valid))


def test_the_guided_system_is_one_of_the_measures_and_the_best_of_them(picture):
    """Its edges follow the picture, those of windows do not."""
    frames = halves(picture).astype(np.float32).mean(-1) / 255
    half = frames.shape[2] // 2
    wrong = {}
    for name, found in (
        ("guided", masks.by_guided(frames)),
        ("sml", masks.imperfect(frames, "sml", 13)),
    ):
        off = found.mask[0].copy()
        off[:, :half] = 1 - off[:, :half]
        wrong[name] = (off * found.valid)[:, half - 10 : half + 10].mean()
    assert 0 < wrong["guided"] < wrong["sml"]


def test_a_measure_that_is_named_more_than_once_counts_more(picture):
    frames = halves(picture).astype(np.float32).mean(-1) / 255
    once = masks.all_of(frames, ("sml", masks.GUIDED), (5, 9))
    more = masks.all_of(frames, ("sml", masks.GUIDED, masks.GUIDED), (5, 9))
    assert np.array_equal(more.mask[:3], once.mask)
    assert np.array_equal(more.mask[3], once.mask[2])
