from dataclasses import replace

import cv2
import numpy as np
import pytest

from panfocus.systems.planes import PAD
from panfocus.train import pictures, synthesis
from panfocus.train.synthesis import Odds, Sample, Stream
from panfocus.train.synthesis.blur import ring
from panfocus.train.synthesis.ends import STRIDE

PLAIN = Odds(
    layers=0, uniform=0, painted=0, lights=0, soft_source=0, borders=0, noise=0, jpeg=0, linear=0,
    shaded=0, framed=0, moved=0, ringed=0, recoloured=0, crisp=0, radius=(3, 6),
)  # fmt: skip


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_sample_has_its_shapes_and_range(sources):
    for name in ("published", "varied"):
        b = Stream(name, sources, 0).batch(0, range(6), 48)
        assert b.first.shape == b.second.shape == b.truth.shape == (6, 3, 48, 48)
        assert b.mask.shape == b.valid.shape == (6, 48, 48)
        assert b.clean.shape == (6, 2, 3, 48, 48)
        assert b.noise.shape == (6,)
        for array in b:
            assert array.dtype == np.float32
            assert array.min() >= 0
            assert array.max() <= 1


def test_a_hard_composite_by_its_mask_is_the_truth(sources):
    b = Stream("varied", sources, 0, PLAIN).batch(0, range(8), 48)
    mask = b.mask[:, None]
    assert set(np.unique(mask)) <= {0, 1}
    assert np.allclose(mask * b.first + (1 - mask) * b.second, b.truth, atol=1e-6)
    assert np.abs(b.first - b.truth).max() > 0.05
    assert np.array_equal(b.clean[:, 0], b.first)


def test_a_published_composite_by_its_mask_is_the_truth_but_for_jpeg(sources):
    b = Stream("published", sources, 0).batch(0, range(6), 96)
    mask = b.mask[:, None]
    error = np.abs(mask * b.first + (1 - mask) * b.second - b.truth).mean()
    assert error < 0.015
    assert error < 0.6 * np.abs((1 - mask) * b.first + mask * b.second - b.truth).mean()
    share = b.mask.mean((1, 2))
    assert ((share > 0.2) & (share < 0.8)).all()


def test_layers_spread_light_that_no_hard_mask_explains(sources):
    odds = replace(PLAIN, layers=1, foreign=1)
    b = Stream("varied", sources, 1, odds).batch(0, range(8), 64)
    mask = b.mask[:, None]
    by_mask = np.abs(mask * b.first + (1 - mask) * b.second - b.truth).mean()
    swapped = np.abs((1 - mask) * b.first + mask * b.second - b.truth).mean()
    assert 1e-4 < by_mask < 0.5 * swapped


def test_lights_leave_clipped_discs_in_the_blurred_picture(sources):
    dark = synthesis.Sources(
        pictures.Pictures(
            [np.full((120, 120, 3), 20, np.uint8)] * 2,
            [np.zeros((120, 120), np.uint8)] * 2,
            ["", ""],
        )
    )
    odds = replace(PLAIN, uniform=1, lights=1, radius=(6, 6))
    b = Stream("varied", dark, 0, odds).batch(0, range(12), 64)
    sharp = np.where(b.mask[:, None] == 1, b.first, b.second)
    blurred = np.where(b.mask[:, None] == 1, b.second, b.first)
    assert (blurred.min(1) >= 0.99).sum() > 2 * (sharp.min(1) >= 0.99).sum() > 0


def test_painted_shapes_are_part_of_the_scene(sources):
    plain = Stream("varied", sources, 0, PLAIN).batch(0, range(8), 48)
    odds = replace(PLAIN, painted=1)
    b = Stream("varied", sources, 0, odds).batch(0, range(8), 48)
    extreme = ((b.truth == 0) | (b.truth == 1)).all(1).mean()
    assert extreme > 0.05 + ((plain.truth == 0) | (plain.truth == 1)).all(1).mean()
    mask = b.mask[:, None]
    assert np.allclose(mask * b.first + (1 - mask) * b.second, b.truth, atol=1e-6)


def test_pairs_may_end_before_the_field(sources):
    """Pictures are pushed up and left, and beyond them nothing is to be decided."""
    whole = Stream("varied", sources, 0, PLAIN).batch(0, range(8), 48)
    b = Stream("varied", sources, 0, PLAIN, ended=1).batch(0, range(8), 48)
    moved = 0
    for old, new in zip(
        *(map(Sample._make, zip(*a, strict=True)) for a in (whole, b)), strict=True
    ):
        beyond = new.mask == 0.5
        assert (new.first[:, beyond] == PAD).all()
        assert (new.clean[:, :, beyond] == new.truth[:, beyond]).all()
        assert not new.valid[beyond].any()
        down, across = (48 - int(inside.sum()) for inside in (~beyond[:, 0], ~beyond[0]))
        assert max(down, across) < STRIDE
        assert np.array_equal(
            new.second[:, : 48 - down, : 48 - across], old.second[:, down:, across:]
        )
        moved += beyond.any()
    assert moved > 4
    assert all(
        map(np.array_equal, whole, Stream("varied", sources, 0, PLAIN).batch(0, range(8), 48))
    )


def test_uniform_pairs_have_one_answer(sources):
    b = Stream("varied", sources, 0, replace(PLAIN, uniform=1)).batch(0, range(6), 40)
    for first, second, truth, mask in zip(b.first, b.second, b.truth, b.mask, strict=True):
        assert mask.min() == mask.max()
        assert np.array_equal(first if mask[0, 0] else second, truth)


