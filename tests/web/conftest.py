"""A server in the test's own process, and a page of it by Starlette's client."""

import time
from contextlib import contextmanager

import pytest

pytest.importorskip("starlette", reason="the page needs the extra web")

import numpy as np
from PIL import Image

from tests.conftest import focal_stack
from tests.web.volumes import NAME, write_cells

PORT = 8123
HOME = f"http://127.0.0.1:{PORT}"
#: Where planted frames go wrong.
SPOT = (slice(60, 110), slice(90, 140))


def write_frames(folder, frames, ending="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"f{n}.{ending}")
    return folder


def planted(count=5, height=160, width=240):
    """Frames of which the last shows a pattern where another is right; and the truth."""
    frames, sharp = focal_stack(count, height, width)
    frames = frames.copy()
    yy, xx = np.mgrid[0:height, 0:width]
    checks = (((yy // 2 + xx // 2) % 2) * 255).astype(np.uint8)
    inner = (slice(70, 100), slice(100, 130))
    frames[-1][inner] = checks[inner][..., None]
    return frames, sharp


class Client:
    """A page: what it asks, and waiting for what it began."""

    def __init__(self, http, desk):
        self.http = http
        self.desk = desk

    def get(self, address, **query):
        return self.http.get(address, params=query)

    def post(self, path, body=None):
        return self.http.post(path, json=body or {})

    def open(self, *paths):
        answer = self.post("/api/stacks", {"paths": [str(p) for p in paths]})
        assert answer.status_code == 200, answer.text
        return f"/api/stacks/{answer.json()['id']}"

    def idle(self, seconds=60):
        """Wait until nothing is being done, and what was drawn is kept."""
        end = time.monotonic() + seconds
        while self.get("/api/state").json()["jobs"]:
            assert time.monotonic() < end, "the work does not end"
            time.sleep(0.02)
        # strokes are written beside the frames by no job, and pages never wait for it
        self.desk.jobs._aside.submit(lambda: None).result(seconds)

    def fuse(self, stack, **options):
        answer = self.post(f"{stack}/fuse", {"options": {"system": "guided", **options}})
        assert answer.status_code == 200, answer.text
        self.idle()
        return self.get(stack).json()["results"][-1]


@contextmanager
def serving(*folders, places=None):
    """Yield a client that has come in by the token."""
    from starlette.testclient import TestClient

    from panfocus.web.app import make_app
    from panfocus.web.desk import Desk
    from panfocus.web.events import Hub
    from panfocus.web.places import Places
    from panfocus.web.safety import Doors

    doors = Doors(PORT)
    desk = Desk(places or Places(folders), Hub(), budget=64 * 2**20)
    headers = {"origin": HOME}
    with TestClient(make_app(desk, doors), base_url=HOME, headers=headers) as http:
        client = Client(http, desk)
        client.doors = doors
        assert http.get(f"/?token={doors.token()}").status_code == 200
        yield client


@pytest.fixture(scope="module")
def browser():
    """A real Chromium; what asks for it is skipped where there is none."""
    from tests.web.browser import browsing

    with browsing() as found:
        yield found


@pytest.fixture
def shots(tmp_path):
    """A folder of five frames."""
    return write_frames(tmp_path / "shots", focal_stack(5, 160, 240)[0])


@pytest.fixture
def served(shots):
    """The folder that `page` shows; a module of its own may name another."""
    return shots


@pytest.fixture
def page(served):
    with serving(served) as client:
        yield client


@pytest.fixture
def spoilt(tmp_path):
    frames, sharp = planted()
    return write_frames(tmp_path / "wasp", frames), sharp


@pytest.fixture
def cells(tmp_path):
    """A folder with a volume."""
    return write_cells(tmp_path)


@pytest.fixture
def stack(page, cells):
    """The address of the volume, open; for modules that serve its folder."""
    found = page.open(cells / NAME)
    page.idle()
    return found
