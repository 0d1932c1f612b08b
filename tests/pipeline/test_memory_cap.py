"""A stack larger than the memory that the process can have, under a cap of the kernel's."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from panfocus.resources.memory import is_capped
from tests.conftest import blurred, psnr, texture

resource = pytest.importorskip("resource")

HEIGHT, WIDTH, COUNT = 1200, 1800, 60


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """60 frames of 16 bit, each sharp in its own strip, 741 MiB together; and the truth."""
    folder = tmp_path_factory.mktemp("large")
    sharp = texture(HEIGHT, WIDTH).astype(np.uint16) * 257
    soft = blurred(sharp)
    edges = np.linspace(0, WIDTH, COUNT + 1).astype(int)
    for n in range(COUNT):
        frame = soft.copy()
        frame[:, edges[n] : edges[n + 1]] = sharp[:, edges[n] : edges[n + 1]]
        tifffile.imwrite(folder / f"{n:02d}.tif", frame, photometric="rgb")
    return folder, sharp


def run(cap, *words):
    """Run the command line with at most `cap` bytes of data."""

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))

    # thread stacks are data too, and say nothing of how frames are held
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "panfocus", "fuse", *map(str, words)]
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env=env, preexec_fn=limit
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts all data against this cap")
def test_a_stack_is_fused_in_less_memory_than_it_has(large, tmp_path):
    folder, sharp = large
    out = tmp_path / "fused.tif"
    words = (folder, "-o", out, "-s", "guided", "--threads", "1", "-q")
    planned = run(2**34, *words, "--dry-run", "--json")
    needed = json.loads(planned.stdout)["memory_bytes"]
    held = COUNT * HEIGHT * WIDTH * 6
    assert needed < 0.6 * held
    done = run(needed, *words)
    assert done.returncode == 0, done.stderr
    assert psnr(tifffile.imread(out), sharp) > 30
    # the cap is real: half of what is needed is not enough
    assert run(needed // 4, *words, "--overwrite").returncode != 0


@pytest.mark.parametrize("limit", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_a_cap_of_the_kernels_is_seen(monkeypatch, limit):
    capped = getattr(resource, limit)
    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: free)
    assert not is_capped()
    monkeypatch.setattr(
        resource, "getrlimit", lambda which: (2**31, 2**31) if which == capped else free
    )
    assert is_capped()
