"""A watch whose output folder is for a time another one: a drive, and the place it mounts on."""

import json
import socket
import threading
import time

import pytest

from panfocus.batch import run_batch
from panfocus.batch.lock import Lock, alone_in
from panfocus.batch.troubles import Troubles
from panfocus.cli import main
from tests.batch.test_faults import lay, options


@pytest.fixture
def drive(tmp_path):
    """An output folder with one result, which is away, and a stack more to fuse."""
    lay(tmp_path / "in", 1)
    assert run_batch(options(tmp_path))["done"] == 1
    (tmp_path / "out").rename(tmp_path / "away")
    lay(tmp_path / "later", 2)
    (tmp_path / "later/s1").rename(tmp_path / "in/s1")
    return tmp_path


def until(there, seconds=60):
    end = time.monotonic() + seconds
    while not there() and time.monotonic() < end:
        time.sleep(0.02)


def come_back(tmp_path):
    (tmp_path / "out").rename(tmp_path / "place")
    (tmp_path / "away").rename(tmp_path / "out")


@pytest.mark.parametrize("left", ["nothing", "an empty place", "the lock of a killed run"])
def test_a_watch_that_began_while_the_output_folder_was_away_goes_on_in_it(drive, left):
    """What it fused into the empty place is fused again into the folder that came back."""
    out = drive / "out"
    if left == "an empty place":
        out.mkdir()
    if left == "the lock of a killed run":
        dead = {"run": "ab12", "host": socket.gethostname(), "pid": 1, "started": 1.0}
        (drive / "away/.panfocus/running.json").write_text(json.dumps(dead))
        (drive / "away/.panfocus-ab12-1").mkdir()

    def return_it():
        until((out / "s1.tif").is_file)
        come_back(drive)

    thread = threading.Thread(target=return_it)
    thread.start()
    report = run_batch(options(drive, watch=True, settle_s=0.1, idle_s=3.0))
    thread.join()
    assert sorted(p.name for p in out.iterdir()) == [
        ".panfocus", "report.csv", "report.json", "s0.tif", "s1.tif",
    ]  # fmt: skip
    assert not (out / ".panfocus/running.json").exists()
    assert report["failed"] == 0


def test_the_empty_place_of_a_drive_is_not_taken_up_again(drive):
    with alone_in(drive / "out", set()) as lock:
        assert lock.holds()
        come_back(drive)
        assert not lock.holds()
        assert lock.takes_up()
        assert lock.holds()
        (drive / "out").rename(drive / "away")
        (drive / "place").rename(drive / "out")
        assert not lock.holds()
        assert not lock.takes_up()
        come_back(drive)
        assert lock.holds()
    assert not (drive / "out/.panfocus/running.json").exists()


def test_a_folder_without_batches_is_not_taken_up(drive):
    with alone_in(drive / "away", set()) as lock:
        (drive / "away").rename(drive / "gone")
        assert not lock.takes_up()
        (drive / "away").mkdir()
        assert not lock.takes_up()
        assert not list((drive / "away").iterdir())
        (drive / "away").rmdir()
        (drive / "gone").rename(drive / "away")


def test_a_folder_where_another_run_is_at_work_is_not_taken_up(drive):
    with alone_in(drive / "out", set()) as lock:
        come_back(drive)
        other = drive / "out/.panfocus/running.json"
        text = json.dumps({"run": "ab12", "host": "elsewhere", "pid": 1})
        other.write_text(text)
        assert not lock.takes_up()
        assert other.read_text() == text
        other.unlink()
        assert lock.takes_up()


def test_a_run_that_is_stopped_while_it_reserves_leaves_no_lock(tmp_path, monkeypatch):
    real = Lock.reserve

    def stop(self):
        real(self)
        raise SystemExit(130)

    monkeypatch.setattr(Lock, "reserve", stop)
    with pytest.raises(SystemExit), alone_in(tmp_path / "out", set()):
        pass
    assert not (tmp_path / "out/.panfocus/running.json").exists()


def test_what_a_watch_waits_for_is_told_when_it_begins(tmp_path):
    told = []
    troubles = Troubles(told.append)
    for why in (None, "x", "x", None, "x", "y", "y"):
        troubles.heed("out", why)
        troubles.heed("in", None)
    assert told == ["x", "x", "y"]
    assert troubles.notes() == ["for a time: x", "for a time: y"]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_line_tells_what_it_waits_for(drive, capsys, as_json):
    thread = threading.Thread(target=lambda: take_and_return(drive))
    thread.start()
    words = ["batch", str(drive / "in"), str(drive / "out"), "--system", "guided", "--workers", "0",
             "--watch", "--settle", "0.1", "--idle", "4"]  # fmt: skip
    assert main([*words, *(["--json-progress"] if as_json else [])]) == 0
    thread.join()
    err = capsys.readouterr().err
    if not as_json:
        assert "waiting: the output folder is away" in err
        return
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    (told,) = [line for line in lines if line["stage"] == "waiting"]
    assert "is away" in told["message"]


def take_and_return(tmp_path):
    out = tmp_path / "out"
    until((out / "s1.tif").is_file)
    time.sleep(0.5)
    out.rename(tmp_path / "gone")
    time.sleep(1.5)
    (tmp_path / "gone").rename(out)
