"""What goes wrong around a batch: drives, other runs, damaged records, half-written manifests."""

import csv
import json
import os
import socket
import threading
import time
from collections import Counter

import cv2
import pytest

from panfocus.batch import BatchOptions, Job, cluster, crews, find_jobs, run_batch
from panfocus.batch import lock as locks
from panfocus.batch.lock import alone_in
from panfocus.batch.outcome import StackOutcome
from panfocus.batch.record import Record, read_record, write_record
from panfocus.batch.report import write_reports
from panfocus.batch.watch import Watch
from panfocus.batch.work import prepare
from panfocus.errors import InputError, OutputError, UsageError
from tests.conftest import focal_pair

ODD = (None, True, -1, 1.5, 10**40, "x", [], [1], {}, {"a": 1}, {"a": [1]}, {"a": [[], 2, 3]})
RAW = ("", "null", "[]", "{", "[" * 100_000, "1" * 5000, '{"a":' * 100_000)


def lay(folder, count=2):
    for n in range(count):
        inner = folder / f"s{n}"
        inner.mkdir(parents=True)
        for k, frame in enumerate(focal_pair(48, 64, seed=n)[0]):
            cv2.imwrite(str(inner / f"{k}.png"), frame)


def options(tmp_path, source="in", **how):
    template = Job("", (), tmp_path, {"system": "guided", "align": "none"})
    return BatchOptions(tmp_path / source, tmp_path / "out", template, workers=0, **how)


def running(tmp_path, **facts):
    path = tmp_path / "out/.panfocus/running.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"run": "ab12", "host": socket.gethostname(), "pid": 1, **facts}))
    return path


def test_a_number_that_is_another_programs_by_now_locks_nobody_out(tmp_path):
    """Process 1 runs, but it did not begin when that run did."""
    running(tmp_path, pid=1, started=1.0)
    with alone_in(tmp_path / "out", set()) as lock:
        assert lock.run != "ab12"


def test_a_lock_that_does_not_say_when_its_process_began_is_held_by_none_that_is_younger(tmp_path):
    path = running(tmp_path, pid=os.getppid())
    with pytest.raises(UsageError, match="at work"), alone_in(tmp_path / "out", set()):
        pass
    os.utime(path, (1000, 1000))
    with alone_in(tmp_path / "out", set()):
        pass


def test_of_a_process_that_the_system_does_not_tell_of_the_sign_of_life_counts(
    tmp_path, monkeypatch
):
    path = running(tmp_path, pid=12345, started=1000.0)
    monkeypatch.setattr(locks, "_start_of", lambda pid: 0.0 if pid == 12345 else 1.0)
    with pytest.raises(UsageError, match="at work"), alone_in(tmp_path / "out", set()):
        pass
    os.utime(path, (1000, 1000))
    with alone_in(tmp_path / "out", set()):
        pass


def test_a_run_of_this_machine_that_lives_locks_others_out(tmp_path):
    running(tmp_path, pid=1, started=locks._start_of(1))
    with pytest.raises(UsageError, match="process 1"), alone_in(tmp_path / "out", set()):
        pass


def test_a_run_of_another_machine_keeps_its_folder_while_it_is_heard(tmp_path):
    path = running(tmp_path, host="elsewhere")
    work = tmp_path / "out/.panfocus-ab12-1"
    work.mkdir()
    with pytest.raises(UsageError, match="on elsewhere"), alone_in(tmp_path / "out", set()):
        pass
    assert work.is_dir()
    long_ago = time.time() - 2 * locks._SILENCE_S
    os.utime(path, (long_ago, long_ago))
    with alone_in(tmp_path / "out", set()):
        assert not work.exists()
    assert not path.exists()


def test_a_run_says_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_BEAT_S", 0.05)
    with alone_in(tmp_path / "out", set()):
        path = tmp_path / "out/.panfocus/running.json"
        os.utime(path, (1, 1))
        until = time.monotonic() + 60
        while path.stat().st_mtime < 10 and time.monotonic() < until:
            time.sleep(0.02)
        assert path.stat().st_mtime > 10


@pytest.mark.parametrize("raw", [*RAW, *(json.dumps({"run": v, "host": v, "pid": v}) for v in ODD)])
def test_a_damaged_lock_locks_nobody_out(tmp_path, raw):
    running(tmp_path).write_text(raw)
    with alone_in(tmp_path / "out", set()):
        pass


def test_a_folder_in_the_place_of_the_lock_is_told_in_words(tmp_path):
    (tmp_path / "out/.panfocus/running.json/x").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot be written"), alone_in(tmp_path / "out", set()):
        pass
    assert (tmp_path / "out/.panfocus/running.json/x").is_dir()


