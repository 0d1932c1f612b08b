"""Frames of a long stack are named by the scout, and each place is looked at closely once."""

from unittest.mock import patch

import numpy as np
import pytest

from panfocus.systems import Card, load_system, long_stacks
from panfocus.systems.long_stacks import ManyWeights
from tests.conftest import blurred, texture

HEIGHT, WIDTH = 272, 400
CARD = Card(name="double", title="test", halo=128, multiple_of=16)


def brightest(frames):
    """Decide softly by brightness."""
    grey = frames.astype(np.float32).mean(-1)
    weights = np.exp((grey - grey.max(axis=0)) / 4)
    return weights / weights.sum(axis=0)


class Double:
    """The same, that counts what it sees."""

    def __init__(self, least=0):
        self.calls = []
        self.least = least

    def __call__(self, frames):
        self.calls.append(frames.shape)
        return brightest(frames)

    @property
    def samples(self):
        return sum(n * h * w for n, h, w, _ in self.calls)


def by_luminance(measures, run_all=map):
    """A scout that takes the brightest for the sharpest."""
    weights = np.exp(40 * (measures[:, 3] - measures[:, 3].max(axis=0)))
    return weights / weights.sum(axis=0)


def equally(measures, run_all=map):
    """A scout that knows nothing."""
    return np.full_like(measures[:, 0], 1 / len(measures))


def never(measures, run_all=map):
    """A scout that must not be asked."""
    raise AssertionError


def decided(frames, network, scout=by_luminance):
    """Decide by a scout, though frames of one grey are a plain ground."""
    with patch.object(long_stacks, "has_plain_ground", lambda _: scout is never):
        return long_stacks.decided(list(frames), network, scout, card=CARD, threads=1)


def strips(count):
    """Frames of which each is brighter in a strip of its own, far from each other in grey."""
    frames = np.full((count, HEIGHT, WIDTH, 3), 60, np.uint8)
    bounds = np.linspace(0, WIDTH, count + 1).astype(int)
    for n in range(count):
        frames[n, :, bounds[n] : bounds[n + 1]] = 200
    return frames, bounds


@pytest.mark.parametrize("count", [16, 17, 40])
def test_the_one_that_is_best_of_all_wins_whatever_group_it_meets(count):
    frames, bounds = strips(count)
    many = decided(frames, Double())
    index = many.shares.argmax(axis=0)
    for n in range(count):
        assert (index[:, bounds[n] : bounds[n + 1]] == n).mean() > 0.95


def test_no_more_meet_than_say_something():
    """Where detail names more than are compared at once, they meet in rounds."""
    frames = np.full((20, HEIGHT, WIDTH, 3), 60, np.uint8)
    for n in range(20):
        frames[n, 40, 20 + 5 * n : 22 + 5 * n] = 255
    network = Double()
    decided(frames, network, equally)
    assert len(network.calls) > 3
    assert max(shape[0] for shape in network.calls) <= long_stacks.LAST


def test_frames_that_are_nowhere_best_are_not_shown_to_the_network():
    frames, _ = strips(3)
    dull = np.full((30, HEIGHT, WIDTH, 3), 20, np.uint8)
    few, many = Double(), Double()
    decided(np.concatenate([frames, dull[:15]]), few)
    decided(np.concatenate([frames, dull]), many)
    assert many.samples == few.samples > 0


def test_before_a_plain_ground_the_network_names_by_small_frames():
    """In bright field the scout takes rims that are out of focus for detail."""
    frames, bounds = strips(20)
    network = Double()
    many = decided(frames, network, never)
    assert network.calls[0][1] == HEIGHT // 4
    index = many.shares.argmax(axis=0)
    for n in range(20):
        assert (index[:, bounds[n] : bounds[n + 1]] == n).mean() > 0.95


def test_of_frames_that_are_as_sharp_one_is_taken_and_nothing_looked_at():
    frames = np.repeat(np.random.default_rng(0).integers(90, 111, (1, 272, 272, 3)), 20, axis=0)
    network = Double()
    many = decided(frames.astype(np.uint8), network, equally)
    assert network.calls == []
    assert (many.shares.max(axis=0) == 255).all()
    assert (many.shares > 0).sum(axis=0).max() == 1


