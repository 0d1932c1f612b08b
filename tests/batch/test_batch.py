"""A batch as a lab meets it: bad stacks, second runs, manifests, new stacks while it runs."""

import csv
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.batch import BatchOptions, Job, crews, find_jobs
from panfocus.batch.lock import Lock
from panfocus.batch.outcome import failed
from panfocus.batch.record import Record, record_path, write_record
from panfocus.batch.run import Batch
from panfocus.batch.work import prepare, run_task
from panfocus.cli import main
from panfocus.errors import InputError, PanfocusError
from tests.conftest import focal_pair, psnr


def write_stack(folder, seed=0, size=(64, 96)):
    frames, sharp = focal_pair(*size, seed=seed)
    folder.mkdir(parents=True)
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"f{n}.png")
    return sharp


@pytest.fixture
def stacks(tmp_path):
    """Three sound stacks and one with a broken frame."""
    folder = tmp_path / "in"
    for n in range(3):
        write_stack(folder / f"s{n}", seed=n)
    write_stack(folder / "bad")
    (folder / "bad" / "f1.png").write_bytes(b"no picture")
    return folder


def batch(*words):
    return main(["batch", "-s", "guided", *map(str, words)])


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def report(out):
    return json.loads((out / "report.json").read_text())


def states(out):
    return {s["name"]: s["state"] for s in report(out)["stacks"]}


def leftovers(folder):
    names = (".panfocus-", ".part", ".old")
    return [p for p in folder.rglob("*") if any(n in p.name for n in names)]


def test_one_bad_stack_does_not_stop_the_rest(stacks, tmp_path, capsys):
    out = tmp_path / "out"
    assert batch(stacks, out, "--workers", "0", "--depth-map") == 3
    assert states(out) == {"bad": "failed", "s0": "done", "s1": "done", "s2": "done"}
    bad = next(s for s in report(out)["stacks"] if s["name"] == "bad")
    assert "f1.png" in bad["error"]
    assert "remedy" in bad["error"]
    assert "bad: failed" in capsys.readouterr().err
    for n in range(3):
        _, sharp = focal_pair(64, 96, seed=n)
        assert psnr(picture(out / f"s{n}.tif"), sharp) > 25
        assert (out / f"s{n}_depth.tif").is_file()
    with (out / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["state"] for r in rows].count("failed") == 1
    assert leftovers(out) == []
    assert sorted(p.name for p in (out / ".panfocus").iterdir()) == ["stacks"]


def test_resuming_leaves_out_what_is_done_and_renews_what_changed(stacks, tmp_path):
    out = tmp_path / "out"
    assert batch(stacks, out, "--workers", "0") == 3
    before = {p.name: p.stat().st_mtime_ns for p in out.glob("*.tif")}
    assert batch(stacks, out, "--workers", "0") == 1  # results exist: nothing is touched
    write_stack(tmp_path / "mended")
    (tmp_path / "mended" / "f1.png").replace(stacks / "bad" / "f1.png")
    write_stack(tmp_path / "other", seed=9)
    (tmp_path / "other" / "f0.png").replace(stacks / "s1" / "f0.png")
    assert batch(stacks, out, "--workers", "0", "--resume") == 0
    assert states(out) == {"bad": "done", "s0": "skipped", "s1": "done", "s2": "skipped"}
    after = {p.name: p.stat().st_mtime_ns for p in out.glob("*.tif")}
    assert [name for name in before if before[name] != after[name]] == ["s1.tif"]
    # other settings, another result; other threads, the same
    assert batch(stacks, out, "--workers", "0", "--resume", "--threads", "1") == 0
    assert set(states(out).values()) == {"skipped"}
    assert batch(stacks, out, "--workers", "0", "--resume", "--mode", "select") == 0
    assert set(states(out).values()) == {"done"}


def test_a_foreign_file_is_never_replaced(stacks, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "s0.tif").write_text("mine")
    assert batch(stacks, out, "--workers", "0") == 1
    assert batch(stacks, out, "--workers", "0", "--resume") == 3
    assert states(out)["s0"] == "failed"
    assert (out / "s0.tif").read_text() == "mine"


