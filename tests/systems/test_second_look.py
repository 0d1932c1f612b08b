"""A long stack is looked at again, at a reduced scale, where blurs are wide, and nowhere else."""

import numpy as np
import pytest

from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.scene import encode, linear_of
from panfocus.systems import load_system
from panfocus.systems.candidates import SIDE
from panfocus.systems.network import NetworkSystem
from panfocus.systems.second_look import FirstDecision, SecondLook, doubted
from tests.fusion.test_spread import photograph

SHAPE = (300, 420)
COUNT = 16


def stack(radius):
    """A thing before a background, in frames from the one to the other."""
    back, front = photograph(2, 20, 140, SHAPE), photograph(3, 90, 235, SHAPE)
    matte = blob_matte(np.random.default_rng(2), *SHAPE, 0.25, 0.5)
    layers = [Layer(linear_of(back), None, 1.0), Layer(linear_of(front), matte, 0.0)]
    foci = np.linspace(0, 1, COUNT)
    frames = [encode(render(layers, [(1 - f) * radius, f * radius])) for f in foci]
    return frames, encode(render(layers, [0, 0]))


def both(frames, monkeypatch):
    """Shares by the bundled network, without a second look and with it."""
    system = load_system("dualpath", device="cpu")
    assert isinstance(system, NetworkSystem)
    after = system.decide_many(frames).shares
    with monkeypatch.context() as patch:
        patch.setattr(SecondLook, "mend", lambda *_: None)
        return system.decide_many(frames).shares, after


def psnr(frames, shares, truth):
    weights = shares / shares.sum(axis=0, dtype=np.float32)
    made = np.einsum("nhwc,nhw->hwc", np.asarray(frames, np.float32), weights)
    return 10 * np.log10(255**2 / np.mean((made - truth) ** 2))


def test_wide_blurs_come_nearer_to_the_truth(monkeypatch):
    frames, truth = stack(48.0)
    before, after = both(frames, monkeypatch)
    assert psnr(frames, after, truth) > psnr(frames, before, truth) + 0.5


def test_narrow_ones_stay_as_they_were(monkeypatch):
    frames, _ = stack(4.0)
    before, after = both(frames, monkeypatch)
    np.testing.assert_array_equal(before, after)


def test_papers_systems_do_without(monkeypatch):
    frames, _ = stack(48.0)
    monkeypatch.setattr(SecondLook, "mend", None)  # must not be asked
    assert load_system("dualpath-paper", device="cpu").decide_many(frames) is not None


#: Tiles of such pictures, down and across.
TILES = -(-144 // SIDE), -(-264 // SIDE)


def known(luminance, scale=8):
    """Two frames of 144 x 264, the first of which was taken everywhere, all looked at."""
    weights = np.zeros((2, 144 // scale, 264 // scale), np.float32)
    weights[0] = 1
    light = np.full((2, 18, 33), 0.4, np.float32)
    light[1] = luminance
    return FirstDecision(weights, scale, np.ones((2, *TILES), np.bool_), light)


@pytest.mark.parametrize("scale", [4, 8])
@pytest.mark.parametrize(("luminance", "is_doubted"), [(0.5, True), (0.41, False)])
def test_tiles_that_became_brighter_are_doubted(scale, luminance, is_doubted):
    shares = np.zeros((2, 144, 264), np.uint8)
    shares[0] = 255
    assert not doubted(shares, known(luminance, scale)).any()
    part = slice(20, 60), slice(SIDE + 8, SIDE + 56)
    shares[0][part], shares[1][part] = 0, 255
    expected = np.zeros(TILES, np.bool_)
    expected[0, 1] = is_doubted
    np.testing.assert_array_equal(doubted(shares, known(luminance, scale)), expected)


def test_what_is_followed_takes_no_share_of_others():
    """What is looked at again shares anew what it had, however little."""
    frames = [np.full((144, 264, 3), level, np.uint8) for level in (100, 140, 200)]
    shares = np.zeros((3, 144, 264), np.uint8)
    shares[0], shares[2] = 155, 100
    weights = np.zeros((3, 18, 33), np.float32)
    weights[1] = 1
    named = np.ones((3, *TILES), np.bool_)
    named[2] = False
    light = np.stack([np.full((18, 33), level / 255, np.float32) for level in (100, 140, 200)])

    def second(seen):
        chosen = np.zeros((len(seen), *seen[0].shape[:2]), np.float32)
        chosen[1] = 1
        return chosen

    def always(seen, fine, coarse, witness):
        np.testing.assert_allclose(fine[0], 1)
        np.testing.assert_allclose(witness[1], 1)
        return np.ones(fine.shape[1:], np.float32)

    look = SecondLook(second, always, lambda frame: np.zeros((4, 1, 1), np.float32))
    look.mend(frames, shares, FirstDecision(weights, 8, named, light))
    assert shares[:, 10, 10].tolist() == [0, 155, 100]
    assert (shares.sum(axis=0, dtype=int) == 255).all()
