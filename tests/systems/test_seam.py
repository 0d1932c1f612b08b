"""Every system that comes along keeps to what a third party's must, and the tests can fail."""

import numpy as np
import pytest

from panfocus.systems import Card, list_systems, load_system
from panfocus.testing import SystemTests

FAST = [card.name for card in list_systems() if not card.name.startswith("drpl")]


def promises_of(make):
    """Return the inherited tests of a maker, by name."""

    class Mine(SystemTests):
        def make(self):
            return make()

    mine = Mine()
    return {name: getattr(mine, name) for name in dir(mine) if name.startswith("test_")}


PROMISES = sorted(promises_of(lambda: None))


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("name", FAST)
def test_systems_that_come_along_keep_every_promise(name, promise):
    promises_of(lambda: load_system(name, threads=1, device="cpu"))[promise]()


class TestSmallDrpl(SystemTests):
    def make(self):
        return load_system("drpl-small", threads=1, device="cpu")


class Equal:
    card = Card(name="equal", title="the same of each")

    def decide(self, frames):
        return np.full(frames.shape[:3], 1 / len(frames), np.float32)


class Changes(Equal):
    def decide(self, frames):
        frames[0] = 0
        return super().decide(frames)


class Remembers(Equal):
    def __init__(self):
        self.calls = 0

    def decide(self, frames):
        self.calls += 1
        weights = np.zeros(frames.shape[:3], np.float32)
        weights[self.calls % len(frames)] = 1
        return weights


class First(Equal):
    def decide(self, frames):
        weights = np.zeros(frames.shape[:3], np.float32)
        weights[0] = 1
        return weights


class Heavy(Equal):
    def decide(self, frames):
        return 2 * super().decide(frames)


@pytest.mark.parametrize(
    ("make", "broken"),
    [
        (Equal, "test_what_is_sharp_is_taken"),
        (Changes, "test_what_it_is_given_stays_as_it_is"),
        (Remembers, "test_it_answers_the_same_again"),
        (First, "test_the_order_of_frames_does_not_matter"),
        (Heavy, "test_weights_are_weights"),
    ],
)
def test_a_promise_that_is_broken_is_found(make, broken):
    with pytest.raises(AssertionError):
        promises_of(make)[broken]()