def test_the_order_of_parts_does_not_change_who_wins():
    frames, _ = strips(20)
    turn = np.random.default_rng(0).permutation(20)
    one, other = decided(frames, Double()), decided(frames[turn], Double())
    same = one.shares.argmax(axis=0) == turn[other.shares.argmax(axis=0)]
    assert same.mean() > 0.97


def made(shares, coarse=None):
    shares = np.asarray(shares, np.uint8)[:, :, None].repeat(4, axis=2).repeat(4, axis=1)
    coarse = np.full((len(shares), 1, 1), 1 / len(shares)) if coarse is None else coarse
    return ManyWeights(shares, np.asarray(coarse, np.float32))


def test_parts_give_what_the_whole_would():
    rng = np.random.default_rng(0)
    shares = rng.integers(0, 256, (21, 8, 8)).astype(np.uint8)
    shares[:, :, :3] = 0
    shares[13, :, :3] = 255
    many = ManyWeights(shares, rng.random((21, 2, 2), np.float32))
    frames = rng.random((21, 8, 8), np.float32)
    so_far = None
    for (part, empty), start in zip(many.parts(8), (0, 8, 16), strict=True):
        np.testing.assert_array_equal(empty, shares[: start + 8].sum(axis=0) == 0)
        np.testing.assert_allclose(part.sum(axis=0), 1, atol=1e-5)
        shown = frames[start : start + 8]
        shown = shown if so_far is None else np.concatenate([so_far[None], shown])
        assert len(shown) == len(part)
        so_far = (part * shown).sum(axis=0)
    whole = shares / shares.sum(axis=0, dtype=np.float32)
    np.testing.assert_allclose(so_far, (whole * frames).sum(axis=0), atol=1e-5)


def test_where_nobody_has_a_share_yet_the_best_of_the_small_ones_stands():
    coarse = np.array([0.1, 0.2, 0.1, 0.3, 0.1, 0.9])[:, None, None]
    many = made([[0]] * 5 + [[255]], coarse)
    first, second, third = (part.copy() for part, _ in many.parts(2))
    assert first[:, 0, 0].tolist() == [0, 1]
    assert second[:, 0, 0].tolist() == [0, 0, 1]
    assert third[:, 0, 0].tolist() == [0, 0, 1]


def test_the_first_part_may_begin_with_what_was_fused():
    many = made([[0], [0], [255]], np.array([0.5, 0.1, 0.4])[:, None, None])
    first, second = (part.copy() for part, _ in many.parts(1, first=1))
    assert first[:, 0, 0].tolist() == [1, 0]
    assert second[:, 0, 0].tolist() == [0, 1]


def sweep(count, height=288, width=384):
    """Frames of which each is sharp in a strip, and blurred the more the farther from it."""
    truth = texture(height, width)
    soft = [truth, *(blurred(truth, sigma) for sigma in (1.0, 1.8, 2.6, 3.4))]
    at = np.arange(width) * count // width
    frames = np.empty((count, *truth.shape), truth.dtype)
    for n in range(count):
        for k, level in enumerate(soft):
            far = np.minimum(np.abs(at - n), len(soft) - 1) == k
            frames[n][:, far] = level[:, far]
    return frames, truth


def test_the_bundled_network_finds_the_sharp_one_of_many():
    frames, truth = sweep(18)
    system = load_system("dualpath")
    many = system.decide_many(list(frames))
    shares = many.shares / many.shares.sum(axis=0, dtype=np.float32)
    fused = np.einsum("nhwc,nhw->hwc", frames.astype(np.float32), shares)
    error = np.abs(fused - truth.astype(np.float32)).mean()
    assert error < 0.25 * np.abs(frames[9].astype(np.float32) - truth.astype(np.float32)).mean()


def test_what_must_be_seen_whole_or_in_the_dark_is_not_left_out():
    frames, _ = sweep(4)
    assert load_system("dualpath", whole=True).decide_many(list(frames)) is None
    assert not load_system("dualpath", whole=True).compares_many
    assert not load_system("drpl").compares_many
    dark = [(frame // 40).astype(np.uint8) for frame in frames]
    dark[0][100:110, 100:110] = 255
    assert load_system("dualpath").decide_many(dark) is None
