from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panfocus.arrays.tiles import cheapest_core, grown, shares, tiled_decision, windows

SIDE = st.integers(1, 90)


@given(SIDE, SIDE, st.integers(1, 40), st.integers(0, 20), st.sampled_from([1, 2, 8]))
def test_cores_partition_the_picture_exactly(height, width, core, halo, multiple):
    seen = np.zeros((height, width), int)
    for window in windows(height, width, core, halo, multiple):
        seen[window.core] += 1
        rows, cols = window.read
        inner = np.zeros((height, width), int)[rows, cols]
        assert inner[window.inner].shape == seen[window.core].shape
        assert rows.start % multiple == 0
        assert cols.start % multiple == 0
    assert (seen == 1).all()


@given(SIDE, SIDE, st.integers(1, 40), st.integers(0, 20))
def test_identity_survives_the_tiler(height, width, core, halo):
    frames = np.random.default_rng(0).random((2, height, width, 1), np.float32)
    out = tiled_decision(lambda f: f[..., 0], frames, core, halo)
    np.testing.assert_array_equal(out, frames[..., 0])


def _mean_of_neighbours(frames):
    """A decision with a receptive radius of 3."""
    padded = np.pad(frames[..., 0], ((0, 0), (3, 3), (3, 3)), mode="edge")
    height, width = frames.shape[1:3]
    parts = [padded[:, i : i + height, j : j + width] for i in range(7) for j in range(7)]
    return np.mean(parts, axis=0)


@pytest.mark.parametrize(("halo", "same"), [(3, True), (0, False)])
def test_tiled_equals_whole_only_with_the_halo(halo, same):
    frames = np.random.default_rng(0).random((2, 40, 50, 1), np.float32)
    whole = _mean_of_neighbours(frames)
    tiled = tiled_decision(_mean_of_neighbours, frames, 16, halo)
    assert np.allclose(tiled, whole, atol=1e-6) is same


def pixels_read(height, width, core, halo, multiple=1):
    def area(window):
        rows, cols = window.read
        return (rows.stop - rows.start) * (cols.stop - cols.start)

    areas = [area(w) for w in windows(height, width, core, halo, multiple)]
    return sum(areas), max(areas)


@given(SIDE, SIDE, st.integers(0, 8), st.integers(900, 4000), st.sampled_from([1, 4]))
def test_the_cheapest_core_reads_no_more_than_allowed(height, width, halo, allowed, multiple):
    core = cheapest_core(height, width, halo, allowed, multiple)
    # a read may begin a little earlier, at a multiple
    slack = (1 + 2 * multiple / 30) ** 2
    assert pixels_read(height, width, core, halo, multiple)[1] <= max(allowed, 900) * slack


def test_the_cheapest_core_reads_less_than_a_square_one():
    core = cheapest_core(768, 1024, 144, 800_000)
    square = int(800_000**0.5) - 2 * 144
    assert pixels_read(768, 1024, core, 144)[0] < 0.8 * pixels_read(768, 1024, square, 144)[0]
    assert cheapest_core(768, 1024, 144, 10**6) == (768, 1024)


def test_a_halo_too_large_for_what_is_allowed_still_makes_progress():
    assert cheapest_core(500, 400, 144, 1000) == (144, 144)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 16))
def test_shares_of_spans_sum_to_one_however_short_they_are(sides, fade):
    bounds = np.cumsum([0, *sides]).tolist()
    total = np.zeros(bounds[-1])
    for start, stop in pairwise(bounds):
        span = slice(start, stop)
        share = shares(span, bounds[-1], fade)
        assert (share >= -1e-6).all()
        total[grown(span, bounds[-1], fade)] += share
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_windows_that_say_different_things_meet_without_a_step():
    said = iter(np.random.default_rng(0).random(100))
    frames = np.zeros((2, 96, 128, 1), np.float32)

    def decide(part):
        return np.full(part.shape[:3], next(said), np.float32)

    steps = tiled_decision(decide, frames, 32, 16)[0]
    faded = tiled_decision(decide, frames, 32, 16, fade=16)[0]
    assert np.abs(np.diff(steps, axis=1)).max() > 0.5
    for axis in (0, 1):
        assert np.abs(np.diff(faded, axis=axis)).max() < 1.6 / 32