def test_empty_borders_are_never_the_ones_to_take(sources):
    b = Stream("varied", sources, 0, replace(PLAIN, borders=1)).batch(0, range(8), 40)
    empty = (b.first == 0).all(1) & (b.second != 0).any(1)
    assert empty.any()
    assert (b.mask[empty] == 0).all()


def test_shaded_rims_are_dark_where_out_of_focus_and_the_truth_is_not(sources):
    plain = Stream("varied", sources, 0, PLAIN).batch(0, range(12), 48)
    b = Stream("varied", sources, 0, replace(PLAIN, shaded=1)).batch(0, range(12), 48)
    mask = b.mask[:, None]
    assert np.array_equal(b.truth, plain.truth)
    assert np.allclose(mask * b.first + (1 - mask) * b.second, b.truth, atol=1e-6)
    other = mask * b.second + (1 - mask) * b.first
    before = mask * plain.second + (1 - mask) * plain.first
    assert np.allclose(other[..., 8:-8, 8:-8], before[..., 8:-8, 8:-8], atol=1e-4)
    ratio = other.mean((0, 1)) / before.mean((0, 1))
    outer = np.concatenate((ratio[0], ratio[-1], ratio[:, 0], ratio[:, -1])).mean()
    assert 0.5 < outer < 0.9  # a part of the sides is lit


def test_bars_along_the_sides_are_part_of_the_scene(sources):
    b = Stream("varied", sources, 0, replace(PLAIN, framed=1)).batch(0, range(12), 48)
    mask = b.mask[:, None]
    assert np.allclose(mask * b.first + (1 - mask) * b.second, b.truth, atol=1e-6)
    outer = (b.truth[..., 0, :], b.truth[..., -1, :], b.truth[..., 0], b.truth[..., -1])
    one_colour = [[np.ptp(side[n], axis=-1).max() == 0 for side in outer] for n in range(12)]
    assert np.any(one_colour, axis=1).all()


@pytest.mark.parametrize("layers", [0, 1])
def test_only_what_is_out_of_focus_drifts(sources, layers):
    still, drifted = (
        Stream("varied", sources, 5, replace(PLAIN, layers=layers, moved=moved)).batch(
            0, range(10), 64
        )
        for moved in (0, 1)
    )
    # the same scenes by another draw of numbers: compared with their own truths
    for b, least in ((still, 0.0), (drifted, 0.004)):
        mask = b.mask[:, None]
        chosen = mask * b.first + (1 - mask) * b.second
        other = (1 - mask) * b.first + mask * b.second
        error = np.abs(chosen - b.truth).mean()
        assert error <= 1e-6 if not layers else error < 0.3 * np.abs(other - b.truth).mean()
        light = np.abs(other.mean((2, 3)) / b.truth.mean((2, 3)) - 1).mean()
        assert light >= least
    brighter = np.abs(drifted.first.mean((1, 2, 3)) / drifted.second.mean((1, 2, 3)) - 1).mean()
    alike = np.abs(still.first.mean((1, 2, 3)) / still.second.mean((1, 2, 3)) - 1).mean()
    assert brighter > alike


def test_what_rings_gains_coarse_contrast_and_no_fine_detail(sources):
    soft, ringed = (
        Stream("varied", sources, 5, replace(PLAIN, uniform=1, ringed=odds)).batch(0, range(12), 96)
        for odds in (0, 1)
    )

    def contrast(batch, fine):
        out_of_focus = np.where(batch.mask[:, None] > 0.5, batch.second, batch.first).mean(1)
        band = [
            p - cv2.GaussianBlur(p, (0, 0), 1)
            if fine
            else cv2.GaussianBlur(p, (0, 0), 4) - cv2.GaussianBlur(p, (0, 0), 8)
            for p in out_of_focus
        ]
        return np.abs(band).mean()

    truth = np.abs([p - cv2.GaussianBlur(p, (0, 0), 1) for p in ringed.truth.mean(1)]).mean()
    assert contrast(ringed, fine=False) > 1.3 * contrast(soft, fine=False)
    assert contrast(ringed, fine=True) < 0.5 * truth
    flat = np.full((32, 32, 3), 0.4, np.float32)
    assert np.abs(ring(flat, 4.0)).max() < 1e-6
    assert np.abs(ring(rng().random((32, 32, 3), np.float32), 0.01)).max() < 1e-4


def test_the_noise_told_is_the_noise_there(sources):
    b = Stream("varied", sources, 0, replace(PLAIN, noise=1)).batch(0, range(6), 64)
    inside = (b.clean > 0.15) & (b.clean < 0.85)  # clipping takes some away
    pair = np.stack((b.first, b.second), 1)
    for picture, clean, where, told in zip(pair, b.clean, inside, b.noise, strict=True):
        assert np.isclose(np.square(picture - clean)[where].mean(), told, rtol=0.1)


def test_noise_is_left_out_of_the_clean_pair(sources):
    b = Stream("varied", sources, 0, replace(PLAIN, noise=1, jpeg=1)).batch(0, range(4), 40)
    mask = b.mask[:, None]
    assert np.allclose(mask * b.clean[:, 0] + (1 - mask) * b.clean[:, 1], b.truth, atol=1e-6)
    assert np.abs(b.first - b.clean[:, 0]).max() > 0.01


def test_flat_areas_are_not_valid_evidence():
    flat = synthesis.Sources(
        pictures.Pictures(
            [np.full((99, 99, 3), 90, np.uint8)], [np.zeros((99, 99), np.uint8)], [""]
        ),
        sharp_only=False,
    )
    b = Stream("varied", flat, 0, PLAIN).batch(0, range(3), 32)
    assert b.valid.max() == 0
