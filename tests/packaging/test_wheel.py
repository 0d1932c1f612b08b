"""What is handed out: built, read by a registry's rules, installed where nothing else is, used.

`make wheel` runs this; it needs a registry of packages.
"""

import os
import subprocess
import sys
import zipfile
from email.parser import BytesParser
from pathlib import Path

import cv2
import pytest

from tests.conftest import focal_pair, psnr

pytestmark = pytest.mark.wheel
ROOT = Path(__file__).parents[2]
#: Words by which pip says that it has reached no registry.
UNREACHED = ("No matching distribution found", "NewConnectionError", "Temporary failure in name")
USE = """\
import importlib.util, sys
import cv2, panfocus

assert importlib.util.find_spec("torch") is None
frames = [cv2.imread(name)[..., ::-1] for name in ("0.png", "1.png")]
fusion = panfocus.fuse(frames)
assert fusion.report.system["name"] == panfocus.Options().system
fusion.save("by_python.png", maps=["depth"])
print(panfocus.__file__)
"""


def run(*words, **options):
    """Run a program; where a registry is needed and there is none, skip, but not in CI."""
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, **options
    )
    said = done.stdout + done.stderr
    if done.returncode and any(word in said for word in UNREACHED) and "CI" not in os.environ:
        pytest.skip("no registry of packages can be reached")
    assert done.returncode == 0, said
    return done.stdout


@pytest.fixture(scope="module")
def dist():
    """Return sdist and wheel, which is built from the sdist as by whoever installs that."""
    out = ROOT / "dist"
    for old in out.glob("panfocus-*"):
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


def test_a_registry_takes_them(dist):
    said = run(sys.executable, "-m", "twine", "check", "--strict", *dist)
    assert said.count("PASSED") == 2


def test_the_wheel_holds_what_it_must(dist):
    with zipfile.ZipFile(dist[1]) as wheel:
        names = set(wheel.namelist())
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = BytesParser().parsebytes(wheel.read(about))
    assert {"panfocus/py.typed", "panfocus/__init__.pyi"} <= names
    assert any(name.startswith("panfocus/systems/bundled/dualpath-") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("panfocus/", "panfocus-")) for name in names)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    core = [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r]
    assert not any(r.startswith(("torch", "onnxscript", "scipy", "scikit-image")) for r in core)


def test_it_works_where_nothing_else_is(dist, tmp_path):
    place = tmp_path / "venv"
    run(sys.executable, "-m", "venv", place)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", dist[1])
    frames, sharp = focal_pair()
    for n, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{n}.png"), frame[..., ::-1])
    alone = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = python.with_name("panfocus")
    run(command, "fuse", "0.png", "1.png", "-o", "by_shell.png", cwd=tmp_path, env=alone)
    where = run(python, "-c", USE, cwd=tmp_path, env=alone)
    assert str(place) in where
    for name in ("by_shell.png", "by_python.png"):
        assert psnr(cv2.imread(str(tmp_path / name))[..., ::-1], sharp) > 30
    assert (tmp_path / "by_python_depth.tif").is_file()
