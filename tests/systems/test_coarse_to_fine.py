"""A network looks closely only where frames compete, and answers as if it had everywhere."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.systems import Card, candidates, coarse_to_fine, load_system, long_stacks
from panfocus.systems.candidates import SIDE, detail, named
from tests.conftest import psnr
from tests.systems.test_bundled import scene

HEIGHT, WIDTH = 400, 520


class Double:
    """A network that says what it is told at the reduced scale, and at full scale sees detail."""

    def __init__(self, small):
        self.small = np.asarray(small, np.float32)
        self.calls = []

    def __call__(self, frames):
        count, height, width = frames.shape[:3]
        self.calls.append(frames.shape)
        if len(self.calls) == 1:
            return np.broadcast_to(self.small[:, None, None], (count, height, width)).copy()
        greys = frames.astype(np.float32).mean(-1)
        best = np.abs(greys - 100).argmax(axis=0)
        return (best == np.arange(count)[:, None, None]).astype(np.float32)

    @property
    def tiles(self):
        return self.calls[1:]


CARD = Card(name="double", title="test", halo=128, multiple_of=16)


def decided(frames, network):
    return coarse_to_fine.decided(frames, network, card=CARD, threads=1)


def noise(count=2, height=HEIGHT, width=WIDTH, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(90, 111, (count, height, width, 3)).astype(np.uint8)


def test_where_one_frame_has_all_the_weight_the_network_is_not_run_again():
    network = Double([1, 0])
    weights = decided(noise(), network)
    assert network.tiles == []
    assert (weights[0] == 1).all()
    assert (weights[1] == 0).all()


def test_a_thin_line_that_the_reduced_scale_denies_is_seen_at_full_scale():
    frames = noise(3)
    frames[2, 100:300, 250] = 255
    network = Double([1, 0, 0])
    weights = decided(frames, network)
    assert (weights[2, 100:300, 250] == 1).all()
    assert {shape[0] for shape in network.tiles} == {2}, "the line's frame and the one that won"
    looked = sum(shape[1] * shape[2] for shape in network.tiles)
    assert looked < HEIGHT * WIDTH * 0.75
    assert (weights[:2, :, 450:] == np.array([1, 0])[:, None, None]).all()


def test_a_spot_that_the_reduced_scale_denies_is_seen_at_full_scale():
    frames = noise()
    frames[1, 200:202, 300:302] = 200
    weights = decided(frames, Double([1, 0]))
    assert (weights[1, 200:202, 300:302] == 1).all()


@pytest.mark.parametrize(("count", "side"), [(2, 160), (3, 96)])
def test_a_spot_is_looked_at_in_a_smaller_tile_where_frames_are_many(count, side):
    frames = noise(count)
    frames[1, 160, 160] = 255
    network = Double([1] + [0] * (count - 1))
    weights = decided(frames, network)
    assert network.tiles == [(2, side, side, 3)], "a tile and a halo of 16 pixels"
    assert weights[1, 160, 160] == 1


@pytest.mark.parametrize("count", range(2, 7))
def test_where_nothing_is_known_all_frames_are_looked_at_everywhere_as_one(count, monkeypatch):
    monkeypatch.setattr(coarse_to_fine, "AT_ONCE", 10**7)
    frames = noise(count)
    network = Double([1 / count] * count)
    weights = decided(frames, network)
    assert network.tiles == [frames.shape]
    np.testing.assert_array_equal(weights, network(frames))


@pytest.mark.parametrize("shape", [(400, 520), (1030, 403)])
def test_detail_of_bands_is_that_of_the_whole(shape, monkeypatch):
    frame = noise(1, *shape)[0]
    in_bands = detail(frame)
    monkeypatch.setattr(candidates, "_BAND", 10**9)
    np.testing.assert_array_equal(in_bands, detail(frame))


def test_what_stands_out_of_a_flat_ground_is_named_and_noise_is_not():
    frames = noise()
    weights = np.zeros((2, HEIGHT // 4, WIDTH // 4), np.float32)
    weights[0] = 1
    details = np.stack([detail(frame) for frame in frames])
    assert not named(weights, details)[1].any()
    frames[1, 300, 400] = 255
    details = np.stack([detail(frame) for frame in frames])
    assert np.argwhere(named(weights, details)[1]).tolist() == [[300 // SIDE, 400 // SIDE]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_of_files_are_decided_as_the_same_in_floats(dtype):
    made, _ = scene(HEIGHT, WIDTH)
    top = np.iinfo(dtype).max
    native = np.rint(made * top).astype(dtype)
    system = load_system("dualpath")
    as_they_are = system.decide(native)
    as_floats = system.decide(native.astype(np.float32) / top)
    assert np.abs(as_they_are - as_floats).mean() < 2e-3


def test_the_bundled_network_decides_as_if_it_looked_closely_everywhere():
    made, truth = scene(HEIGHT, WIDTH)
    whole = load_system("dualpath", whole=True).decide(made)
    quick = load_system("dualpath").decide(made)
    assert np.abs(whole - quick).mean() < 0.01

    def fused(weights):
        return np.einsum("nhwc,nhw->hwc", made, weights)

    assert psnr(fused(quick) * 255, truth * 255) > psnr(fused(whole) * 255, truth * 255) - 0.1


def test_permuted_frames_have_permuted_weights():
    made, _ = scene(HEIGHT, WIDTH)
    made = np.concatenate((made, made[:1] * 0.9 + 0.05))
    system = load_system("dualpath")
    order = [2, 0, 1]
    np.testing.assert_allclose(system.decide(made[order]), system.decide(made)[order], atol=2e-3)


def test_equal_frames_share_the_weight():
    made = np.repeat(scene(HEIGHT, WIDTH)[0][:1], 4, axis=0)
    np.testing.assert_allclose(load_system("dualpath").decide(made), 1 / 4, atol=1e-3)


def alike(count, height=520, width=640, seed=3):
    """Frames of a smooth ground, each a little brighter than the last, and as sharp: only noise."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.random((5, 6), np.float32), (width, height)) * 60 + 90
    noise = rng.normal(0, 2.5, (count, height, width, 3))
    frames = ground[..., None] + 1.5 * np.arange(count)[:, None, None, None] + noise
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def steps(weights, at):
    """Mean step of weights over lines of 128 pixels before rows and columns of tiles, the most."""
    found = []
    for axis in (1, 2):
        diff = np.moveaxis(np.diff(weights, axis=axis), axis, 1)
        lines = diff[:, at(diff.shape[1] + 1) - 1][..., : diff.shape[2] // SIDE * SIDE]
        found.append(np.abs(lines.reshape(*lines.shape[:2], -1, SIDE).mean(axis=-1)).ravel())
    return np.sort(np.concatenate(found))[-8:].mean()


def borders(length):
    return np.arange(SIDE, length, SIDE)


def beside(length):
    return np.concatenate([borders(length) + far for far in (-40, -30, -24)])


@pytest.mark.parametrize("count", [6, 18])
def test_tiles_of_other_candidates_meet_without_a_step(count):
    """Nothing is clear there, so what a tile says depends on which frames it may choose from."""
    frames = alike(count)
    system = load_system("dualpath")
    if count > 15:
        shares = system.decide_many(list(frames)).shares
        weights = shares / shares.sum(axis=0, dtype=np.float32)
    else:
        weights = system.decide(frames)
    fade = long_stacks.FADE if count > 15 else coarse_to_fine.FADE
    assert steps(weights, borders) < 1.5 / (2 * fade) + 2 * steps(weights, beside)


@pytest.mark.parametrize("most", [10**9, 150_000])
def test_tiles_of_the_reduced_scale_meet_without_a_step(most):
    frames = alike(4, 400, 480)
    system = load_system("dualpath")
    weights = coarse_to_fine.small_weights(frames, system.infer, system.card, most)
    own = np.abs(np.diff(weights, axis=2)).mean(axis=(0, 1))
    assert own.max() < 3 * np.median(own)
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)


def test_on_a_dark_ground_every_frame_is_looked_at_whole_few_at_a_time(monkeypatch):
    frames = np.full((10, 256, 256), 5, np.uint8)
    for n in range(10):
        frames[n, 20 + 20 * n : 23 + 20 * n, 100:103] = 250
    system = load_system("dualpath")
    shown = []
    whole = system._whole

    def looking(stack, stretch):
        shown.append(len(stack))
        return whole(stack, stretch)

    monkeypatch.setattr(system, "_whole", looking)
    image = panfocus.fuse(frames, system=system, align="none").image
    assert shown == [8, 3]
    for n in range(10):
        assert image[21 + 20 * n, 101] > 200


def test_small_pictures_and_those_who_ask_are_decided_whole(monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(coarse_to_fine, "decided", never)
    load_system("dualpath").decide(scene(160, 300)[0])
    load_system("dualpath", whole=True).decide(scene(HEIGHT, WIDTH)[0])
    with pytest.raises(AssertionError):
        load_system("dualpath").decide(scene(HEIGHT, WIDTH)[0])


def test_threads_do_not_change_what_is_decided():
    made, _ = scene(HEIGHT, WIDTH)
    one, two = (load_system("dualpath", threads=n).decide(made) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
