"""Dask that cannot be started as it is configured."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("distributed")


def test_it_is_told_what_keeps_it_from_starting(tmp_path):
    (tmp_path / "in/a").mkdir(parents=True)
    environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "nonsense"}
    command = [sys.executable, "-m", "panfocus", "batch", "in", "out", "--workers", "2"]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "the configuration of Dask keeps it from starting" in ran.stderr
    assert "--workers 0" in ran.stderr
    assert "unexpected" not in ran.stderr
