"""What lies in an output folder, or is named beside one, is never waited for nor read for ever."""

import contextlib
import csv
import os
import signal
import subprocess
import sys

import cv2
import pytest
from fuzz.process import hear_signals

from panfocus.batch import BatchOptions, Job, cluster, crews, run_batch
from panfocus.batch.report import CSV, JSON
from panfocus.errors import InputError, OutputError, UsageError
from panfocus.io.digest import Ledger, digest_of
from tests.conftest import focal_pair

HUGE = 2**36


def lay(folder):
    folder.mkdir(parents=True)
    for n, frame in enumerate(focal_pair(48, 64)[0]):
        cv2.imwrite(str(folder / f"{n}.png"), frame)


def options(tmp_path, source="in", **how):
    template = Job("", (), tmp_path, {"system": "guided", "align": "none"})
    return BatchOptions(tmp_path / source, tmp_path / "out", template, **{"workers": 0, **how})


def run(tmp_path, *source, **how):
    return run_batch(options(tmp_path, *source, **how))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes")
@pytest.mark.parametrize("name", [JSON, CSV])
def test_a_pipe_in_place_of_a_report_is_left_alone(tmp_path, name):
    lay(tmp_path / "in/s0")
    run(tmp_path)
    (tmp_path / "out" / name).unlink()
    os.mkfifo(tmp_path / "out" / name)
    with pytest.raises(OutputError, match="no ordinary file"):
        run(tmp_path, resume=True)
    with pytest.raises(OSError, match="no ordinary file"):
        digest_of(tmp_path / "out" / name)


def test_a_file_of_any_length_in_place_of_a_report_is_somebody_elses(tmp_path):
    ledger = Ledger(tmp_path, tmp_path / ".written")
    ledger.write("a.json", b"{}")
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(HUGE)
    with pytest.raises(OutputError, match="is not as panfocus left it"):
        ledger.check("a.json")
    ledger.write("a.json", b"[]", overwrite=True)
    assert (tmp_path / "a.json").read_bytes() == b"[]"


def test_a_result_of_another_length_is_somebody_elses_unread(tmp_path):
    lay(tmp_path / "in/s0")
    run(tmp_path)
    with (tmp_path / "out/s0.tif").open("wb") as file:
        file.truncate(HUGE)
    run(tmp_path, resume=True)
    assert (tmp_path / "out/s0.tif").stat().st_size == HUGE


def test_a_manifest_of_any_length_is_refused(tmp_path):
    with (tmp_path / "m.csv").open("wb") as file:
        file.write(b"name,inputs\n")
        file.truncate(HUGE)
    with pytest.raises(InputError, match="the manifest"):
        run(tmp_path, "m.csv")


def test_a_manifest_may_have_a_mark_of_its_letters_and_lines_inside_cells(tmp_path):
    lay(tmp_path / "in/s0")
    with (tmp_path / "m.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["name", "inputs"], ["a", "in/s0"]])
    report = run(tmp_path, "m.csv")
    assert report["done"] == 1


@pytest.mark.parametrize("workers", [-1, 10**6, 2**63, 10**100])
def test_more_workers_than_can_be_are_refused_before_any_starts(tmp_path, workers, monkeypatch):
    lay(tmp_path / "in/s0")
    monkeypatch.setattr(crews, "gather_crew", None)
    with pytest.raises(UsageError, match="so many workers cannot be"):
        run(tmp_path, workers=workers)


def test_as_many_workers_as_large_machines_have_are_not(monkeypatch):
    monkeypatch.setattr(crews.os, "cpu_count", lambda: 384)
    crews.check_workers(1024)
    monkeypatch.setattr(crews.os, "cpu_count", lambda: 1)
    crews.check_workers(64)
    with pytest.raises(UsageError):
        crews.check_workers(65)


@pytest.mark.skipif(os.name != "posix", reason="groups of processes")
def test_ctrl_c_of_a_terminal_is_no_workers_and_nothing_of_theirs_stays(tmp_path):
    pytest.importorskip("distributed")
    for n in range(4):
        lay(tmp_path / f"in/s{n}")
    (tmp_path / "tmp").mkdir()
    words = ["batch", tmp_path / "in", tmp_path / "out", "--workers", "2", "-s", "guided", "-q"]
    for seconds in (1.0, 1.5, 2.0):
        process = subprocess.Popen(
            [sys.executable, "-m", "panfocus", *map(str, words), "--resume"],
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hear_signals,  # noqa: PLW1509  it takes no lock
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert "Traceback" not in said
        assert process.returncode in (0, 130, -signal.SIGINT)
        assert list((tmp_path / "tmp").iterdir()) == []


def test_workers_are_done_without_where_few_files_may_be_open(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(crews, "may_open_many", lambda: False)
    with crews.gather_crew(2, None, 2**30) as crew:
        assert crew.slots == 1
        assert "few files may be open" in crew.title


@pytest.mark.parametrize(
    ("limit", "few"), [(2**29, True), (2**31 - 1, True), (2**31, False), (None, False)]
)
def test_workers_are_done_without_where_a_process_may_have_little_memory(monkeypatch, limit, few):
    monkeypatch.setattr(cluster, "process_limit", lambda: limit)
    assert cluster.may_hold_workers() is not few
    if few:
        pytest.importorskip("distributed")
        with crews.gather_crew(2, None, 2**28) as crew:
            assert crew.slots == 1
            assert "little memory" in crew.title
