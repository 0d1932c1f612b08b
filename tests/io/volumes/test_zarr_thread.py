"""The thread that zarr works in: where none is to be had, nobody waits for it."""

import asyncio
import threading
import time

import numpy as np
import pytest

import panfocus
from panfocus.errors import PanfocusError
from panfocus.io.volumes import zarr_thread
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


def test_what_still_goes_on_is_waited_for(anew, tmp_path):
    zarr_module()
    begun = threading.Event()
    late = tmp_path / "late"

    async def write():
        begun.set()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(late.touch)

    asyncio.run_coroutine_threadsafe(write(), sync.loop[0])
    assert begun.wait(10)
    zarr_thread.wait()
    assert late.exists()


def test_nothing_comes_back_into_a_folder_that_went(anew, tmp_path, monkeypatch):
    """A write that fails leaves others going on beside it; they are slow here."""
    storage = pytest.importorskip("zarr.storage")
    slow = storage.LocalStore.set

    async def failing(store, key, *more, **named):
        if key.endswith(".zarray"):
            raise OSError(28, "No space left on device")
        await asyncio.sleep(0.3)
        return await slow(store, key, *more, **named)

    source = np.arange(2 * 64 * 64, dtype=np.uint16).reshape(2, 64, 64)
    fused = panfocus.fuse_volume(source, axes="ZYX", system="guided")
    monkeypatch.setattr(storage.LocalStore, "set", failing)
    with pytest.raises((OSError, PanfocusError)):
        fused.save(tmp_path / "out.ome.zarr")
    time.sleep(0.6)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("odd", [0, -1, "abc", 2.5])
def test_a_zarr_that_is_set_up_to_do_nothing_is_refused(odd, anew):
    zarr = pytest.importorskip("zarr")
    with zarr.config.set({"async.concurrency": odd}), pytest.raises(PanfocusError, match="nothing"):
        zarr_module()
