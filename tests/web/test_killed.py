"""A server that is killed while it saves: what was there stays whole, and nothing is lost."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from panfocus.pipeline.project import Project
from tests.conftest import texture
from tests.web.conftest import serving, write_frames
from tests.web.test_mending import dot


class Killable:
    """`panfocus view` in a process of its own, asked by plain HTTP."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "panfocus", "view", str(folder), "--no-open", "--keep"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        address = self.process.stdout.readline().strip()
        self.port = int(address.split(":")[2].split("/")[0])
        self.cookie = ""
        headers, _ = self._send("GET", address[address.index("/?") :])[1:]
        self.cookie = headers["set-cookie"].partition(";")[0]

    def _send(self, method, path, body=None):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"cookie": self.cookie, "origin": f"http://127.0.0.1:{self.port}"}
        try:
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    def ask(self, method, path, body=None):
        status, _, text = self._send(method, path, body)
        assert status == 200, text
        return json.loads(text)

    def idle(self):
        end = time.monotonic() + 120
        while not (facts := self.ask("GET", "/api/state"))["stacks"] or facts["jobs"]:
            assert time.monotonic() < end
            time.sleep(0.02)
        return f"/api/stacks/{facts['stacks'][0]['id']}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def large(tmp_path):
    """Frames that take a while to be written."""
    frames = [texture(900, 1300, n) for n in range(2)]
    return write_frames(
        tmp_path / "wasp", [np.dstack([f] * 3) if f.ndim == 2 else f for f in frames]
    )


def test_a_killed_server_leaves_the_old_file_or_the_new_one(large):
    body = {"folder": str(large), "name": "out.png", "project": True, "overwrite": True}
    server = Killable(large)
    try:
        stack = server.idle()
        fused = {"system": "guided", "align": "none", "exposure": "none"}
        server.ask("POST", f"{stack}/fuse", {"options": fused})
        server.idle()
        body["result"] = server.ask("GET", stack)["results"][-1]["id"]
        server.ask(
            "POST",
            f"{stack}/strokes",
            {"result": body["result"], "stroke": dot(400, 300, {"frame": 1})},
        )
        server.ask("POST", f"{stack}/save", body)
        server.idle()
        before = (large / "out.png").read_bytes()
        server.ask(
            "POST",
            f"{stack}/strokes",
            {"result": body["result"], "stroke": dot(800, 500, {"frame": 0})},
        )
        unsaved = large / ".wasp.unsaved.panfocus.json"
        end = time.monotonic() + 60
        while not unsaved.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        server.ask("POST", f"{stack}/save", body)
        # as soon as a byte of the new file is on the disk
        while not _begun(large) and (large / "out.png").read_bytes() == before:
            assert time.monotonic() < end
    finally:
        server.kill()
    with Image.open(large / "out.png") as picture:
        assert np.asarray(picture).shape == (900, 1300, 3)  # whole
    project = Project.read(large / "out.panfocus.json")
    assert len(project.strokes) in (1, 2)
    if len(project.strokes) == 2:
        return  # it was quicker than the signal
    # the stroke that was not saved is offered
    with serving(large) as page:
        stack = page.open(large / "out.panfocus.json")
        page.idle()
        assert page.get(stack).json()["strokes"] == 1
    with serving(large) as page:
        stack = page.open(large)
        page.idle()
        assert page.get(f"{stack}/strokes").json()["unsaved"] == {"strokes": 2}
        assert page.post(f"{stack}/restore", {"take": True}).status_code == 200
        page.idle()
        assert page.get(stack).json()["strokes"] == 2


def _begun(folder):
    return any(p.stat().st_size for p in folder.glob(".panfocus-*") if p.is_file())