def test_a_manifest_names_inputs_outputs_and_options(stacks, tmp_path):
    manifest = tmp_path / "all.csv"
    manifest.write_text(
        "name,inputs,output,options\n"
        "first,in/s0,,mode=select\n"
        "deep/second,in/s1/f0.png; in/s1/f1.png,,\n"
        "third,in/s2/*.png,named.png,z-step-um=2.5\n"
    )
    out = tmp_path / "out"
    assert batch(manifest, out, "--workers", "0") == 0
    assert (out / "first.tif").is_file()
    assert (out / "deep" / "second.tif").is_file()
    assert (out / "named.png").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title,files\na,b\n", "columns"),
        ("name,inputs,options\na,in/s0,mode=smear\n", "line 2"),
        ("name,inputs\n../a,in/s0\n", "line 2"),
        ("name,inputs\na,in/s0\nA,in/s1\n", "same name"),
        ("name,inputs\na,\n", "without inputs"),
    ],
)
def test_a_wrong_manifest_is_refused_before_any_work(stacks, tmp_path, capsys, text, said):
    (tmp_path / "m.csv").write_text(text)
    assert batch(tmp_path / "m.csv", tmp_path / "out", "--workers", "0") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_to_do_is_an_error_with_a_remedy(stacks, tmp_path, capsys):
    assert batch(stacks / "s0", tmp_path / "out", "--workers", "0") == 1
    assert "panfocus fuse" in capsys.readouterr().err
    assert batch(tmp_path / "gone", tmp_path / "out", "--workers", "0") == 1


def test_a_dry_run_says_what_would_be_done(stacks, tmp_path, capsys):
    assert batch(stacks, tmp_path / "out", "--dry-run", "--json") == 0
    lines = json.loads(capsys.readouterr().out)
    assert [line["name"] for line in lines] == ["bad", "s0", "s1", "s2"]
    assert lines[1]["memory_bytes"] > 0
    assert "f1.png" in lines[0]["error"]
    assert not (tmp_path / "out").exists()


