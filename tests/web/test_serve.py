"""`panfocus view` from the command line: what it prints, warns of, refuses, and needs."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
import uvicorn

from panfocus.cli import main
from panfocus.errors import UsageError
from panfocus.web import serve
from panfocus.web.serve import View, is_loopback, listen, places_of
from tests.web.browser import viewing


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    """In a process of its own: of a module that is imported again, others know the first alone."""
    code = (
        "import sys; sys.modules['uvicorn'] = None; from panfocus.cli import main; "
        "sys.exit(main(['view', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "pip install 'panfocus[web]'" in ran.stderr


def test_the_command_line_starts_without_the_page():
    code = "import sys; from panfocus.cli.app import app; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("panfocus.web", "starlette", "uvicorn", "asyncio", "cv2", "numpy")
    assert [m for m in said.stdout.split() if m.startswith(heavy)] == []


def test_an_address_and_a_tunnel_are_printed(shots):
    with viewing(shots) as address:
        assert "/?token=" in address
        port = int(address.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            pass
        for host in _others():
            with pytest.raises(OSError), socket.create_connection((host, port), timeout=1):
                pass


def _others():
    """Return this machine's addresses that others can reach."""
    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    return [address for address in found if not address.startswith("127.")]


def test_another_host_is_warned_of(capsys, shots):
    from panfocus.web.serve import _say

    _say("http://lab:8123/?token=x", View([shots], host="0.0.0.0"), 8123)
    said = capsys.readouterr()
    assert said.out.strip() == "http://lab:8123/?token=x"
    assert "Warning: 0.0.0.0 can be reached from other machines" in said.err
    assert "ssh -L 8123:127.0.0.1:8123" in said.err
    assert "?token=x" in said.err
    _say("http://127.0.0.1:8123/?token=x", View([shots]), 8123)
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("lab", False)],
)
def test_which_addresses_are_of_this_machine_alone(host, own):
    assert is_loopback(host) == own


def test_a_port_that_is_taken_is_refused(shots):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", str(shots), "--port", str(port), "--no-open"]) == 2


def test_an_input_that_is_not_there_is_refused(tmp_path):
    assert main(["view", str(tmp_path / "nothing"), "--no-open"]) == 2


def test_files_grant_their_folder(shots):
    places = places_of([shots / "f0.png"])
    assert places.given == [shots.resolve()]
    assert places_of([]).given


def test_a_free_port_is_found():
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_interrupting_it_is_how_it_ends(shots, name):
    command = [sys.executable, "-m", "panfocus", "view", str(shots), "--no-open"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        server.stdout.readline()
        time.sleep(0.5)  # so that it serves
        server.send_signal(getattr(signal, name))
        _, said = server.communicate(timeout=120)
    finally:
        server.kill()
    assert server.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["\ud800", "x" * 300, "a\0b", "a..b", " "])
def test_what_is_no_name_of_a_host_is_told(host):
    with pytest.raises(UsageError, match="cannot be served"):
        listen(host, 0)


@pytest.mark.parametrize("when", ["before", "while it starts"])
def test_a_signal_before_it_serves_leaves_nothing(shots, tmp_path, monkeypatch, when):
    """The folder for what is made is there before the server is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()

    def say(*_):
        assert list((tmp_path / "work").iterdir())
        if when == "before":
            raise SystemExit(130)

    async def startup(self, sockets=None):
        await self.lifespan.startup()
        self.should_exit = True  # as the signal does

    monkeypatch.setattr(serve, "_say", say)
    monkeypatch.setattr(uvicorn.Server, "startup", startup)
    view = View([shots], opens=False)
    if when == "before":
        with pytest.raises(SystemExit):
            serve.run(view)
    else:
        serve.run(view)
    assert list((tmp_path / "work").iterdir()) == []
