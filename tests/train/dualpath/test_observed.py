import numpy as np

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    config,
    masks,
    observed,
    redefocus,
)
from panfocus.train.pairs import FocalSet
from tests.support.pairs import halves


def test_crops_of_real_sets_are_a_function_of_their_key(picture):
    sets = [FocalSet("one", list(halves(picture)))]
    masking = config.Masking()
    one, two = (observed.batch(sets, 64, 3, (1, 2), range(3), masking=masking) for _ in range(2))
    assert one.frames.shape == (3, 3, 3, 64, 64)
    assert one.given.shape == (3, len(masks.WINDOWS) + 3, 3, 64, 64)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_sets_with_enough_frames_are_preferred(picture):
    pair = halves(picture)
    blank = np.full_like(pair[0], 200)
    sets = [FocalSet("pair", list(pair)), FocalSet("stack", [blank] * 5)]
    masking = config.Masking()
    five = observed.batch(sets, 64, 5, (0, 0), range(6), masking=masking)
    assert (five.frames == np.float32(200 / 255)).all()
    two = observed.batch(sets, 64, 2, (0, 0), range(6), masking=masking)
    assert not (two.frames == np.float32(200 / 255)).all()


def test_made_sets_are_asked_about_by_the_same_measures(supply):
    masking = config.Masking()
    made = redefocus.batch(supply, 64, 3, (1, 2), range(2), odds=synthesis.Odds())
    seen = observed.with_masks(made, masking)
    assert seen.given.shape == (2, len(masks.WINDOWS) + 3, 3, 64, 64)
    for frames, given in zip(seen.frames, seen.given, strict=True):
        alone = masks.all_of(masks.luminance(frames), masking.measures, masking.windows)
        assert np.array_equal(given, alone.mask)
