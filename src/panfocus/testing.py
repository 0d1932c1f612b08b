"""What every system must keep to, as tests that a third party's system inherits.

In a test file of your own, run by pytest::

    from panfocus.testing import SystemTests

    class TestMine(SystemTests):
        def make(self):
            return MySystem()

Each test is one promise that the pipeline relies on (`panfocus.systems.base`); a failing one says
what a fusion would have suffered.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.pipeline.fuse import fuse
from panfocus.systems import traits
from panfocus.systems.card import Card
from panfocus.systems.checks import WEIGHT_SLACK, adopt

#: How far numbers may be apart that are the same but for the order in which they were added up.
SAME = 2e-2


def scene(count: int = 2, *, size: tuple[int, int] = (96, 128), seed: int = 0) -> Float:
    """Return frames ``(N, H, W, 3)`` float32 in [0, 1], each sharp in a strip of its own."""
    import cv2  # noqa: PLC0415  so that the module loads where only its names are wanted

    rng = np.random.default_rng(seed)
    sharp = np.zeros((*size, 3), np.float32)
    for cells in (5, 17, 48):
        coarse = rng.random((cells, cells, 3)).astype(np.float32)
        sharp += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) / 3
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    strip = np.arange(size[1]) * count // size[1]
    frames = [np.where((strip == n)[None, :, None], sharp, soft) for n in range(count)]
    return np.clip(np.stack(frames), 0, 1).astype(np.float32)


class SystemTests:
    """Promises of a system. Override `make`; every test begins with a new one."""

    def make(self) -> object:
        """Return the system: an object with a card, and ``decide`` or ``begin``."""
        raise NotImplementedError

    def _frames(self) -> Float:
        most = adopt(self.make()).card.max_frames
        return scene(min(3, most or 3))

    def test_it_has_a_card_that_survives_being_written(self) -> None:
        """A system is known by its card, which reports and folders hold."""
        card = adopt(self.make()).card
        assert card.name
        assert card.title
        assert Card.from_json(card.to_json(), card.name) == card

    def test_weights_are_weights(self) -> None:
        """``(N, H, W)`` float32, none below 0, summing to 1: else pictures darken or glow."""
        system, frames = adopt(self.make()), self._frames()
        if not traits.decides(system):
            return
        weights = system.decide(frames)
        assert weights.shape == frames.shape[:3]
        assert weights.dtype == np.float32
        assert weights.min() >= -WEIGHT_SLACK
        assert np.abs(weights.sum(0) - 1).max() <= WEIGHT_SLACK

    def test_a_measure_fits_the_working_scale(self) -> None:
        """Evidence is ``(H // factor, W // factor)``, and none is below 0."""
        system, frames = adopt(self.make()), self._frames()
        if not traits.measures_alone(system):
            return
        for factor in (1, 2, 3):
            measured = system.evidence(np.ascontiguousarray(frames[0, ..., 0]), factor)
            assert measured.shape == tuple(side // factor for side in frames.shape[1:3])
            assert measured.min() >= 0

    def test_what_it_is_given_stays_as_it_is(self) -> None:
        """Frames are mixed after the decision: what changes them changes the picture."""
        frames = self._frames()
        before = frames.copy()
        self._answer(frames)
        assert np.array_equal(frames, before)

    def test_it_answers_the_same_again(self) -> None:
        """A fusion can be repeated, and one stack leaves nothing behind for the next."""
        system, frames = self.make(), self._frames()
        first = self._answer(frames, system)
        self._answer(scene(len(frames), seed=9), system)
        assert np.abs(self._answer(frames, system) - first).max() <= 1e-6

    def test_several_stacks_at_once_do_not_disturb_each_other(self) -> None:
        """A server and a batch share one object between threads."""
        system = adopt(self.make())
        stacks = [scene(len(self._frames()), seed=n) for n in range(4)]
        alone = [self._answer(frames, system) for frames in stacks]
        with ThreadPoolExecutor(4) as pool:
            waited = [pool.submit(self._answer, frames, system) for frames in stacks]
            together = [answer.result() for answer in waited]
        for one, other in zip(alone, together, strict=True):
            assert np.abs(one - other).max() <= 1e-6

    def test_the_order_of_frames_does_not_matter(self) -> None:
        """Frames that come the other way round get the same weights, the other way round."""
        system, frames = adopt(self.make()), self._frames()
        if not traits.decides(system):
            return
        weights, turned = system.decide(frames), system.decide(frames[::-1].copy())
        assert np.abs(turned[::-1] - weights).mean() <= SAME

    def test_it_takes_sides_of_any_length(self) -> None:
        """What must be a multiple is told in the card; the answer has the size of the frames."""
        frames = scene(len(self._frames()), size=(53, 71))
        answer = self._answer(frames)
        assert (53, 71) in (answer.shape[-2:], answer.shape[:2])

    def test_what_is_sharp_is_taken(self) -> None:
        """Of frames that are each sharp in a strip, a fusion is closer to all strips than any."""
        frames = (255 * scene(2)).astype(np.uint8)
        half = frames.shape[2] // 2
        truth = np.concatenate((frames[0][:, :half], frames[1][:, half:]), 1).astype(float)
        made = fuse(list(frames), system=adopt(self.make()), guard="off", maps=False).image

        def error(picture: Pixels) -> float:
            return float(np.square(picture.astype(float) - truth)[8:-8, 8:-8].mean())

        assert error(made) < 0.5 * min(error(frame) for frame in frames)

    def test_pipelines_fuse_grey_frames_and_frames_of_16_bits(self) -> None:
        """A microscope has one channel, and numbers beyond 255."""
        frames = (65535 * scene(2)[..., 1]).astype(np.uint16)
        made = fuse(list(frames), system=adopt(self.make()), maps=False).image
        assert made.shape == frames.shape[1:]
        assert made.dtype == np.uint16

    def _answer(self, frames: Float, system: object | None = None) -> Float:
        """Return weights ``(N, H, W)``, or the picture ``(H, W, 3)``."""
        asked = adopt(self.make() if system is None else system)
        if traits.decides(asked):
            return asked.decide(frames)
        assert traits.makes_picture(asked)
        run = asked.begin()
        for frame in frames:
            run.push(frame)
        return run.finish()
