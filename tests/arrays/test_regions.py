"""Tiles with the frames that are looked at in them, joined where that reads less."""

import numpy as np
import pytest

from panfocus.arrays.regions import CandidateTile, Context, regions

SHAPE = 500, 700
HALO = Context(16)


def made(named, side=64, most=10**7):
    return regions(named, side, SHAPE, HALO, most)


def random_names(count=5, seed=0, share=0.3):
    rows, columns = (-(-length // 64) for length in SHAPE)
    return np.random.default_rng(seed).random((count, rows, columns)) < share


@pytest.mark.parametrize("seed", range(5))
def test_every_tile_with_several_frames_is_covered_once_and_sees_them(seed):
    named = random_names(seed=seed)
    seen = np.zeros((len(named), *SHAPE), int)
    covered = np.zeros(SHAPE, int)
    for region in made(named):
        core = region.window(*SHAPE, HALO)[0].core
        covered[core] += 1
        for n in region.frames:
            seen[n][core] += 1
    full = named.repeat(64, axis=1).repeat(64, axis=2)[:, : SHAPE[0], : SHAPE[1]]
    assert (covered == (full.sum(axis=0) > 1)).all()
    assert (seen[full & (covered > 0)] == 1).all()


def test_joining_reads_less_and_never_more_than_allowed():
    named = random_names(2, share=0.9)
    alone = sum(region.samples(*SHAPE, HALO) for region in made(named, most=0))
    assert sum(region.samples(*SHAPE, HALO) for region in made(named)) < 0.9 * alone
    assert max(region.samples(*SHAPE, HALO) for region in made(named, most=60_000)) <= 60_000


def test_where_all_frames_compete_everywhere_the_picture_is_one_region():
    named = np.ones((3, 8, 11), bool)
    assert made(named) == [CandidateTile(0, 0, *SHAPE, frozenset(range(3)))]


def test_the_window_of_a_region_ends_at_the_picture():
    window, _ = CandidateTile(0, 64, 500, 700, frozenset((0, 1))).window(*SHAPE, HALO)
    assert window.read == (slice(0, 500), slice(48, 700))
    assert window.inner == (slice(0, 500), slice(16, 652))


@pytest.mark.parametrize("place", [(0, 0), (64, 128), (448, 640), (448, 0)])
@pytest.mark.parametrize("halo", [8, 16])
def test_sides_that_are_read_are_multiples_made_of_the_picture(place, halo):
    top, left = place
    tile = CandidateTile(top, left, min(top + 64, 500), min(left + 64, 700), frozenset((0, 1)))
    window, _ = tile.window(*SHAPE, Context(halo, 16))
    for read, core, inner, length in zip(
        window.read, window.core, window.inner, SHAPE, strict=True
    ):
        assert (read.stop - read.start) % 16 == 0
        assert 0 <= read.start <= max(core.start - halo, 0)
        assert length >= read.stop >= min(core.stop + halo, length)
        assert (read.start + inner.start, read.start + inner.stop) == (core.start, core.stop)
    assert tile.samples(*SHAPE, Context(halo, 16)) == 2 * np.prod(
        [read.stop - read.start for read in window.read]
    )


@pytest.mark.parametrize("seed", range(3))
def test_regions_that_give_way_share_what_lies_between_them(seed):
    named = random_names(seed=seed, share=0.5)
    context = Context(16, 16, fade=12)
    total = np.zeros(SHAPE)
    for region in made(named):
        window, share = region.window(*SHAPE, context)
        assert (
            share.shape
            == total[window.core].shape
            == np.empty(SHAPE)[window.read][window.inner].shape
        )
        total[window.core] += share
    looked_at = (named.sum(axis=0) > 1).repeat(64, axis=0).repeat(64, axis=1)
    inside = np.pad(looked_at[: SHAPE[0], : SHAPE[1]], 12, "edge")
    around = np.lib.stride_tricks.sliding_window_view(inside, (25, 25))
    np.testing.assert_allclose(total[around.all(axis=(2, 3))], 1, atol=1e-5)
    np.testing.assert_allclose(total[~around.any(axis=(2, 3))], 0, atol=1e-5)
    assert (total < 1 + 1e-5).all()


def test_a_picture_smaller_than_a_multiple_is_read_whole():
    assert Context(8, 16).span(0, 11, 11) == slice(0, 11)
    assert Context(8, 16).span(3, 20, 21) == slice(0, 21)


def test_the_largest_regions_come_first():
    sizes = [region.samples(*SHAPE, HALO) for region in made(random_names(share=0.6))]
    assert len(set(sizes)) > 1
    assert sizes == sorted(sizes, reverse=True)