def test_without_dask_it_runs_here_and_says_so(stacks, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(crews, "has_dask", lambda: False)
    assert batch(stacks, tmp_path / "out", "--workers", "2") == 3
    assert "panfocus[batch]" in capsys.readouterr().err
    assert batch(stacks, tmp_path / "out", "--scheduler", "tcp://x:1", "--resume") == 2


def test_two_batches_do_not_share_an_output_folder(stacks, tmp_path, capsys):
    out = tmp_path / "out"
    (out / ".panfocus").mkdir(parents=True)
    facts = {"run": "0", "host": os.uname().nodename, "pid": os.getppid()}
    (out / ".panfocus" / "running.json").write_text(json.dumps(facts))
    assert batch(stacks, out, "--workers", "0") == 2
    assert "another batch" in capsys.readouterr().err


def test_what_a_killed_run_left_is_cleared_away(stacks, tmp_path):
    out = tmp_path / "out"
    (out / ".panfocus-dead-1").mkdir(parents=True)
    (out / ".panfocus").mkdir()
    facts = {"run": "dead", "host": os.uname().nodename, "pid": 2**22 + 1}
    (out / ".panfocus" / "running.json").write_text(json.dumps(facts))
    assert batch(stacks, out, "--workers", "0") == 3
    assert leftovers(out) == []


def test_a_try_that_died_while_placing_is_finished_by_the_next(stacks, tmp_path):
    out = tmp_path / "out"
    job = Job("s0", (str(stacks / "s0"),), out / "s0.tif", {"system": "guided"}, ("depth",))
    task = prepare(job, record_path(out, "s0"), "r", resume=False, overwrite=False)
    out.mkdir()
    (out / "s0.tif").write_bytes(b"placed by the try that died")
    record = Record(task.key, "placing", {str(out / "s0.tif"): [0, 0]}, 2)
    write_record(task.record, record)
    assert run_task(task).state == "done"
    assert picture(out / "s0.tif").shape == (64, 96, 3)


def test_watching_takes_new_stacks_once_they_rest(stacks, tmp_path):
    out = tmp_path / "out"

    def later():
        time.sleep(1.0)
        write_stack(stacks / "late", seed=7)

    thread = threading.Thread(target=later)
    thread.start()
    words = ["--watch", "--settle", "0.3", "--idle", "3", "--workers", "0"]
    assert batch(stacks, out, *words) == 3
    thread.join()
    assert states(out)["late"] == "done"
    assert states(out)["bad"] == "failed"


def test_watching_again_leaves_out_what_is_done(stacks, tmp_path):
    out = tmp_path / "out"
    assert batch(stacks, out, "--workers", "0") == 3
    (out / "s3.tif").write_text("mine")
    write_stack(stacks / "s3")
    words = ["--watch", "--settle", "0.1", "--idle", "1", "--workers", "0"]
    assert batch(stacks, out, *words) == 3
    assert [states(out)[f"s{n}"] for n in range(4)] == ["skipped"] * 3 + ["failed"]
    assert (out / "s3.tif").read_text() == "mine"


class TwoAtOnce:
    """A crew of two that fails every stack, and must never be given two."""

    slots, memory_bytes, title = 2, None, "two"

    def __init__(self):
        self.tasks = []

    def start(self, task):
        self.tasks.append(task)
        assert len(self.tasks) == 1

    def wait(self, seconds):
        tasks, self.tasks = self.tasks, []
        return [(task, failed(task.job, InputError("no"))) for task in tasks]


def test_memory_holds_stacks_back(stacks, tmp_path):
    """Two that do not fit together are fused one after the other, and the report says so."""
    template = Job("", (), Path(), {"system": "guided"})
    options = BatchOptions(stacks, tmp_path / "out", template)
    jobs = find_jobs(stacks, tmp_path / "out", ending=".tif", template=template)
    lock = Lock(tmp_path / "out", set())
    work = Batch(options, lock, 200 * 2**20, len(jobs), tell=None, note=None)
    work.work(TwoAtOnce(), jobs)
    result = work.result()
    assert result["failed"] == 4
    assert result["most_at_a_time"] == 1
    assert any("memory" in note for note in result["notes"])


def write_volume(path, **options):
    frames, _ = focal_pair(48, 64, channels=1)
    stack = np.broadcast_to(frames, (2, 3, 2, 48, 64)).copy()
    names = {"Name": ["a", "b", "c"]}
    tifffile.imwrite(path, stack, metadata={"axes": "TCZYX", "Channel": names}, **options)


def test_scientific_stacks_in_a_folder_are_fused_as_such(stacks, tmp_path):
    write_volume(stacks / "cells.ome.tif")
    write_volume(stacks / "hyper.tif", imagej=False, ome=True)
    (stacks / "junk.ome.tif").write_bytes(b"II*\0junk")
    out = tmp_path / "out"
    assert batch(stacks, out, "--workers", "0", "--index-map", "--guide-channel", "b") == 3
    found = states(out)
    assert found["cells"] == found["hyper"] == found["s0"] == "done"
    assert found["junk"] == found["bad"] == "failed"
    assert tifffile.imread(out / "cells.ome.tif").shape == (2, 3, 48, 64)
    assert tifffile.imread(out / "cells_index.ome.tif").shape == (2, 48, 64)
    assert batch(stacks, out, "--workers", "0", "--index-map", "--guide-channel", "b", "--resume")
    assert states(out)["cells"] == "skipped"
    assert leftovers(out) == []


def test_one_scientific_stack_is_a_batch_of_its_grid(tmp_path):
    write_volume(tmp_path / "cells.ome.tif")
    out = tmp_path / "out"
    assert batch(tmp_path / "cells.ome.tif", out, "--workers", "0") == 0
    assert len(states(out)) == 6
    whole = tmp_path / "whole.ome.tif"
    assert main(["fuse", str(tmp_path / "cells.ome.tif"), "-o", str(whole), "-s", "guided"]) == 0
    part = tifffile.imread(out / "cells_p000_t0001_c2.ome.tif")
    np.testing.assert_array_equal(part, tifffile.imread(whole)[1, 2])
    assert (
        batch(tmp_path / "cells.ome.tif", tmp_path / "g", "--workers", "0", "--guide-channel", "a")
        == 0
    )
    assert len(states(tmp_path / "g")) == 2
    assert tifffile.imread(tmp_path / "g" / "cells_p000_t0001.ome.tif").shape == (3, 48, 64)


def run_batch(*words):
    command = [sys.executable, "-m", "panfocus", "batch", "-s", "guided", *map(str, words)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_on_dask_a_bad_stack_gives_3_and_resuming_skips(stacks, tmp_path):
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    process = run_batch(stacks, out, "--workers", "2")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert states(out) == {"bad": "failed", "s0": "done", "s1": "done", "s2": "done"}
    assert "2 worker processes" in report(out)["crew"]
    pids = {s["worker"] for s in report(out)["stacks"] if s["state"] == "done"}
    assert pids.isdisjoint({f"{os.uname().nodename}:{process.pid}"})
    process = run_batch(stacks, out, "--workers", "2", "--resume")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert list(states(out).values()).count("skipped") == 3


def test_a_killed_worker_loses_nothing(tmp_path):
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1400, 3), np.uint8)
    for n in range(4):  # large enough that a worker is met at work
        folder = tmp_path / "in" / f"s{n}"
        folder.mkdir(parents=True)
        Image.fromarray(noise).save(folder / "f0.jpg")
        Image.fromarray(noise[::-1]).save(folder / "f1.jpg")
    process = run_batch(tmp_path / "in", out, "--workers", "2")
    begun = []
    while not any(path.read_text() for path in begun):  # a worker notes what it is at
        assert process.poll() is None, "the batch ended early"
        time.sleep(0.005)
        begun = [p for p in out.glob(".panfocus/stacks/s*") if p.suffix != ".json"]
    victim = next(path for path in begun if path.read_text())
    os.kill(int(victim.read_text()), 9)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert states(out) == {f"s{n}": "done" for n in range(4)}
    tries = {s["name"]: s["tries"] for s in report(out)["stacks"]}
    assert tries[victim.stem] == 2
    for n in range(4):
        assert picture(out / f"s{n}.tif").shape == (1000, 1400, 3)
    assert leftovers(out) == []