@pytest.mark.parametrize("raw", RAW)
def test_a_record_that_is_none_counts_as_none(tmp_path, raw):
    (tmp_path / "a.json").write_text(raw)
    assert read_record(tmp_path / "a.json") is None


@pytest.mark.parametrize("name", ["key", "state", "files", "frames", "tries", "before", "new"])
@pytest.mark.parametrize("value", ODD, ids=lambda v: repr(v)[:12])
def test_a_record_of_wrong_kinds_counts_as_none(tmp_path, name, value):
    path = tmp_path / "a.json"
    sound = Record("k", "done", {"/a": [1, 2, "h"]}, 2, 1)
    write_record(path, sound)
    assert read_record(path) == sound
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, name: value}))
    found = read_record(path)
    assert found is None or getattr(found, name) == value
    if found is not None:  # and it can be asked
        found.owns(tmp_path)
        found.is_done("k")


def test_one_stack_that_nobody_foresaw_ends_no_others(tmp_path, monkeypatch):
    lay(tmp_path / "in")
    monkeypatch.setattr("panfocus.batch.work._check", lambda job: {}[job.name])
    (job, _) = find_jobs(
        tmp_path / "in", tmp_path / "out", ending=".tif", template=Job("", (), tmp_path)
    )
    outcome = prepare(job, tmp_path / "r.json", "run", resume=False, overwrite=False)
    assert isinstance(outcome, StackOutcome)
    assert outcome.state == "failed"
    assert "unexpectedly" in outcome.error


@pytest.fixture
def still(monkeypatch):
    """Have the watch look as often as it is asked: no look takes any time."""
    monkeypatch.setattr("panfocus.batch.watch.monotonic", lambda: 0.0)


def test_a_drive_that_is_away_does_not_end_a_watch(tmp_path, still):
    watching = options(tmp_path, watch=True, settle_s=0.0)
    away = [InputError("there is no such batch"), OSError(5, "Input/output error")]
    jobs = []

    def find():
        if away:
            raise away.pop()
        return jobs

    watch = Watch(watching, find)
    lay(tmp_path / "in", 1)
    jobs += find_jobs(tmp_path / "in", tmp_path / "out", ending=".tif", template=watching.template)
    assert [watch.poll(), watch.poll()] == [[], []]
    assert watch.trouble is not None
    watch.poll()
    assert watch.poll() == jobs
    assert watch.trouble is None


def test_a_stack_that_failed_is_tried_again_less_and_less_and_never_given_up(tmp_path, monkeypatch):
    """A disk that is full for hours has room in the end; the watch is idle all the same."""
    clock = [1000.0]
    monkeypatch.setattr("panfocus.batch.watch.monotonic", lambda: clock[0])
    watching = options(tmp_path, watch=True, settle_s=5.0, idle_s=1000.0)
    lay(tmp_path / "in", 1)
    jobs = find_jobs(tmp_path / "in", tmp_path / "out", ending=".tif", template=watching.template)
    watch = Watch(watching, lambda: jobs)
    tried = []
    for _ in range(4 * 3600):
        clock[0] += 1
        for job in watch.poll():
            tried.append(clock[0] - 1000)
            watch.failed(job.name)
    assert watch.is_over
    assert sum(t < 3600 for t in tried) < 15
    assert tried[-1] > 3.5 * 3600
    # frames that change are new ones
    time.sleep(0.01)
    (tmp_path / "in/s0/1.png").touch()
    watch.poll()
    clock[0] += 6
    assert watch.poll() == jobs


