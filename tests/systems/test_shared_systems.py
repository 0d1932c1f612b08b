"""One system, one plan, one process, many threads: no fusion knows of another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import cv2
import numpy as np
import pytest

import panfocus
from panfocus import io
from panfocus.errors import PanfocusError
from panfocus.pipeline.plan import plan
from panfocus.pipeline.settings import make_settings
from panfocus.resources.threads import opencv_threads
from panfocus.systems import Card, load_system
from tests.conftest import focal_stack
from tests.systems.test_network import write_tiny

STACKS = [focal_stack(count, 48 + 8 * seed, 64, seed)[0] for seed, count in enumerate((3, 4, 5, 2))]


def shared(name, tmp_path):
    if name == "picture network":
        return load_system(write_tiny(tmp_path / "drawn-1", kind="picture", multiple_of=8))
    if name == "network":
        return load_system(write_tiny(tmp_path / "tiny-1"))
    if name == "own":
        return Averaging()
    return load_system(name)


class Averaging:
    """A picture system that keeps its stack in itself, as one of somebody else's may."""

    card = Card(name="averaging", title="the mean", kind="picture")

    def __init__(self):
        self.frames = []

    def push(self, frame):
        self.frames.append(frame)

    def finish(self):
        out = np.mean(self.frames, axis=0)
        self.frames = []
        return out


NAMES = ["pyramid", "guided", "picture network", "network", "own"]


@pytest.mark.parametrize("name", NAMES)
def test_threads_that_share_a_system_get_what_each_gets_alone(name, tmp_path):
    system = shared(name, tmp_path / "shared")
    together = Barrier(len(STACKS))

    def one(number):
        def frames():
            for k, frame in enumerate(STACKS[number]):
                if k < 2:  # all threads push frame after frame in turns
                    together.wait(20)
                yield frame

        return panfocus.fuse(frames(), system=system, exposure="none").image

    plain = [
        panfocus.fuse(iter(s), system=shared(name, tmp_path / f"p{n}"), exposure="none").image
        for n, s in enumerate(STACKS)
    ]
    for _ in range(3):
        with ThreadPoolExecutor(len(STACKS)) as pool:
            results = list(pool.map(one, range(len(STACKS))))
        for got, right in zip(results, plain, strict=True):
            np.testing.assert_array_equal(got, right)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_fails_leaves_nothing_behind(name, tmp_path):
    right = panfocus.fuse(STACKS[0], system=shared(name, tmp_path / "a")).image
    system = shared(name, tmp_path / "b")

    def breaks():
        yield STACKS[1][0]
        yield STACKS[1][1]
        raise RuntimeError("the card was pulled")

    with pytest.raises(RuntimeError, match="pulled"):
        panfocus.fuse(breaks(), system=system)
    with pytest.raises(PanfocusError):
        panfocus.fuse([STACKS[2][0]], system=system)
    np.testing.assert_array_equal(panfocus.fuse(STACKS[0], system=system).image, right)


def test_a_plan_can_be_fused_twice_and_at_once(tmp_path):
    for n, frame in enumerate(STACKS[0]):
        io.write_image(tmp_path / f"{n}.png", frame, io.Metadata())
    made = plan([tmp_path], make_settings(system="pyramid"))
    right = panfocus.fuse(STACKS[0], system="pyramid").image
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _n: panfocus.fuse(made), range(8)):
            np.testing.assert_array_equal(result.image, right)
            assert result.report.warnings == panfocus.fuse(made).report.warnings


def test_a_system_that_cannot_be_copied_is_refused_with_what_it_lacks():
    system = Averaging()
    system.lock = (n for n in ())  # generators cannot be copied
    with pytest.raises(PanfocusError, match=r"(?s)averaging.*begin\(\)") as caught:
        panfocus.fuse(STACKS[0], system=system)
    assert caught.value.remedy is not None


def test_runs_of_different_threads_leave_opencv_as_it_was():
    before = cv2.getNumThreads()
    both = Barrier(2)

    def run(limit, first_to_leave):
        with opencv_threads(limit):
            both.wait(20)
            least = cv2.getNumThreads()
            both.wait(20)
            if not first_to_leave:
                both.wait(20)
        if first_to_leave:
            both.wait(20)
        return least

    for swapped in (False, True):
        with ThreadPoolExecutor(2) as pool:
            ends = (True, False) if swapped else (False, True)
            assert list(pool.map(run, (1, 2), ends)) == [1, 1]
        assert cv2.getNumThreads() == before
    with pytest.raises(ZeroDivisionError), opencv_threads(1):
        raise ZeroDivisionError
    assert cv2.getNumThreads() == before
