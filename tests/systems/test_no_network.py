"""Nothing is told to anybody: the runtime of networks keeps to itself, whatever its makers set."""

import os
import subprocess
import sys

import cv2
import pytest

from tests.conftest import focal_pair

#: What the runtime heeds; a machine that tests has some of them set.
SILENCERS = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED", "ORT_RUNNING_UNIT_TESTS", "CI",
             "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "BUILD_ID")  # fmt: skip


@pytest.mark.parametrize("what", ["fuse", "devices"])
def test_a_network_that_runs_leaves_no_trace_of_its_runtime(tmp_path, what):
    """Where it tells of itself, it keeps a number of the machine, and a file of its session."""
    for n, frame in enumerate(focal_pair(64, 64)[0]):
        cv2.imwrite(str(tmp_path / f"{n}.png"), frame)
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    for folder in (home, temporary):
        folder.mkdir()
    words = {"fuse": ["fuse", "0.png", "1.png", "-o", "out.png"], "devices": ["devices"]}[what]
    plain = {name: value for name, value in os.environ.items() if name not in SILENCERS}
    asked = {**plain, "HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home)}
    command = [sys.executable, "-m", "panfocus", *words]
    ran = subprocess.run(
        command, check=False, cwd=tmp_path, env=asked, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert list(temporary.rglob("*")) == []
    assert list(home.rglob("*")) == []
