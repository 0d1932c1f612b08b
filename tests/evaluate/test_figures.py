"""Figures are drawn whatever windows somebody's notebook or shell asks Matplotlib for."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("matplotlib")
CODE = "from panfocus.evaluate.figures import new_figure; import os; new_figure(2, 2); " + (
    "print(os.environ['MPLBACKEND'])"
)


@pytest.mark.parametrize("backend", ["nonsense", "TkAgg", "module://somebody.s.backend"])
def test_no_window_is_asked_for(backend):
    environment = {**os.environ, "MPLBACKEND": backend}
    command = [sys.executable, "-c", CODE]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == backend  # which stays as it was
