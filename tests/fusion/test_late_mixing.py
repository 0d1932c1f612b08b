"""Mixing late gives what mixing at once gives, and makes no pixels that are covered again."""

import numpy as np
import pytest

from panfocus.frame import Frame
from panfocus.fusion.blend import mix
from panfocus.fusion.late_mixing import LateMixing, mix_into, waiting_frames

SIDE = 32
TILES = [(slice(y, y + SIDE), slice(x, x + SIDE)) for y in (0, SIDE) for x in (0, SIDE, 2 * SIDE)]
SHAPE = (2 * SIDE, 3 * SIDE, 3)


class Unmade:
    """Pixels that note which parts are asked for."""

    def __init__(self, pixels):
        self._pixels = pixels
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self.taken_grey = pixels[..., 0]
        self.asked, self.roughly = [], []

    def forget_grey(self):
        self.taken_grey = None

    def whole(self):
        self.asked += TILES
        return self._pixels

    def region(self, tile):
        self.asked.append(tile)
        return self._pixels[tile]

    def region_quickly(self, tile):
        self.roughly.append(tile)
        return self._pixels[tile] // 2


def frames_of(rng, count, dtype=np.uint8):
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    made = [(rng.random(SHAPE) * top).astype(dtype) for _ in range(count)]
    return [Frame(str(n), Unmade(pixels), number=n) for n, pixels in enumerate(made)], made


def alphas_of(rng, count):
    """Draw weights of every frame and tile: none, all, and maps with runs of 0 and 1."""
    drawn = []
    for n in range(count):
        for tile in range(len(TILES)):
            kind = "all" if n == 0 else rng.choice(["none", "all", "map", "map"])
            alpha = np.clip(rng.normal(0.5, 1, (SIDE, SIDE)), 0, 1).astype(np.float32)
            drawn += [] if kind == "none" else [(n, tile, None if kind == "all" else alpha)]
    return drawn


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("seed", range(4))
def test_late_is_as_at_once(seed, dtype):
    rng = np.random.default_rng(seed)
    frames, made = frames_of(rng, 9, dtype)
    at_once = np.zeros(SHAPE, dtype)
    late = LateMixing(picture := np.zeros(SHAPE, dtype))
    drawn = alphas_of(rng, len(frames))
    for n, frame in enumerate(frames):
        for _, tile, alpha in (each for each in drawn if each[0] == n):
            mix_into(at_once[TILES[tile]], made[n][TILES[tile]], alpha)
            late.take(frame, TILES[tile], alpha)
        late.end_frame()
    late.finish()
    np.testing.assert_array_equal(picture, at_once)


def test_what_later_frames_cover_is_never_made():
    rng = np.random.default_rng(0)
    frames, made = frames_of(rng, 4)
    half = np.zeros((SIDE, SIDE), np.float32)
    half[:, : SIDE // 2] = 1
    late = LateMixing(picture := np.zeros(SHAPE, np.uint8))
    for frame, alphas in zip(frames, ([None] * 6, [half], [1 - half], [None] * 5), strict=True):
        tiles = TILES[1:] if len(alphas) == 5 else TILES
        for tile, alpha in zip(tiles, alphas, strict=False):
            late.take(frame, tile, alpha)
        late.end_frame()
    late.finish()
    # the first frame is covered by halves of the second and third, elsewhere by the fourth
    rows, columns, others = slice(0, SIDE), slice(0, SIDE // 2), slice(SIDE // 2, SIDE)
    parts = [[], [(rows, columns)], [(rows, others)], TILES[1:]]
    assert [frame.held.asked for frame in frames] == parts
    np.testing.assert_array_equal(picture[:SIDE, columns], made[1][:SIDE, columns])


def test_what_shows_but_faintly_is_made_roughly():
    rng = np.random.default_rng(0)
    frames, made = frames_of(rng, 2)
    late = LateMixing(picture := np.zeros(SHAPE, np.uint8))
    late.take(frames[0], TILES[0], None)
    late.end_frame()
    alpha = np.full((SIDE, SIDE), 0.95, np.float32)
    alpha[5:9, 3:12] = 0.5
    late.take(frames[1], TILES[0], alpha)
    late.end_frame()
    late.finish()
    clear = (slice(5, 9), slice(3, 12))
    assert (frames[0].held.asked, frames[0].held.roughly) == ([clear], [TILES[0]])
    assert (frames[1].held.asked, frames[1].held.roughly) == ([TILES[0]], [])
    expected = made[0][TILES[0]] // 2
    expected[clear] = made[0][clear]
    mix_into(expected, made[1][TILES[0]], alpha)
    np.testing.assert_array_equal(picture[TILES[0]], expected)


def test_a_few_frames_wait_and_no_more():
    frames, _ = frames_of(np.random.default_rng(0), 9)
    late = LateMixing(np.zeros(SHAPE, np.uint8))
    faint = np.full((SIDE, SIDE), 0.5, np.float32)
    made = []
    for n, frame in enumerate(frames):
        for tile in TILES:
            late.take(frame, tile, None if n == 0 else faint)
        late.end_frame()
        made.append(sum(bool(each.held.asked + each.held.roughly) for each in frames))
    assert made == [0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert waiting_frames(SHAPE[0] * SHAPE[1] * 3) == 4


def test_large_frames_wait_one_at_a_time():
    assert [waiting_frames(mebibytes * 2**20) for mebibytes in (9, 36, 72, 300)] == [4, 4, 2, 1]


def test_frames_that_lie_in_place_are_mixed_at_once():
    pixels = np.full(SHAPE, 7, np.uint8)
    late = LateMixing(picture := np.zeros(SHAPE, np.uint8))
    late.take(Frame("0", pixels), TILES[0], None)
    assert (picture[TILES[0]] == 7).all()


def test_frames_in_place_wait_behind_others():
    rng = np.random.default_rng(0)
    frames, made = frames_of(rng, 1)
    late = LateMixing(picture := np.zeros(SHAPE, np.uint8))
    late.take(frames[0], TILES[0], None)
    late.end_frame()
    alpha = np.full((SIDE, SIDE), 0.25, np.float32)
    still = np.full(SHAPE, 200, np.uint8)
    late.take(Frame("1", still), TILES[0], alpha)
    late.end_frame()
    late.finish()
    expected = made[0][TILES[0]].copy()
    mix_into(expected, still[TILES[0]], alpha)
    np.testing.assert_array_equal(picture[TILES[0]], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("where", [(slice(3, 9), slice(20, 21)), (slice(0, 0), slice(0, 0))])
def test_only_what_has_weight_is_mixed_and_as_in_the_whole(dtype, where):
    rng = np.random.default_rng(0)
    below, above = (rng.integers(0, 250, (32, 40, 3)).astype(dtype) for _ in range(2))
    alpha = np.zeros((32, 40), np.float32)
    alpha[where] = rng.random(alpha[where].shape, np.float32)
    made = below.copy()
    mix_into(made, above, alpha)
    np.testing.assert_array_equal(made, mix(below, above, alpha))
