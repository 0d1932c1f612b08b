"""What happens at the same time: pages that open alike, work on what is closed, broken uploads."""

import asyncio
import time
from dataclasses import replace
from threading import Barrier, Event, Thread

import pytest

from panfocus.errors import UsageError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.options import Options
from panfocus.web import desk as desks
from panfocus.web import fusing
from panfocus.web.events import Hub
from panfocus.web.frames import VolumeFile
from panfocus.web.gone import GoneError
from panfocus.web.jobs import Jobs, PageJob
from panfocus.web.places import Places
from panfocus.web.spot import Spot
from panfocus.web.uploads import Uploads
from tests.web.volumes import NAME


def stack_of(page, address):
    return page.desk.stack(address.rpartition("/")[2])


def at_once(count, act):
    """Do something in threads that begin together; return what they return."""
    begin, out = Barrier(count), []

    def run():
        begin.wait(30)
        out.append(act())

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return out


def test_pages_that_open_a_folder_at_once_have_one_stack(page, shots, monkeypatch):
    slowly = desks.open_stack

    def open_stack(*given):
        time.sleep(0.2)
        return slowly(*given)

    monkeypatch.setattr(desks, "open_stack", open_stack)
    found = at_once(4, lambda: page.desk.open([shots]))
    assert len({stack.id for stack in found}) == 1 and len(found) == 4
    assert len(page.get("/api/state").json()["stacks"]) == 1


def test_what_could_not_be_opened_can_be_tried_again(page, shots, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(desks, "open_stack", lambda *_: (_ for _ in ()).throw(UsageError("no")))
        with pytest.raises(UsageError):
            page.desk.open([shots])
    assert page.desk.open([shots]) is page.desk.open([shots])


def test_a_stack_is_closed_once_its_work_has_ended(page, shots):
    stack = stack_of(page, page.open(shots))
    page.idle()
    begun, go = Event(), Event()
    stack.work.mkdir(exist_ok=True)

    def work(job):
        begun.set()
        go.wait(30)
        assert job.stop.is_set()
        assert stack.work.is_dir()  # what it writes has somewhere to go

    page.desk.jobs.start(PageJob("fuse", stack.id, "slow"), work)
    begun.wait(30)
    page.desk.close_stack(stack.id)
    assert stack.work.is_dir()
    go.set()
    page.idle()
    end = time.monotonic() + 30
    while stack.work.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not stack.work.exists()


def test_nothing_begins_for_a_stack_that_is_closed():
    jobs, done = Jobs(Hub()), []
    jobs.end("stack", lambda: done.append("closed"))
    late = jobs.start(PageJob("fuse", "stack", "late"), lambda _: done.append("worked"))
    jobs.close()
    assert done == ["closed"]
    assert late.state == "cancelled"


def test_what_waits_when_all_ends_is_closed_too():
    jobs, done, go = Jobs(Hub()), [], Event()
    jobs.start(PageJob("fuse", "one", "slow"), lambda _: go.wait(30))
    jobs.start(PageJob("fuse", "two", "waits"), lambda _: done.append("worked"))
    jobs.end("two", lambda: done.append("closed"))
    assert done == []
    go.set()
    jobs.close()
    assert done == ["closed"]


def test_strokes_of_two_stacks_are_both_written_down():
    jobs, done, go = Jobs(Hub()), [], Event()
    jobs.aside("one", lambda: go.wait(30))
    time.sleep(0.05)  # it has begun
    for name in ("one", "two"):
        jobs.aside(name, lambda: done.append("too early"))
        jobs.aside(name, lambda name=name: done.append(name))
    go.set()
    jobs.close()
    assert done == ["one", "two"]


def test_places_of_a_volume_read_its_file_in_turn(cells):
    volume = VolumeFile.open(cells / NAME, VolumeReading())
    reading, overlaps = [], []
    position = volume.volume.positions[0]
    read = position.read.__closure__  # of the reader below the turns
    inner = next(c.cell_contents for c in read if hasattr(c.cell_contents, "depths"))

    def watched(t, c, z):
        overlaps.append(bool(reading))
        reading.append(z)
        time.sleep(0.005)
        reading.pop()
        return inner.read(t, c, z)

    turns = next(c.cell_contents for c in read if hasattr(c.cell_contents, "close"))
    shared = turns.position(replace(inner, read=watched))
    at_once(3, lambda: [shared.read(0, 0, z) for z in range(4)])
    assert len(overlaps) == 12 and not any(overlaps)
    volume.close()
    volume.close()
    with pytest.raises(GoneError):
        position.read(0, 0, 0)


def test_facts_are_of_one_moment(page, shots):
    """Frames of another place are others, and more or fewer."""
    stack = stack_of(page, page.open(shots))
    page.idle()
    told = []
    thread = Thread(target=lambda: told.append(stack.facts()))
    whole = stack.frames
    with stack.lock:
        stack.used, stack.results = [True] * 2, {}
        thread.start()
        time.sleep(0.1)
        stack.frames = replace(whole, infos=whole.infos[:2])
    thread.join(30)
    assert told and told[0]["count"] == len(told[0]["frames"]) == 2


def test_frames_that_are_switched_at_once_are_all_switched(page, shots):
    stack = page.open(shots)
    page.idle()
    for number in (0, 3):
        assert page.post(f"{stack}/frames", {"number": number, "used": False}).status_code == 200
    assert [f["used"] for f in page.get(stack).json()["frames"]] == [False, True, True, False, True]
    assert page.post(f"{stack}/frames", {"number": 5, "used": False}).status_code == 400


def test_what_is_fused_is_what_was_asked_for(page, shots):
    stack = stack_of(page, page.open(shots))
    page.idle()
    spot = Spot.of(stack)
    stack.switch_one(1, used=False)  # between the question and its plan
    planned = fusing.check(stack, Options(system="guided"), spot)
    assert [info.name for info in planned.infos] == list(stack.frames.names)


def test_an_upload_that_breaks_off_takes_no_room(tmp_path):
    places = Places([tmp_path])
    uploads = Uploads(places, most_together=1000, most_files=1)
    drop = uploads.begin()

    async def broken():
        yield b"x" * 600
        raise ConnectionError

    async def whole():
        yield b"x" * 900

    for _ in range(3):
        with pytest.raises(ConnectionError):
            asyncio.run(uploads.take(drop, "a.png", broken()))
    assert asyncio.run(uploads.take(drop, "a.png", whole())).stat().st_size == 900
    places.close()
