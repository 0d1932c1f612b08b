"""Stacks too long to be held whole: decided by their working scale, and read again to be mixed."""

import numpy as np
import pytest

import panfocus
from panfocus import io
from panfocus.arrays.pixels import floats
from panfocus.errors import InputError
from panfocus.pipeline import memory
from panfocus.pipeline.memory import HELD_BYTES, Groups, groups
from panfocus.pipeline.sources import ArrayStack
from panfocus.systems import Card, load_system
from panfocus.systems.long_stacks import ManyWeights
from tests.conftest import texture
from tests.support.files import pillow
from tests.support.passed import Passed


class Brightest:
    """Takes the brightest frame, by a scale of at most 2000 pixels."""

    takes_native = True
    compares_many = True

    def __init__(self):
        self.card = Card(name="brightest", title="test", working_pixels=2000)
        self.many = []

    def decide(self, frames):
        light = floats(frames).mean(axis=-1)
        return (light.argmax(axis=0) == np.arange(len(frames))[:, None, None]).astype(np.float32)

    def decide_many(self, frames):
        self.many.append(len(frames))
        weights = self.decide(np.stack(frames))
        return ManyWeights((weights * 255).astype(np.uint8), weights[:, ::4, ::4].copy())


@pytest.fixture
def pixels():
    frames = np.stack([texture(96, 120) // 2 for _ in range(9)])
    for n in range(9):
        frames[n, 10 * n : 10 * n + 12, 20:100] = 255 - n
    return frames


@pytest.fixture
def folder(tmp_path, pixels):
    for n, frame in enumerate(pixels):
        (tmp_path / f"{n}.png").write_bytes(pillow(frame, "PNG"))
    return tmp_path


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(memory, "MOST_AT_ONCE", 4)


def test_files_are_read_twice_and_fused_as_frames_that_are_held(folder, pixels, monkeypatch):
    seen = []

    def read(info, _read=io.read_frame):
        seen.append(info.name)
        return _read(info)

    monkeypatch.setattr(io, "read_frame", read)
    system = Brightest()
    by_files = panfocus.fuse(str(folder), system=system, align="none", exposure="none")
    assert system.many == [9]
    assert len(seen) == 18
    once = panfocus.fuse(iter(pixels), system=Brightest(), align="none", exposure="none")
    np.testing.assert_array_equal(by_files.image, once.image)
    np.testing.assert_array_equal(by_files.index, once.index)
    assert len(by_files.report.frames) == 9
    told = [frame["share"] for frame in by_files.report.frames]
    assert told == [frame["share"] for frame in once.report.frames]


def test_frames_that_have_no_weight_are_not_read_again(folder, pixels, monkeypatch):
    dull = (3, 8)
    for n in dull:
        pixels[n] = texture(96, 120) // 4
        (folder / f"{n}.png").write_bytes(pillow(pixels[n], "PNG"))
    seen = []

    def read(info, _read=io.read_frame):
        seen.append(info.path.stem)
        return _read(info)

    monkeypatch.setattr(io, "read_frame", read)
    options = {"align": "none", "exposure": "none", "void": "off", "spread": "off"}
    fused = panfocus.fuse(str(folder), system=Brightest(), **options)
    assert sorted(seen) == sorted(
        [*map(str, range(9)), *(str(n) for n in range(9) if n not in dull)]
    )
    assert not set(dull) & set(np.unique(fused.index))
    once = panfocus.fuse(iter(pixels), system=Brightest(), **options)
    np.testing.assert_array_equal(fused.image, once.image)


def test_frames_that_can_only_be_gone_through_are_read_again_by_their_numbers(pixels):
    read = ArrayStack(Passed(pixels)).reader()
    for number in (1, 4, 4, 8, 0):
        np.testing.assert_array_equal(read(number).pixels, pixels[number])
    with pytest.raises(InputError, match="second time"):
        read(9)
    options = {"align": "none", "exposure": "none"}
    passed = panfocus.fuse(Passed(pixels), system=Brightest(), **options)
    once = panfocus.fuse(iter(pixels), system=Brightest(), **options)
    np.testing.assert_array_equal(passed.image, once.image)


def test_registered_frames_are_placed_alike_both_times(folder, pixels):
    by_files = panfocus.fuse(str(folder), system=Brightest(), align="translation")
    in_memory = panfocus.fuse(list(pixels), system=Brightest(), align="translation")
    np.testing.assert_array_equal(by_files.image, in_memory.image)
    assert not [note for note in by_files.report.warnings if "second time" in note]


def test_what_is_told_of_a_frame_is_told_once(tmp_path, pixels):
    for n, frame in enumerate(pixels):
        (tmp_path / f"{n}.png").write_bytes(pillow(frame, "PNG"))
    black = np.zeros_like(pixels[0])
    (tmp_path / "4.png").write_bytes(pillow(black, "PNG"))
    fused = panfocus.fuse(str(tmp_path), system=Brightest(), align="none")
    assert len(set(fused.report.warnings)) == len(fused.report.warnings)
    assert 4 not in np.unique(fused.index)


def test_a_short_stack_is_read_once(folder, monkeypatch):
    monkeypatch.setattr(memory, "MOST_AT_ONCE", 9)
    seen = []

    def read(info, _read=io.read_frame):
        seen.append(info.name)
        return _read(info)

    monkeypatch.setattr(io, "read_frame", read)
    panfocus.fuse(str(folder), system=Brightest(), align="none", exposure="none")
    assert len(seen) == 9


def test_how_many_are_held_keeps_to_the_memory_that_is_allowed():
    system, mib = load_system("dualpath"), 2**20
    large = groups(system, 72 * mib, 24 * mib, 24 * mib // 9, 8 << 30)
    assert large.light * (72 * mib // 9) < HELD_BYTES
    assert large.light > 25 > large.whole
    assert large.reads_again(25)
    assert not large.reads_again(None)
    assert not large.reads_again(large.compared)
    small = groups(system, 6 * mib, 2 * mib, 2 * mib, 8 << 30)
    assert small.light == 0, "at full scale there is nothing smaller to hold"
    assert small.whole * 6 * mib < HELD_BYTES
    assert small.held(again=False) > 40
    little = groups(system, 6 * mib, 2 * mib, 2 * mib, 200 * mib)
    assert little.held(again=False) == little.compared
    assert groups(load_system("guided"), 6 * mib, 2 * mib, 2 * mib, 8 << 30) == Groups(1)
