"""Mixing by tiles: as if there were none, whichever is mixed first, and beside other work."""

import cv2
import numpy as np
import pytest

from panfocus.frame import Frame
from panfocus.fusion import composite, late_mixing
from panfocus.fusion.composite import Composer
from panfocus.fusion.decision import Decision
from panfocus.fusion.refinement import Refine
from panfocus.resources.threads import opencv_threads
from tests.conftest import blurred, texture


def decisions(height, width, factor, dtype=np.uint8):
    """Three frames and soft decisions of the working scale with edges everywhere."""
    rng = np.random.default_rng(3)
    sharp = texture(height, width, seed=1)
    for n in range(3):
        pixels = np.roll(sharp, 7 * n, 1) if n else blurred(sharp)
        alpha = rng.random((height // factor, width // factor)).astype(np.float32)
        alpha = (cv2.blur(alpha, (5, 5)) > 0.5).astype(np.float32)
        yield Decision(Frame.of(n, np.ascontiguousarray(pixels.astype(dtype))), alpha)


def composed(monkeypatch, tile, *, factor, threads=1, mode="blend", size=(131, 150)):
    monkeypatch.setattr(composite, "TILE", tile)
    composer = Composer(factor, mode=mode, refine=Refine())
    with opencv_threads(threads):
        for decision in decisions(*size, factor):
            composer.apply(decision)
        return composer.picture, composer.index, composer.depth


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("mode", ["blend", "select"])
def test_tiles_of_any_size_give_one_picture(monkeypatch, factor, mode):
    """A tile must not see what its neighbour has been mixed to meanwhile."""
    whole = composed(monkeypatch, 1000, factor=factor, mode=mode)
    for tile in (24, 48, 66):
        for got, expected in zip(
            composed(monkeypatch, tile, factor=factor, mode=mode), whole, strict=True
        ):
            np.testing.assert_allclose(got, expected, atol=1e-5 if got.dtype.kind == "f" else 0)


def test_mixing_beside_other_work_changes_nothing(monkeypatch):
    alone = composed(monkeypatch, 48, factor=2)
    for got, expected in zip(composed(monkeypatch, 48, factor=2, threads=2), alone, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_goes_wrong_beside_other_work_is_told(monkeypatch):
    def fail(*_args):
        raise MemoryError("no more")

    with opencv_threads(2):
        composer = Composer(1, refine=Refine())
        first, second, _ = decisions(64, 64, 1)
        composer.apply(first)
        monkeypatch.setattr(late_mixing, "mix", fail)
        composer.apply(second)
        with pytest.raises(MemoryError, match="no more"):
            _ = composer.picture


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("tile", [24, 1000])
def test_without_a_filter_weights_are_enlarged_as_they_are(monkeypatch, factor, tile):
    """Networks put soft edges where they belong; a filter would widen them."""
    monkeypatch.setattr(composite, "TILE", tile)
    composer = Composer(factor)
    made = list(decisions(131 // factor * factor, 150 // factor * factor, factor))
    picture = made[0].frame.pixels.astype(np.float32)
    for decision in made:
        composer.apply(decision)
    for decision in made[1:]:
        pixels = decision.frame.pixels
        size = pixels.shape[1::-1]
        alpha = cv2.resize(decision.alpha, size, interpolation=cv2.INTER_LINEAR)[..., None]
        picture = np.rint(picture + (pixels - picture) * alpha)
    assert np.abs(composer.picture - picture).max() <= 1


def test_a_filter_widens_what_is_soft_already():
    """What no filter is for: the edge of a decision, one working pixel wide."""
    black, white = (np.full((96, 96, 3), value, np.uint8) for value in (100, 160))
    alpha = np.zeros((48, 48), np.float32)
    alpha[:, 24:] = 1

    def width(refine):
        composer = Composer(2, refine=refine)
        composer.apply(Decision(Frame.of(0, black), np.ones_like(alpha)))
        composer.apply(Decision(Frame.of(1, white), alpha))
        row = composer.picture[48, :, 0]
        return int(((row > 100) & (row < 160)).sum())

    assert width(None) <= 2 < width(Refine())
