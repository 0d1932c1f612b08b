"""The scout sees measures of blocks, tells shares, and from these frames are named."""

import json
import shutil

import numpy as np
import pytest

from panfocus.errors import SystemError_
from panfocus.systems.candidates import BLOCK, SIDE
from panfocus.systems.intensity import Stretch
from panfocus.systems.scout import Scout, evidence, has_plain_ground, named, only_named
from panfocus.systems.scout.evidence import MEASURES
from panfocus.systems.scout.network import FOLDER
from tests.conftest import blurred, in_strips, texture

TILE = SIDE // BLOCK


def measured(frames):
    return np.stack([evidence(frame) for frame in frames])


def sharp_in_turn(count, height=272, width=400):
    """Frames each of which is sharp in a strip of its own."""
    truth = texture(height, width)
    bounds = np.linspace(0, width, count + 1).astype(int)
    frames = in_strips(truth, blurred(truth, 2.5), count)
    return frames, bounds


@pytest.mark.parametrize("shape", [(64, 96), (65, 97), (71, 104), (68, 100)])
def test_every_block_is_measured_also_where_the_last_is_cut(shape):
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    made = evidence(frame)
    assert made.shape == (MEASURES, *(-(-side // BLOCK) for side in shape))
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert (made[4] >= -1e-6).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_measures_are_the_same_whatever_numbers_a_file_has(channels):
    frame = np.random.default_rng(0).integers(0, 256, (80, 88, channels)).astype(np.uint8)
    deep = frame.astype(np.uint16) * 257
    scaled = frame.astype(np.float32) / 255
    for other in (deep, scaled):
        np.testing.assert_allclose(evidence(other), evidence(frame), rtol=0.05, atol=3e-3)


def test_a_dim_frame_is_measured_as_the_bright_one_that_it_is_stretched_to():
    dim = np.random.default_rng(0).random((80, 88, 3), np.float32) * 0.1 + 0.1
    stretch = Stretch.of([dim])
    bright = evidence(stretch.apply(dim))
    np.testing.assert_allclose(evidence(dim, stretch), bright, rtol=0.02, atol=1e-3)


@pytest.mark.parametrize("count", [3, 20])
def test_the_sharp_one_has_the_largest_share(count):
    frames, bounds = sharp_in_turn(count, width=80 * count)
    shares = Scout()(measured(frames))
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    best = shares.argmax(axis=0)
    for n in range(count):
        inside = slice(bounds[n] // BLOCK + 2, bounds[n + 1] // BLOCK - 2)
        assert (best[:, inside] == n).mean() > 0.95


def test_the_order_of_frames_does_not_matter():
    frames, _ = sharp_in_turn(6)
    order = np.random.default_rng(0).permutation(6)
    one, other = Scout()(measured(frames)), Scout()(measured(frames[order]))
    np.testing.assert_allclose(other, one[order], atol=1e-4)


def test_bands_of_a_large_picture_say_what_the_whole_says(monkeypatch):
    measures = measured(sharp_in_turn(4, 720, 400)[0])
    whole = Scout()(measures)
    monkeypatch.setattr("panfocus.systems.scout.network._AT_ONCE", 1)
    np.testing.assert_allclose(Scout()(measures), whole, atol=1e-5)


def test_another_network_than_the_cards_is_refused(tmp_path):
    folder = tmp_path / "scout"
    shutil.copytree(FOLDER, folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "sha256": "0" * 64}))
    with pytest.raises(SystemError_, match="not the one of its card"):
        Scout(folder)(measured(sharp_in_turn(3)[0]))


def shares_of(count, rows=2 * TILE, columns=2 * TILE):
    out = np.zeros((count, rows, columns), np.float32)
    out[0] = 1
    return out


def flat(shares):
    return np.zeros_like(shares)


def test_one_of_frames_that_are_as_good_is_named():
    shares = np.full((20, 2 * TILE, 2 * TILE), 1 / 20, np.float32)
    assert named(shares, flat(shares)).sum(axis=0).tolist() == [[1, 1], [1, 1]]


def test_who_serves_a_block_that_nobody_else_does_is_named_in_its_tile():
    shares = shares_of(4)
    shares[:, 3:6, TILE + 3 : TILE + 6] = 0
    shares[2, 3:6, TILE + 3 : TILE + 6] = 1
    tiles = named(shares, flat(shares))
    assert tiles[0].all()
    assert np.argwhere(tiles[2]).tolist() == [[0, 1]]
    assert not tiles[[1, 3]].any()


def test_all_depths_of_a_steep_place_are_named():
    """Whoever is dropped there would be missing in the picture."""
    shares = np.zeros((18, TILE, TILE), np.float32)
    for n in range(TILE):
        shares[n, :, n] = 1
    tiles = named(shares, flat(shares))
    assert tiles[:TILE].all()
    assert not tiles[TILE:].any()


def test_among_equals_the_one_of_the_tile_beside_is_named():
    """Else an index of frames that are equally sharp would change at borders of tiles."""
    shares = np.full((5, TILE, 3 * TILE), 0.2, np.float32)
    shares[3, :, : TILE // 2] = 0.3
    shares[1, :, 2 * TILE + 4 :] += 0.005
    tiles = named(shares, flat(shares))
    assert tiles[3].all()
    assert tiles.sum() == 3


def test_far_more_detail_is_named_whatever_the_shares():
    shares = shares_of(3)
    details = flat(shares)
    details[2, TILE + 3, 3] = 1
    assert np.argwhere(named(shares, details)[2]).tolist() == [[1, 0]]


def test_only_the_named_keep_their_shares():
    shares = np.full((4, 2 * TILE, TILE + 3), 0.25, np.float32)
    tiles = np.zeros((4, 2, 2), np.bool_)
    tiles[1] = True
    tiles[3, 0, 0] = True
    own = only_named(shares, tiles)
    np.testing.assert_allclose(own.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(own[:, 0, 0], [0, 0.5, 0, 0.5])
    np.testing.assert_allclose(own[:, -1, -1], [0, 1, 0, 0])


def test_a_plain_ground_is_told_from_a_photograph():
    """Half of it alike is bright field, or a studio; what has all kinds of light is neither."""
    varied = np.random.default_rng(0).random((90, 120)) * np.linspace(0.2, 1, 120)
    plain = np.where(np.arange(120) < 60, 0.9, varied)
    for scene, is_plain in ((varied, False), (plain, True)):
        picture = (np.kron(scene, np.ones((8, 8))) * 255).astype(np.uint8)[..., None]
        assert has_plain_ground(measured([picture.repeat(3, axis=2)] * 3)) is is_plain
