"""Frames that are looked at before they are fused: decoded once while there is room for them."""

import numpy as np
import pytest

from panfocus import fuse, io
from panfocus.pipeline import sources
from panfocus.pipeline.memory import KEPT_BYTES, kept_bytes
from panfocus.pipeline.sources import FileStack
from tests.conftest import focal_stack
from tests.support.files import pillow


@pytest.fixture
def folder(tmp_path):
    frames, _ = focal_stack(4)
    for n, frame in enumerate(frames):
        (tmp_path / f"{n}.png").write_bytes(pillow(frame, "PNG"))
    return tmp_path


def decoded(monkeypatch):
    """Count how often each frame is decoded whole."""
    seen = []

    def read(info, _read=io.read_frame):
        seen.append(info.name)
        return _read(info)

    monkeypatch.setattr(io, "read_frame", read)
    monkeypatch.setattr(io, "read_reduced", lambda info, _factor: (read(info), 1))
    return seen


@pytest.mark.parametrize(("room", "times"), [(0, 8), (2, 6), (4, 4)])
def test_as_many_are_kept_as_there_is_room_for(folder, monkeypatch, room, times):
    infos, _ = io.find_frames([folder])
    seen = decoded(monkeypatch)
    frame = infos[0].height * infos[0].width * infos[0].channels
    stack = FileStack(infos, room * frame)
    small = [f.pixels for f in stack.small(range(4), 2)]
    whole = [f.pixels for f in stack.frames()]
    assert len(seen) == times
    for n, info in enumerate(infos):
        expected = io.read_frame(info).pixels
        np.testing.assert_array_equal(whole[n], expected)
        assert small[n].shape[:2] == (info.height // 2, info.width // 2)


def test_a_kept_frame_is_let_go_once_it_is_used(folder):
    infos, _ = io.find_frames([folder])
    stack = FileStack(infos, 1 << 30)
    list(stack.small(range(4), 2))
    list(stack.frames())
    assert not stack._kept


def test_a_fusion_decodes_each_once_and_is_the_same(folder, monkeypatch):
    seen = decoded(monkeypatch)
    kept = fuse(str(folder), system="guided", align="translation")
    assert len(seen) == 4
    monkeypatch.setattr(sources.FileStack, "_read", lambda s, n: sources._read(s.infos[n]))
    again = fuse(str(folder), system="guided", align="translation")
    np.testing.assert_array_equal(kept.image, again.image)


def test_no_more_is_kept_than_memory_allows():
    assert kept_bytes(100, 150) == 50
    assert kept_bytes(200, 150) == 0
    assert kept_bytes(0, 1 << 40) == KEPT_BYTES
