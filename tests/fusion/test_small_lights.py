"""Small lights that a working scale loses are looked at at full scale, and nothing else is."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.pixels import floats, luminance, shrink
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.small_lights import SmallLights
from panfocus.systems import load_system, traits
from tests.conftest import psnr

FACTOR, SIDE = 2, 512
AT = 256


def frames(disc=200, point=255, radius=12):
    """A light out of focus, and in focus, on a smooth ground."""
    spread, sharp = (np.full((SIDE, SIDE, 3), 60, np.uint8) for _ in range(2))
    cv2.circle(spread, (AT, AT), radius, (disc,) * 3, -1, cv2.LINE_AA)
    cv2.circle(sharp, (AT, AT), 1, (point,) * 3, -1)
    return spread, sharp


class Closer:
    """What looks closer: takes the second frame, and remembers what it was shown."""

    def __init__(self, share=1.0):
        self.share = share
        self.shown = []

    def __call__(self, seen, stretch):
        self.shown.append(seen.shape)
        share = np.full(seen.shape[1:3], self.share, np.float32)
        return np.stack([1 - share, share])


def looked(below, above, closer, weight=0.5, **told):
    small = [shrink(one, FACTOR) for one in (below, above)]
    alpha = np.full((SIDE // FACTOR, SIDE // FACTOR), weight, np.float32)
    decision = Decision(Frame.of(1, above), alpha, seen=small[1], **told)
    levels = tuple(floats(luminance(one)) for one in small)
    return SmallLights(closer, FACTOR).changes(decision, below, levels, None, lambda _: None)


def test_the_frame_that_shows_the_point_is_taken():
    closer = Closer()
    found = looked(*frames(), closer)
    ((part, by),) = [(c.part, c.by) for c in found.changes]
    assert part[0].start < AT - 12 < AT + 12 < part[0].stop
    assert by[AT - part[0].start, AT - part[1].start] == 0.5
    assert by[0, 0] == 0
    assert found.where is not None
    assert found.where[AT // FACTOR, AT // FACTOR] == 1
    assert found.where[10, 10] == 0
    ((_, height, width, _),) = closer.shown
    assert height < 80 > width


def test_the_frame_that_shows_the_disc_is_not():
    assert looked(*reversed(frames()), Closer()).changes == []
    assert looked(*frames(), Closer(0.0)).changes == []


def test_a_light_is_not_lost():
    spread, sharp = frames()
    sharp[:] = 60  # nothing is left of it
    assert looked(spread, sharp, Closer()).changes == []


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_what_is_clear_is_not_looked_at(weight):
    closer = Closer()
    assert looked(*frames(), closer, weight).where is None
    assert closer.shown == []


@pytest.mark.parametrize(
    "told",
    [
        {"kept": np.ones((SIDE // FACTOR, SIDE // FACTOR), np.float32)},
        {"left": np.zeros((SIDE // FACTOR, SIDE // FACTOR), np.float32)},
    ],
    ids=["what the guard keeps", "what later frames hide"],
)
def test_what_may_not_change_is_not_looked_at(told):
    closer = Closer()
    assert looked(*frames(), closer, **told).changes == []
    assert closer.shown == []


def test_most_of_a_picture_is_never_looked_at():
    spread, sharp = (np.full((SIDE, SIDE, 3), 60, np.uint8) for _ in range(2))
    for row in range(20, SIDE, 40):
        for column in range(20, SIDE, 40):
            cv2.circle(spread, (column, row), 9, (200,) * 3, -1, cv2.LINE_AA)
            cv2.circle(sharp, (column, row), 1, (255,) * 3, -1)
    closer = Closer()
    assert looked(spread, sharp, closer).changes
    assert sum(height * width for _, height, width, _ in closer.shown) <= 0.1 * SIDE**2


def test_a_small_light_of_a_large_picture_leaves_no_disc():
    """Above 2.7 million pixels a half of the scale decides, in which the light is faint."""
    height, width = 1600, 1800
    rng = np.random.default_rng(2)
    coarse = rng.integers(40, 90, (height // 40, width // 40, 3)).astype(np.uint8)
    sharp = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    spread = cv2.GaussianBlur(sharp, (0, 0), 3)
    for row in range(100, height, 200):
        for column in range(100, width, 200):
            cv2.circle(spread, (column, row), 8, (150, 160, 170), -1, cv2.LINE_AA)
            cv2.drawMarker(sharp, (column, row), (255, 255, 255), cv2.MARKER_CROSS, 3)
    system = load_system("dualpath", device="cpu")
    assert traits.closer(system) is not None
    both = np.stack([spread, sharp])
    scores = [
        psnr(panfocus.fuse(both, system=one, maps=False, spread="off").image, sharp)
        for one in (system, _Without(system))
    ]
    assert scores[0] > scores[1] + 1, scores


class _Without:
    """A system that cannot look closer."""

    closer = None

    def __init__(self, system):
        self._system = system

    def __getattr__(self, name):
        return getattr(self._system, name)
