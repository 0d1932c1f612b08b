"""The script that programs call with what they have exported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile

from tests.conftest import focal_stack, psnr

SCRIPT = Path(__file__).parents[2] / "integrations/export/fuse_exported.sh"
PANFOCUS = Path(sys.executable).with_name("panfocus")

pytestmark = pytest.mark.skipif(
    not (shutil.which("sh") and PANFOCUS.exists()), reason="needs a shell and the program"
)


def call(*files):
    environ = {**os.environ, "PANFOCUS": str(PANFOCUS), "PANFOCUS_OPTIONS": "-s guided -q"}
    words = ["sh", str(SCRIPT), *map(str, files)]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)


def test_frames_are_fused_beside_the_first(tmp_path):
    frames, sharp = focal_stack(3)
    paths = [tmp_path / f"-it's {n}.tif" for n in range(3)]
    for path, frame in zip(paths, frames, strict=True):
        tifffile.imwrite(path, frame, photometric="rgb")
    for name in ("-it's 0_fused.tif", "-it's 0_fused_2.tif"):
        done = call(*paths)
        assert (done.returncode, done.stderr) == (0, "")
        assert psnr(tifffile.imread(tmp_path / name), sharp) > 30


def test_one_frame_is_no_stack(tmp_path):
    done = call(tmp_path / "a.tif")
    assert done.returncode == 2
    assert "two at least" in done.stderr