@contextmanager
def cluster(folder, count):
    """A scheduler and its workers, each a process of its own, as a lab starts them."""
    dask = [sys.executable, "-m", "distributed.cli"]
    where = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    told = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where)]
    started = [subprocess.Popen([*dask[:2], f"{dask[2]}.dask_scheduler", *told], **quiet)]
    try:
        until(where.is_file)
        own = ["--scheduler-file", str(where), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        for _ in range(count):
            command = [*dask[:2], f"{dask[2]}.dask_worker", *own, "--memory-limit", "1GiB"]
            started.append(subprocess.Popen(command, **quiet))
        yield json.loads(where.read_text())["address"], started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def until(true, seconds=180.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.005)


def at_work(out):
    """Notes of the workers: the stack's name, and the process that is at it."""
    notes = [p for p in out.glob(".panfocus/stacks/s*") if p.suffix != ".json"]
    return {p.stem: text.split()[-1] for p in notes if (text := p.read_text())}


def test_a_labs_cluster_loses_nothing_when_a_worker_is_killed(tmp_path):
    """Scheduler, workers and command line are processes of their own, as on several machines."""
    distributed = pytest.importorskip("distributed")
    names = [f"s{n}" for n in range(6)]
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), np.uint8)
    for name in names:
        (tmp_path / "in" / name).mkdir(parents=True)
        for n in range(2):
            Image.fromarray(np.roll(noise, n, 0)).save(tmp_path / "in" / name / f"f{n}.jpg")
    (tmp_path / "in" / "bad").mkdir()
    (tmp_path / "in" / "bad" / "f0.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    with cluster(tmp_path, 3) as (address, workers):
        with distributed.Client(address) as client:
            client.wait_for_workers(3, timeout=180)
        options = ("--scheduler", address, "--depth-map", "--align", "none")
        process = run_batch(tmp_path / "in", out, *options)
        until(lambda: at_work(out) or process.poll() is not None)
        ((name, pid), *_) = at_work(out).items()
        (victim,) = [worker for worker in workers if worker.pid == int(pid)]
        victim.kill()
        _, err = process.communicate(timeout=180)
        assert process.returncode == 3, err
        found = {s["name"]: s for s in report(out)["stacks"]}
    assert {n: s["state"] for n, s in found.items()} == {
        **dict.fromkeys(names, "done"),
        "bad": "failed",
    }
    assert "f0.jpg" in found["bad"]["error"]
    assert found[name]["tries"] == 2
    assert report(out)["crew"] == f"the workers of {address}"
    ran = {s["worker"].split(":")[1] for s in found.values() if s["state"] == "done"}
    assert ran <= {str(worker.pid) for worker in workers}
    assert found[name]["worker"].split(":")[1] != pid
    for done in names:
        assert picture(out / f"{done}.tif").shape == (900, 1200, 3)
        assert picture(out / f"{done}_depth.tif").shape == (900, 1200)
    assert leftovers(out) == []
    assert sorted(p.name for p in (out / ".panfocus").iterdir()) == ["stacks"]


class GoneCluster:
    """A client whose cluster has lost its workers, or its scheduler."""

    status = "connecting"

    def scheduler_info(self, n_workers):
        return {"workers": {}}

    def submit(self, *words, **options):
        return object()


@pytest.mark.parametrize(
    ("error", "said"), [(TimeoutError, "No worker is left"), (CancelledError, "scheduler")]
)
def test_a_cluster_that_is_gone_ends_the_batch_with_a_remedy(stacks, monkeypatch, error, said):
    class Distributed:
        TimeoutError = TimeoutError

        @staticmethod
        def wait(futures, **options):
            raise error

    monkeypatch.setattr(crews, "_distributed", lambda: Distributed)
    crew = crews.DaskCrew(GoneCluster(), "the workers of tcp://x:1")
    job = Job("s0", (str(stacks / "s0"),), stacks.parent / "s0.tif", {"system": "guided"})
    crew.start(prepare(job, stacks.parent / "r.json", "r", resume=False, overwrite=False))
    if error is TimeoutError:
        assert crew.wait(1) == []  # a nanny may start one again
        monkeypatch.setattr(crews, "_PATIENCE_S", 0.0)
    with pytest.raises(PanfocusError, match=said) as caught:
        crew.wait(1)
    assert "--resume" in str(caught.value)
