"""Imperfect masks and pictures blurred again: exact where they say so, silent elsewhere."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    config,
    fluorescence,
    masks,
    misfire,
    observed,
    redefocus,
)
from panfocus.train.dualpath.task import FUSED_COUNT, Supply
from panfocus.train.pairs import FocalSet, Material


@pytest.fixture(scope="module")
def picture():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[100:300, 100:330])


@pytest.fixture(scope="module")
def supply(picture):
    from skimage import data

    return redefocus.sources_of([picture, np.ascontiguousarray(data.coffee()[100:300, 200:430])])


def halves(picture):
    """A pair sharp on the left, and on the right."""
    blurred = cv2.GaussianBlur(picture, (0, 0), 3)
    half = picture.shape[1] // 2
    first, second = picture.copy(), blurred.copy()
    first[:, half:], second[:, half:] = blurred[:, half:], picture[:, half:]
    return np.stack((first, second))


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
    spread = [synthesis.crop(rng, held, 64).std() for _ in range(20)]
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
        down, across = np.random.default_rng(seed).integers(0, redefocus.STRIDE, 2)
        kept = np.s_[..., : 64 - down, : 64 - across]
        assert np.array_equal(out.frames[kept], one.frames[..., down:, across:])
        assert np.array_equal(out.mask[kept], one.mask[..., down:, across:])
        beyond = np.ones((64, 64), bool)
        beyond[kept] = False
        assert not out.valid[beyond].any()
        assert np.allclose(out.mask.sum(0), 1, atol=1e-5)
        # whatever is chosen there, the blend is the truth
        assert (out.clean[:, :, beyond] == out.truth[:, beyond]).all()


def test_in_stacks_too_only_what_is_out_of_focus_drifts(supply):
    rng = np.random.default_rng
    plain = synthesis.Odds(
        noise=0, jpeg=0, borders=0, lights=0, moved=0, shaded=0, layers=0, painted=0
    )
    drift = synthesis.drifting(rng(1), 88, synthesis.Odds(moved=1.0))
    light = rng(0).random((88, 88, 3), np.float32)
    assert np.allclose(drift.bent(light, np.zeros((88, 88), np.float32)), light, atol=1e-6)
    assert np.abs(drift.bent(light, np.ones((88, 88), np.float32)) - light).mean() > 0.05
    assert np.allclose(drift.part(0.0)(light), light, atol=1e-5)
    errors = []
    for moved in (0.0, 1.0):
        odds = replace(plain, moved=moved)
        made = [redefocus.stack(rng(n), supply, 64, 4, odds) for n in range(8)]
        blended = np.stack([(m.mask[:, None] * m.frames).sum(0) - m.truth for m in made])
        anyhow = np.stack([m.frames.mean(0) - m.truth for m in made])
        assert np.square(blended).mean() < 0.5 * np.square(anyhow).mean()
        errors.append(np.square(anyhow).mean())
    assert errors[1] > errors[0]


def test_in_bright_field_the_sides_of_focus_differ_and_the_mask_holds(supply):
    rng = np.random.default_rng
    odds = synthesis.Odds(noise=0, jpeg=0, lights=0, moved=0, shaded=0, painted=0, ringed=1)
    made = [redefocus.stack(rng(n), supply, 64, 4, odds) for n in range(8)]
    blended = np.stack([(m.mask[:, None] * m.frames).sum(0) - m.truth for m in made])
    anyhow = np.stack([m.frames.mean(0) - m.truth for m in made])
    assert np.square(blended).mean() < 0.5 * np.square(anyhow).mean()
    back = rng(0).random((40, 40, 3), np.float32)
    ladder = redefocus.Ladder.of(back, [0.0, 2.0, 5.0], "disc", np.float32(1.5))
    ahead, behind, there = (
        ladder.at(np.full((40, 40), offset, np.float32)) for offset in (2.0, -2.0, 0.0)
    )
    assert np.allclose(there, back, atol=1e-6)
    assert ahead.std() > behind.std()


# --- light in the dark ------------------------------------------------------------------------


def volumes(supply, count, **changes):
    """Sets of fluorescence without JPEG, in the order of their seeds."""
    odds = replace(synthesis.Odds(jpeg=0), **changes)
    return [
        fluorescence.stack(np.random.default_rng(n), supply, 64, count, odds) for n in range(24)
    ]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_frame_to_take_of_fluorescence_holds_the_structures(supply, count):
    """Where a frame is named, it shows at least the contrast that the others show."""
    better = 0
    for made in volumes(supply, count):
        assert made.frames.shape == (count, 3, 64, 64)
        assert np.allclose(made.mask.sum(0), 1, atol=1e-5)
        assert 0 <= made.frames.min() <= made.frames.max() <= 1
        blended = np.einsum("nchw,nhw->chw", made.clean, made.mask)
        assert np.allclose(blended, made.truth, atol=1e-5)
        at = made.valid > 0
        if not at.any():
            continue
        ground = np.median(made.clean)
        kept, most = (np.abs(a - ground).max(0)[at].mean() for a in (made.truth, made.clean.max(0)))
        better += kept >= 0.8 * min(most, np.abs(made.clean - ground).max((0, 1))[at].mean())
    assert better >= 18


def test_an_empty_plane_is_never_the_one_to_take():
    claims = np.zeros((3, 8, 8), np.float32)
    claims[1, :4], claims[2, 4:6] = 1, 0.5
    claims[0] = -1
    mask = fluorescence.to_take(claims, 0)
    assert mask[0].max() == 0
    assert (mask[1, :4] == 1).all()
    assert (mask[2, 4:6] == 1).all()
    assert (mask[1:, 6:] == 0.5).all()


def test_photon_noise_grows_with_the_light_and_is_grey_where_frames_are():
    clean = np.tile(np.linspace(0, 1, 400, dtype=np.float32), (2, 3, 60, 1))
    for seed in range(12):
        frames, variance = fluorescence.photon_noise(np.random.default_rng(seed), clean)
        if variance == 0:
            continue
        assert np.array_equal(frames[:, 0], frames[:, 2])
        noise = (frames - clean)[:, 0, :, 40:360]
        assert noise[..., -100:].std() > noise[..., :100].std()
        tinted = clean.copy()
        tinted[:, 1] *= 0.5
        other, _ = fluorescence.photon_noise(np.random.default_rng(seed), tinted)
        assert not np.array_equal(other[:, 0], other[:, 2])
        return
    raise AssertionError("no draw had noise")


@pytest.mark.parametrize("count", [2, 4])
def test_a_frame_that_shows_nothing_is_never_taken_where_it_is_lost(supply, count):
    odds = synthesis.Odds(noise=0, jpeg=0, moved=0)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        made = redefocus.stack(rng, supply, 64, count, odds)
        out = misfire.misfired(rng, made)
        changed = [n for n in range(count) if not np.array_equal(made.clean[n], out.clean[n])]
        assert len(changed) == 1
        gone = np.abs(out.clean[changed[0]] - made.clean[changed[0]]).max(0) > 0.2
        assert out.mask[changed[0]][gone].max() == 0
        assert np.allclose(out.mask.sum(0), 1)
        assert out.valid[gone].min() == 1
        # what is asked for can be had: the best of what is left
        blended = np.einsum("nchw,nhw->chw", out.clean, out.mask)
        was_best = gone & (made.mask[changed[0]] > 0)
        assert np.allclose(blended[:, was_best], out.truth[:, was_best], atol=1e-5)


def test_kinds_that_are_not_wanted_change_no_sample(supply):
    """Recipes of before these kinds give the samples that they gave."""
    none = synthesis.Odds(fluorescent=0, misfired=0)
    rng = np.random.default_rng((1, 2, 0))
    expected = redefocus.stack(rng, supply, 64, 3, none)
    made = redefocus.scene(np.random.default_rng((1, 2, 0)), supply, 64, 3, none)
    assert all(np.array_equal(a, b) for a, b in zip(expected, made, strict=True))
    all_of_it = synthesis.Odds(fluorescent=1)
    dark = redefocus.scene(np.random.default_rng((1, 2, 0)), supply, 64, 3, all_of_it)
    assert not np.array_equal(dark.frames, made.frames)


def test_a_measure_that_is_named_more_than_once_counts_more(picture):
    frames = halves(picture).astype(np.float32).mean(-1) / 255
    once = masks.all_of(frames, ("sml", masks.GUIDED), (5, 9))
    more = masks.all_of(frames, ("sml", masks.GUIDED, masks.GUIDED), (5, 9))
    assert np.array_equal(more.mask[:3], once.mask)
    assert np.array_equal(more.mask[3], once.mask[2])