def test_where_stacks_need_not_rest_one_that_fails_is_not_tried_all_the_time(tmp_path):
    """Nothing else was done any more, and the watch never ended."""
    lay(tmp_path / "in", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/s0.tif").write_bytes(b"somebody's own")
    told = []
    watching = options(tmp_path, watch=True, settle_s=0.0, idle_s=0.5)
    report = run_batch(watching, lambda outcome, *_: told.append(outcome.state))
    assert report["failed"] == 1
    assert told == ["failed"] * len(told)
    assert 1 <= len(told) <= 3
    assert (tmp_path / "out/s0.tif").read_bytes() == b"somebody's own"


@pytest.mark.parametrize("is_left", [True, False])
def test_results_wait_for_an_output_folder_that_is_away(tmp_path, is_left):
    """Those written into the empty place of a drive would be hidden once it is back."""
    source, out = tmp_path / "in", tmp_path / "out"
    lay(source, 1)
    lay(tmp_path / "later", 1)
    seen = []

    def disturb():
        until = time.monotonic() + 60
        while not (out / "s0.tif").is_file() and time.monotonic() < until:
            time.sleep(0.02)
        out.rename(tmp_path / "away")
        if is_left:
            out.mkdir()
        (tmp_path / "later/s0").rename(source / "s1")
        time.sleep(2.0)
        seen.extend(out.rglob("*") if out.exists() else ())
        if is_left:
            out.rmdir()
        (tmp_path / "away").rename(out)

    thread = threading.Thread(target=disturb)
    thread.start()
    report = run_batch(options(tmp_path, watch=True, settle_s=0.1, idle_s=4.0))
    thread.join()
    assert seen == []
    assert sorted(p.name for p in out.glob("*.tif")) == ["s0.tif", "s1.tif"]
    # the record of the first one may have gone with the drive before it was read
    assert report["done"] + report["skipped"] == 2
    assert any("is away" in note for note in report["notes"])
    assert json.loads((out / "report.json").read_text())["failed"] == 0


def test_a_watch_that_ends_while_its_output_folder_is_away_says_so(tmp_path):
    lay(tmp_path / "in", 1)
    out = tmp_path / "out"

    def take_away():
        until = time.monotonic() + 60
        while not (out / "s0.tif").is_file() and time.monotonic() < until:
            time.sleep(0.02)
        out.rename(tmp_path / "away")

    thread = threading.Thread(target=take_away)
    thread.start()
    with pytest.raises(OutputError, match="is away"):
        run_batch(options(tmp_path, watch=True, settle_s=0.1, idle_s=4.0))
    thread.join()
    assert not out.exists()


def test_what_was_put_into_another_folder_meanwhile_is_not_done(tmp_path, monkeypatch):
    """The drive goes while a stack is fused: what says so is the record, which is not there."""
    lay(tmp_path / "in", 1)
    out = tmp_path / "out"
    real, moved = crews.run_task, []

    def run(task):
        if not moved:
            moved.append(1)
            out.rename(tmp_path / "away")
            done = real(task)
            out.rename(tmp_path / "hidden")
            (tmp_path / "away").rename(out)
            return done
        return real(task)

    monkeypatch.setattr(crews, "run_task", run)
    told = []
    watching = options(tmp_path, watch=True, settle_s=0.1, idle_s=3.0)
    report = run_batch(watching, lambda outcome, *_: told.append(outcome.state))
    assert told == ["failed", "done"]
    assert report["done"] == 1
    assert (out / "s0.tif").is_file()


def test_watching_goes_on_through_random_faults_and_loses_nothing(tmp_path, monkeypatch):
    """The folder goes away again and again, frames cannot be read at times: all is fused."""
    import random

    chance = random.Random(1)
    source = tmp_path / "in"
    lay(source, 1)
    real = run_batch.__globals__["find_jobs"]

    def find(*args, **how):
        if chance.random() < 0.3:
            raise InputError("there is no such batch")
        return real(*args, **how)

    fuse = prepare.__globals__["_check"]

    failed = Counter()

    def check(job):
        # never so often that the pauses between tries outlast the watch
        if failed[job.name] < 2 and chance.random() < 0.5:
            failed[job.name] += 1
            raise OSError(116, "Stale file handle")
        return fuse(job)

    def bring():
        for n in range(1, 6):
            time.sleep(0.2)
            lay(tmp_path / f"later{n}", 1)
            (tmp_path / f"later{n}/s0").rename(source / f"s{n}")

    jobs = find_jobs(source, tmp_path / "out", ending=".tif", template=Job("", (), tmp_path))
    assert len(jobs) == 1
    monkeypatch.setattr("panfocus.batch.work._check", check)
    thread = threading.Thread(target=bring)
    watching = options(tmp_path, watch=True, settle_s=0.05, idle_s=6.0)
    thread.start()
    first = [True]

    def later(*args, **how):
        if first:
            first.clear()
            return real(*args, **how)
        return find(*args, **how)

    monkeypatch.setattr("panfocus.batch.run.find_jobs", later)
    report = run_batch(watching)
    thread.join()
    assert report["failed"] == 0
    assert sorted(p.name for p in (tmp_path / "out").glob("*.tif")) == [
        f"s{n}.tif" for n in range(6)
    ]
    assert not list((tmp_path / "out").glob(".panfocus-*"))


def test_a_half_written_manifest_does_not_end_a_watch(tmp_path, still):
    lay(tmp_path / "in", 1)
    manifest = tmp_path / "m.csv"
    manifest.write_text("name,inputs\na,in/s0\n")
    watching = options(tmp_path, "m.csv", watch=True, settle_s=0.0)

    def find():
        return find_jobs(manifest, tmp_path / "out", ending=".tif", template=watching.template)

    watch = Watch(watching, find)
    manifest.write_text("name,inp")
    assert watch.poll() == []
    assert "columns" in watch.trouble
    manifest.write_text("name,inputs\na,in/s0\nb,in/s0\n")
    watch.poll()
    assert [job.name for job in watch.poll()] == ["a", "b"]


MANIFESTS = {
    "nul": "name,inputs\na\0b,in\n", "input nul": "name,inputs\na,in\0\n",
    "user": "name,inputs\na,~nosuchuser/x\n", "long": "name,inputs\n" + "a" * 300 + ",in\n",
    "dot": "name,inputs\n.,in\n", "line": 'name,inputs\n"a\nb",in\n',
    "maps": "name,inputs,options\na,in,maps=1\n",
    "number": "name,inputs,options\na,in,threads=²\n", "quote": 'name,inputs\n"a,in\n',
    "field": 'name,inputs\n"' + "x" * 200_000 + '",in\n',
    "output": "name,inputs,output\na,in,~nosuchuser/o.tif\n",
}  # fmt: skip


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS)
def test_manifests_that_are_wrong_are_told_in_words(tmp_path, text):
    (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    with pytest.raises((UsageError, InputError)) as caught:
        find_jobs(
            tmp_path / "m.csv", tmp_path / "out", ending=".tif", template=Job("", (), tmp_path)
        )
    assert "literal" not in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_a_manifest_in_other_letters_is_told_in_words(tmp_path):
    (tmp_path / "m.csv").write_bytes("name,inputs\na,in\n".encode("utf-16"))
    with pytest.raises(InputError, match="no text in UTF-8"):
        find_jobs(
            tmp_path / "m.csv", tmp_path / "out", ending=".tif", template=Job("", (), tmp_path)
        )


def test_a_manifest_of_too_many_rows_is_refused_and_others_share_what_they_say(
    tmp_path, monkeypatch
):
    rows = "".join(f"s{n},in,mode=select\n" for n in range(20))
    (tmp_path / "m.csv").write_text("name,inputs,options\n" + rows)

    def find():
        return find_jobs(
            tmp_path / "m.csv", tmp_path / "out", ending=".tif", template=Job("", (), tmp_path)
        )

    jobs = find()
    assert len({id(job.settings) for job in jobs}) == 1
    monkeypatch.setattr("panfocus.batch.manifest._MOST_ROWS", 19)
    with pytest.raises(UsageError, match="more stacks"):
        find()


def test_cells_that_a_spreadsheet_would_run_are_quoted(tmp_path):
    outcomes = [
        StackOutcome(name, "failed", error="-1+1|x") for name in ("=cmd|'/c'!A0", "+1", "@a", "a=b")
    ]
    write_reports(tmp_path, outcomes, {})
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["'=cmd|'/c'!A0", "'+1", "'@a", "a=b"]
    assert all(row["error"].startswith("'-") for row in rows)
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert told["stacks"][0]["name"] == "=cmd|'/c'!A0"


def test_a_scheduler_that_says_nothing_is_not_waited_for(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_ANSWER_S", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"

        class Mute:
            @staticmethod
            def Client(*_, **__):
                time.sleep(30)

        with pytest.raises(UsageError, match="nothing within"):
            cluster.join(Mute, address)


def test_workers_that_do_not_start_are_done_without(monkeypatch):
    pytest.importorskip("distributed")

    class Broken:
        starts = 0

        @classmethod
        def LocalCluster(cls, **_):
            cls.starts += 1
            raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(crews, "has_dask", lambda: True)
    monkeypatch.setattr(crews, "_distributed", lambda: Broken)
    with crews.gather_crew(3, None, 2**30) as crew:
        assert crew.slots == 1
        assert "3 workers did not start" in crew.title
    assert Broken.starts == 2


def test_looking_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    """Of thousands of stacks each look is long, and there is one after every stack fused."""
    clock = [0.0]
    monkeypatch.setattr("panfocus.batch.watch.monotonic", lambda: clock[0])
    looks = []

    def find():
        looks.append(clock[0])
        clock[0] += 3.0
        return []

    watch = Watch(options(tmp_path, watch=True, settle_s=5.0), find)
    while clock[0] < 600:
        watch.poll()
        clock[0] += 0.5
    assert 30 <= len(looks) <= 42
