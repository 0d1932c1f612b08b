"""The arbiter says which of two scales to follow: the reduced one where blurs are wide."""

import numpy as np
import pytest

from panfocus.arrays.pixels import shrink
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.scene import encode, linear_of
from panfocus.systems import coarse_to_fine, load_system
from panfocus.systems.arbiter import CHANNELS, Arbiter, evidence, seen_of
from panfocus.systems.candidates import REDUCTION
from panfocus.systems.intensity import Stretch
from panfocus.systems.scout import Scout
from tests.fusion.test_spread import photograph

SHAPE = (600, 800)


def pair(radius, seed=2):
    """A near thing and what is behind it, each out of focus by `radius` in the other's frame."""
    back, front = photograph(seed, 20, 140, SHAPE), photograph(seed + 1, 90, 235, SHAPE)
    matte = blob_matte(np.random.default_rng(seed), *SHAPE, 0.25, 0.5)
    layers = [Layer(linear_of(back), None, 1.0), Layer(linear_of(front), matte, 0.0)]
    frames = [encode(render(layers, blurs)) for blurs in ([radius, 0], [0, radius])]
    return np.stack(frames), encode(render(layers, [0, 0]))


@pytest.fixture(scope="module")
def wide():
    return pair(32.0)


@pytest.fixture(scope="module")
def system():
    return load_system("dualpath", device="cpu")


def psnr(frames, weights, truth):
    made = np.einsum("nhwc,nhw->hwc", frames, weights)
    return 10 * np.log10(255**2 / np.mean((made - truth) ** 2))


def asked(frames, both):
    """What an arbiter is asked about."""
    fine = np.stack([shrink(weight, REDUCTION) for weight in both.fine])
    return np.stack([seen_of(frame) for frame in frames]), fine, both.coarse


def test_wide_blurs_are_told_by_the_reduced_scale(wide, system):
    frames, truth = wide
    without = system.at_both_scales(frames).fine
    assert psnr(frames, system.decide(frames), truth) > psnr(frames, without, truth) + 0.5


def test_narrow_ones_by_the_full_scale(system):
    frames, truth = pair(3.0)
    without = system.at_both_scales(frames).fine
    assert psnr(frames, system.decide(frames), truth) > psnr(frames, without, truth) - 0.1


def test_weights_still_sum_to_one(wide, system):
    weights = system.decide(wide[0])
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)
    assert weights.min() > -1e-6


def test_the_papers_own_system_does_without(wide):
    paper = load_system("dualpath-paper", device="cpu")
    np.testing.assert_array_equal(paper.decide(wide[0]), paper.at_both_scales(wide[0]).fine)


def test_the_order_of_frames_does_not_matter(wide, system):
    frames = np.concatenate([wide[0], wide[0][:1] // 2])
    both = system.at_both_scales(frames)
    seen, fine, coarse = asked(frames, both)
    turn = [2, 0, 1]
    # where both scales take one frame alone, others of the same detail are told apart by nothing
    differ = np.abs(fine - coarse).sum(axis=0) / 2 > 0.1
    assert differ.mean() > 0.05
    turned, straight = evidence(seen[turn], fine[turn], coarse[turn]), evidence(seen, fine, coarse)
    np.testing.assert_allclose(turned[:, differ], straight[:, differ], atol=1e-5)


def test_lights_are_left_to_the_full_scale(wide, system):
    frames = wide[0].copy()
    frames[0, 280:320, 380:420] = 255
    frames[1, 280:320, 380:420] = 60
    seen, fine, coarse = asked(frames, system.at_both_scales(frames))
    share = Arbiter()(seen, fine, coarse)
    assert share.shape == (SHAPE[0] // 4, SHAPE[1] // 4)
    assert 0 <= share.min()
    assert 0.5 < share.max() <= 1
    assert share[70:80, 95:105].max() == 0


def test_frames_that_were_stretched_look_as_bright_ones():
    frame = photograph(5, 0, 250, (96, 128))[..., :1].repeat(3, axis=2)
    dim = (frame // 16).astype(np.uint8)
    bright = seen_of((dim * 16).astype(np.uint8))
    np.testing.assert_allclose(seen_of(dim, Stretch(0.05 / 16, 16.0)), bright, atol=0.02)


def test_sides_that_are_no_multiple_are_seen_too():
    frames = np.stack([photograph(n, 0, 250, (90, 131)) for n in (1, 2)])
    seen = np.stack([seen_of(frame) for frame in frames])
    assert seen.shape == (2, 4, 22, 32)
    half = np.full((2, 22, 32), 0.5, np.float32)
    assert evidence(seen, half, half).shape == (CHANNELS, 22, 32)


def test_who_agrees_needs_no_arbiter(system):
    frames = np.zeros((2, *SHAPE, 3), np.uint8)
    frames[0] = photograph(1, 0, 250, SHAPE)

    def never(*_):
        raise AssertionError

    def first(seen):
        return np.stack([np.ones(seen.shape[1:3], np.float32), *np.zeros((1, *seen.shape[1:3]))])

    weights = coarse_to_fine.decided(frames, first, card=system.card, threads=1, arbiter=never)
    assert weights[0].min() == 1


def test_what_the_arbiter_says_is_followed(wide, system):
    frames, _ = wide
    both = system.at_both_scales(frames)

    def decided(share):
        def arbiter(seen, fine, coarse, witness):
            return np.full(fine.shape[1:], share, np.float32)

        return coarse_to_fine.decided(
            frames, lambda seen: system.infer(seen, tile=True), card=system.card, threads=1,
            arbiter=arbiter,
        )  # fmt: skip

    np.testing.assert_allclose(decided(0.0), both.fine, atol=1e-6)
    small = np.stack([shrink(weight, REDUCTION) for weight in decided(1.0)])
    assert np.abs(small - both.coarse).mean() < 0.02


def test_the_scout_is_its_witness(wide, system):
    frames, _ = wide
    heard = []

    def arbiter(seen, fine, coarse, witness):
        heard.append((fine.shape, witness))
        return np.zeros(fine.shape[1:], np.float32)

    def scout(measures, run_all):
        shares = np.zeros_like(measures[:, 0])
        shares[1] = 1
        return shares

    coarse_to_fine.decided(
        frames, lambda seen: system.infer(seen, tile=True), card=system.card, threads=1,
        arbiter=arbiter, scout=scout,
    )  # fmt: skip
    ((shape, witness),) = heard
    assert witness.shape == shape
    assert witness[1].min() == 1


def test_with_a_witness_wide_blurs_come_nearer(system):
    frames, truth = pair(48.0, seed=6)
    decided = [
        coarse_to_fine.decided(
            frames, lambda seen: system.infer(seen, tile=True), card=system.card, threads=1,
            arbiter=Arbiter(), scout=scout,
        )
        for scout in (None, Scout())
    ]  # fmt: skip
    without, now = (psnr(frames, weights, truth) for weights in decided)
    assert now > without + 0.1
