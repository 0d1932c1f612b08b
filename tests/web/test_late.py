"""What comes late, on a page with a volume: pictures of what has gone, strokes of another place."""

import asyncio
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest
import tifffile

from panfocus.web import mendings
from panfocus.web.events import Hub
from panfocus.web.levels import ScreenLevels
from tests.conftest import focal_stack
from tests.web.conftest import write_frames
from tests.web.test_at_once import stack_of
from tests.web.test_mending import dot, draw
from tests.web.volumes import NAME


@pytest.fixture
def served(cells):
    return cells


@pytest.fixture
def shots(cells):
    return write_frames(cells / "shots", focal_stack(5, 160, 240)[0])


def test_strokes_stay_with_the_place_of_their_result(page, stack):
    """Another place is shown while a save waits."""
    result = page.fuse(stack, align="none")["id"]
    assert draw(page, stack, result, dot(60, 40, {"frame": 2})).status_code == 200
    open_ = stack_of(page, stack)
    fused = open_.result(result)
    page.post(f"{stack}/place", {"p": 0, "t": 0, "c": 1})
    page.idle()
    assert len(mendings.placed(open_, fused)[0, 0, 0]) == 1
    assert len(mendings.carried(open_, fused).drawn) == 1
    told = mendings.facts(open_, fused)
    assert told["key"].endswith(".0.0.0") and len(told["strokes"]) == 1


def test_what_has_gone_is_told_from_what_never_was(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]
    assert page.http.delete(f"{stack}/results/{result}").status_code == 200
    assert page.get(f"{stack}/value/{result}", x=1, y=1).status_code == 410
    assert page.get(f"{stack}/value/r9", x=1, y=1).status_code == 400
    addresses = [f"{stack}/thumbs/0", f"{stack}/tiles/frame-0/0/0_0"]
    assert page.http.delete(stack).status_code == 200
    assert page.get(stack).status_code == 410
    for address in addresses:  # a browser says that an error is one, whoever asked
        answer = page.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert page.get("/api/stacks/nothing/thumbs/0").status_code == 400


def test_no_picture_is_kept_under_the_name_of_another(page, stack):
    """A browser keeps pictures by their addresses, for ever."""
    key = page.get(stack).json()["key"]
    for address in (f"{stack}/thumbs/0", f"{stack}/tiles/frame-0/0/0_0"):
        tail = page.get(stack).json()["levels_key"]
        assert "immutable" in page.get(address, v=f"{key}{tail}").headers["cache-control"]
        other = ScreenLevels(0.0, 0.5).tail
        assert page.get(address, v=f"{key}{other}").headers["cache-control"] == "no-store"
    page.post(f"{stack}/place", {"p": 0, "t": 1, "c": 0})
    page.idle()
    for address in (f"{stack}/thumbs/0", f"{stack}/tiles/frame-0/0/0_0"):
        answer = page.get(address, v=key)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert page.get(f"{stack}/thumbs/99").status_code == 404


def test_levels_that_were_chosen_stay_when_the_draft_comes(page, stack):
    chosen = {"black": 0.0, "white": 0.25, "gamma": 1.0}
    open_ = stack_of(page, stack)
    survey = open_.frames.small

    def small(*given):
        page.post(f"{stack}/levels", chosen)
        return survey(*given)

    open_.frames.small = small
    page.desk.draft(open_)
    page.idle()
    assert page.get(stack).json()["levels"] == chosen


def test_a_page_that_is_slow_is_told_that_it_has_missed_something():
    async def told():
        hub = Hub()
        hub.begin()
        lines = hub.listen()
        await anext(lines)
        for n in range(1000):
            hub.tell("job", n=n)
        await asyncio.sleep(0)
        found = [await anext(lines) for _ in range(hub._pages.copy().pop().qsize())]
        await lines.aclose()
        return found

    found = asyncio.run(told())
    assert any('"missed"' in line for line in found)
    assert '"n": 999' in found[-1] and len(found) <= 256


def test_two_places_are_seen_each_by_its_own_frames(page, stack, cells):
    """Whatever is asked for while the place changes, no picture is kept as that of another."""
    open_ = stack_of(page, stack)
    volume = tifffile.imread(cells / NAME)
    stop = Event()

    def look():
        while not stop.is_set():
            page.desk.pyramids.level(open_.frame_picture(1, None), 0)

    thread = Thread(target=look)
    thread.start()
    try:
        for n in range(20):
            open_.go_to((0, n % 2, 0))
    finally:
        stop.set()
        thread.join(60)
    for t in (0, 1):
        open_.go_to((0, t, 0))
        picture = replace(open_.frame_picture(1, None), levels=ScreenLevels())
        shown = page.desk.pyramids.level(picture, 0)
        expected = np.asarray(volume[t, 0, 1] >> 4, float)
        assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.99
