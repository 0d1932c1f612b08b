"""Names of bytes that are no letters, and of signs that mean something elsewhere, at every door."""

import io
import os
import shutil
import sys

import cv2
import numpy as np
import pytest

from panfocus.cli import main
from tests.conftest import focal_pair

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are text there")

ODD = (os.fsdecode(b"\xff\xfe"), "a\nb", "$x_{$")


def lay(folder, name="{}", side=64):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n, frame in enumerate(focal_pair(side, side, seed=3)[0]):
        paths.append(folder / (name.format(n) + ".png"))
        paths[-1].write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    return [str(path) for path in paths]


def fuse(frames, out, *more):
    return main(["fuse", *frames, "-o", str(out), "--system", "guided", *map(str, more)])


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """Take what is said as text: a process of its own writes what an encoding lacks as \\uXXXX."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


@pytest.fixture(params=ODD, ids=["bytes", "line", "formula"])
def odd(request):
    return request.param


@pytest.mark.parametrize("option", ["--layers", "--mesh", "--save-transforms", "--animation"])
@pytest.mark.parametrize("ending", [".psd", ".obj", ".json", ".gif"])
def test_odd_frames_and_outputs(tmp_path, odd, option, ending):
    wanted = {"--layers": ".psd", "--mesh": ".obj", "--save-transforms": ".json"}
    if wanted.get(option, ".gif") != ending:
        return
    frames = lay(tmp_path, odd.replace("{", "{{") + "{}")
    made = tmp_path / f"{odd}{ending}"
    assert fuse(frames, tmp_path / f"{odd}.tif", option, made) == 0
    assert made.is_file()


def test_a_project_of_odd_frames_is_read_back(tmp_path, odd):
    frames = lay(tmp_path, odd.replace("{", "{{") + "{}")
    project = tmp_path / f"{odd}.panfocus.json"
    assert fuse(frames, tmp_path / "one.tif", "--save-project", project) == 0
    again = ["fuse", "--project", str(project), "-o", str(tmp_path / "two.tif")]
    assert main(again) == 0
    one, two = (cv2.imread(str(tmp_path / f"{n}.tif"), -1) for n in ("one", "two"))
    np.testing.assert_array_equal(one, two)


def test_an_evaluation_of_odd_pictures_goes_on_where_it_ended(tmp_path, odd):
    for letter, path in zip("AB", lay(tmp_path / "in", side=96), strict=True):
        (tmp_path / "data" / letter).mkdir(parents=True)
        shutil.copy(path, tmp_path / "data" / letter / f"{odd}.png")
    words = ["evaluate", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    words += ["--systems", "guided", "--metrics", "Q_G"]
    assert main(words) == 0
    before = (tmp_path / "out/scores.csv").read_bytes()
    assert main(words) == 0
    assert (tmp_path / "out/scores.csv").read_bytes() == before


def test_made_scenes_of_odd_pictures(tmp_path, odd):
    picture = lay(tmp_path, odd.replace("{", "{{") + "{}")[0]
    words = ["synthesize", picture, "--out", str(tmp_path / "out"), "--kind", "layers"]
    assert main([*words, "--seed", "1"]) == 0


def test_an_odd_plugin(tmp_path, odd):
    plugin = tmp_path / f"{odd}.py"
    plugin.write_text("MADE = 1\n")
    assert fuse(lay(tmp_path), tmp_path / "o.tif", "--plugin", plugin) == 0


def test_an_odd_stack_goes_to_a_worker(tmp_path, odd):
    pytest.importorskip("distributed")
    lay(tmp_path / "in" / odd)
    words = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--workers", "1"]
    assert main([*words, "--system", "guided"]) == 0
    assert (tmp_path / "out" / f"{odd}.tif").is_file()


def test_a_stray_file_in_a_zarr_is_hashed_by_its_bytes(tmp_path):
    from panfocus.io.digest import digest_of

    (tmp_path / ODD[0]).write_bytes(b"1")
    first = digest_of(tmp_path)
    (tmp_path / ODD[0]).rename(tmp_path / os.fsdecode(b"\xff\xfd"))
    assert digest_of(tmp_path) != first
