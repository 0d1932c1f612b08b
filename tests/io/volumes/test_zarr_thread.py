"""The thread that zarr works in: where none is to be had, nobody waits for it."""

import threading

import pytest

from panfocus.errors import PanfocusError
from panfocus.io.volumes.ngff import zarr_module

sync = pytest.importorskip("zarr.core.sync")


@pytest.fixture
def anew(monkeypatch):
    """Zarr as where it has not worked yet."""
    monkeypatch.setattr(sync, "loop", [None])
    monkeypatch.setattr(sync, "iothread", [None])
    yield
    sync.cleanup_resources()


def test_a_thread_that_does_not_start_is_told_and_forgotten(anew, monkeypatch, tmp_path):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as now:
        now.setattr(threading.Thread, "start", refuse)
        with pytest.raises(PanfocusError, match="memory ran out") as caught:
            zarr_module()
    assert "copy or export" not in str(caught.value)
    assert sync.loop == [None]
    group = zarr_module().open_group(str(tmp_path / "a.zarr"), mode="w")  # would wait for ever
    assert list(group) == []


def test_what_fails_there_is_not_printed(anew, capsys):
    zarr_module()
    done = threading.Event()

    def fail():
        done.set()
        raise MemoryError

    sync.loop[0].call_soon_threadsafe(fail)
    assert done.wait(10)
    sync.cleanup_resources()
    assert capsys.readouterr() == ("", "")
