import cv2
import numpy as np
import pytest

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    focal_stacks,
    redefocus,
)
from panfocus.train.dualpath.task import FUSED_COUNT, Supply
from panfocus.train.pairs import FocalSet, Material
from panfocus.train.synthesis.ends import STRIDE
from panfocus.train.synthesis.sources import crop
from tests.support.pairs import halves


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_frames_blurred_again_are_exact(supply, count):
    """Where the mask says so, a frame comes nearer to the picture before than the others do."""
    odds = synthesis.Odds(
        noise=0, jpeg=0, borders=0, lights=0, moved=0, ringed=0, fluorescent=0, misfired=0
    )
    made = redefocus.batch(supply, 64, count, (3, count), range(16), odds=odds)
    assert np.array_equal(made.clean, made.frames)
    assert not made.noise.any()
    assert made.frames.shape == (16, count, 3, 64, 64)
    assert made.truth.shape == (16, 3, 64, 64)
    assert made.frames.min() >= 0
    assert made.frames.max() <= 1
    assert np.allclose(made.mask.sum(1), 1, atol=1e-5)
    blended = (made.mask[:, :, None] * made.frames).sum(1)
    anyhow = made.frames.mean(1)
    assert np.square(blended - made.truth).mean() < 0.5 * np.square(anyhow - made.truth).mean()


def test_batches_are_a_function_of_their_key(supply):
    odds = synthesis.Odds()
    one = redefocus.batch(supply, 64, 3, (1, 2), range(4), odds=odds)
    two = redefocus.batch(supply, 64, 3, (1, 2), range(2, 4), odds=odds)
    assert all(np.array_equal(a[2:], b) for a, b in zip(one, two, strict=True))


def test_frames_alike_give_no_evidence():
    flat = redefocus.sources_of([np.full((120, 120, 3), 128, np.uint8)] * 2)
    odds = synthesis.Odds(
        noise=0,
        jpeg=0,
        lights=0,
        borders=0,
        shaded=0,
        framed=0,
        moved=0,
        recoloured=0,
        painted=0,
        fluorescent=0,
        misfired=0,
    )
    for count in (2, 4):
        made = redefocus.batch(flat, 64, count, (0, 0), range(4), odds=odds)
        assert made.valid.sum() == 0


def test_crops_prefer_places_with_detail(picture):
    wide = np.full((200, 460, 3), 128, np.uint8)
    wide[:, :230] = picture
    held = redefocus.sources_of([wide])
    lacking = held.pictures.soft[0]
    assert lacking[:, 260:].min() == 255
    assert lacking[:, :230].mean() < 160
    rng = np.random.default_rng(0)
    spread = [crop(rng, held, 64).std() for _ in range(20)]
    assert np.mean(np.array(spread) > 0.05) > 0.8


def test_fused_sets_are_further_sources_and_hold_more_detail(picture):
    pair = list(halves(picture))
    material = Material([FocalSet("pair", pair)])
    alone, more = Supply.of(material), Supply.of(material, "guided")
    assert len(alone.sources.pictures.colour) == 2
    assert len(more.sources.pictures.colour) == 2 + FUSED_COUNT
    made = more.sources.pictures.colour[-1]
    detail = [cv2.Laplacian(p.astype(np.float32), cv2.CV_32F).std() for p in (*pair, made)]
    assert detail[2] > 1.1 * max(detail[:2])


def test_padded_sets_end_before_the_field_and_ask_nothing_beyond(supply):
    made = redefocus.batch(supply, 64, 3, (1, 1), range(1), odds=synthesis.Odds())
    one = redefocus.MadeStack(*(array[0] for array in made))
    for seed in range(4):
        out = redefocus.padded(np.random.default_rng(seed), one)
        down, across = np.random.default_rng(seed).integers(0, STRIDE, 2)
        kept = np.s_[..., : 64 - down, : 64 - across]
        assert np.array_equal(out.frames[kept], one.frames[..., down:, across:])
        assert np.array_equal(out.mask[kept], one.mask[..., down:, across:])
        beyond = np.ones((64, 64), bool)
        beyond[kept] = False
        assert not out.valid[beyond].any()
        assert np.allclose(out.mask.sum(0), 1, atol=1e-5)
        # whatever is chosen there, the blend is the truth
        assert (out.clean[:, :, beyond] == out.truth[:, beyond]).all()


def test_kinds_that_are_not_wanted_change_no_sample(supply):
    """Recipes of before these kinds give the samples that they gave."""
    none = synthesis.Odds(fluorescent=0, misfired=0)
    rng = np.random.default_rng((1, 2, 0))
    expected = focal_stacks.stack(rng, supply, 64, 3, none)
    made = redefocus.scene(np.random.default_rng((1, 2, 0)), supply, 64, 3, none)
    assert all(np.array_equal(a, b) for a, b in zip(expected, made, strict=True))
    all_of_it = synthesis.Odds(fluorescent=1)
    dark = redefocus.scene(np.random.default_rng((1, 2, 0)), supply, 64, 3, all_of_it)
    assert not np.array_equal(dark.frames, made.frames)
