"""A screen for programs that need one: a virtual display of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


@pytest.fixture
def screen():
    """The environment of a program on a virtual display that nobody else draws on.

    The server picks its number itself: `xvfb-run -a` looks for a free one and then takes it, and
    two that look at once take the same.
    """
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    end, write = os.pipe()
    words = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, pass_fds=(write,), **quiet) as server:
        os.close(write)
        try:
            with os.fdopen(end) as told:
                number = told.readline().strip()
            assert number, "Xvfb did not start"
            yield {**os.environ, "DISPLAY": f":{number}"}
        finally:
            server.terminate()
