"""Memory that arrays give back is kept for the next ones."""

import os
import subprocess
import sys

import pytest

#: Two arrays of 4 MiB at a time, a hundred times; prints how often a page was fresh.
_WORK = """
import resource, sys
import numpy as np
from panfocus.resources.heap import keep_memory
if sys.argv[1] == "kept":
    keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    first = np.ones(2**20, np.float32)
    second = first + 1
    del first, second
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _fresh(how: str) -> int:
    env = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    words = [sys.executable, "-c", _WORK, how]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_pages_are_touched_once():
    assert _fresh("kept") < 4 * 1024
    assert _fresh("given back") > 10 * 1024
