"""Requests that break off, or are none: nothing is printed of what they break, and it lives on."""

import os
import re
import socket
import subprocess
import sys

import pytest

pytest.importorskip("starlette")


def _ask(port, data, seconds=0.3):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.settimeout(seconds)
        found = b""
        try:
            line.sendall(data)
            while not found.endswith(b"}") and (piece := line.recv(65536)):
                found += piece
        except OSError:  # it hung up, or says no more
            pass
        return found


def test_what_breaks_off_leaves_no_trace(shots, tmp_path):
    command = [sys.executable, "-m", "panfocus", "view", str(shots), "--no-open", "--keep"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["TMPDIR"] = str(tmp_path)
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        address = server.stdout.readline().strip()
        port, token = re.search(r":(\d+)/\?token=(\S+)", address).groups()
        host = f"Host: 127.0.0.1:{port}\r\n"
        entered = _ask(port, f"GET /?token={token} HTTP/1.1\r\n{host}\r\n".encode(), 5)
        cookie = re.search(rb"set-cookie: ([^;]+)", entered, re.I)[1].decode()
        known = f"{host}Cookie: {cookie}\r\nOrigin: http://127.0.0.1:{port}\r\n"

        def ask(line, more="", body=b"", seconds=0.3):
            head = f"{line} HTTP/1.1\r\n{known}{more}\r\n"
            return _ask(port, head.encode("latin-1") + body, seconds)

        drop = re.search(rb'"id": ?"(\w+)"', ask("POST /api/uploads", seconds=30))[1].decode()
        for n in range(3):
            ask("POST /api/stacks", "Content-Length: 100\r\n", b"{")
            ask("POST /api/stacks", "Transfer-Encoding: chunked\r\n", b"zz\r\n")
            ask(f"PUT /api/uploads/{drop}/{n}.png", "Content-Length: 9999\r\n", b"x" * 50)
            ask("GET /api/events", seconds=0.01)
            ask("GET /", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
            _ask(port, b"\x16\x03\x01\x02\x00")
        assert b"200 OK" in ask("GET /api/state", seconds=60)
        left = [path.name for path in tmp_path.rglob("*.png") if shots not in path.parents]
    finally:
        server.terminate()
        _, said = server.communicate(timeout=120)
    assert left == []
    assert server.returncode == 0
    assert "Traceback" not in said
    assert "Exception" not in said
    assert "WARNING" not in said
