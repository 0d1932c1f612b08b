"""Each position of a volume into files of its own."""

import json

import numpy as np
import pytest
import tifffile

from panfocus import fuse_volume
from panfocus.cli import main
from tests.conftest import focal_stack

FRAMES = focal_stack(3, 48, 64)[0].astype(np.uint16) * 9


@pytest.fixture
def plate(tmp_path):
    def write(*names):
        path = tmp_path / "plate.ome.tif"
        with tifffile.TiffWriter(path, ome=True) as file:
            for n, name in enumerate(names):
                about = {"axes": "ZYX", "Name": name}
                file.write(FRAMES[..., n % 3] + n, photometric="minisblack", metadata=about)
        return path

    return write


def fuse(path, out, *words):
    return main(["fuse", str(path), "-s", "guided", "-q", "-o", str(out), *words])


def test_each_has_a_picture_and_maps(plate, tmp_path):
    path = plate("A/1", "B 2", "C3")
    out = tmp_path / "f_{position}.ome.tif"
    assert fuse(path, out, "--depth-map", "--mesh", str(tmp_path / "m_{position}.ply")) == 0
    names = {p.name for p in tmp_path.iterdir()} - {path.name}
    assert names == {
        name for n in ("A_1", "B_2", "C3")
        for name in (f"f_{n}.ome.tif", f"f_{n}_depth.ome.tif", f"m_{n}.ply")
    }  # fmt: skip
    fused = fuse_volume(path, system="guided")
    for one, name in zip(fused.positions, ("A_1", "B_2", "C3"), strict=True):
        written = tifffile.imread(tmp_path / f"f_{name}.ome.tif")
        np.testing.assert_array_equal(written, one.image[0, 0])


def test_names_that_are_alike_get_their_numbers(plate, tmp_path):
    assert fuse(plate("a", "A", "b"), tmp_path / "f_{position}.png", "--only", "P=0-1,Z=0-1") == 0
    assert {p.name for p in tmp_path.glob("*.png")} == {"f_0_a.png", "f_1_A.png"}


def test_a_file_for_all_is_refused_before_any_work(plate, tmp_path, capsys):
    path = plate("a", "b")
    out = tmp_path / "f_{position}.ome.tif"
    for words in (["--depth-map", str(tmp_path / "d.ome.tif")], ["--json"]):
        assert fuse(path, out, *words) == 2
        assert "{position}" in capsys.readouterr().err
    (tmp_path / "f_b.ome.tif").write_bytes(b"mine")
    assert fuse(path, out) == 1
    assert not (tmp_path / "f_a.ome.tif").exists()


def test_a_dry_run_lists_them(plate, tmp_path, capsys):
    out = tmp_path / "f_{position}.ome.tif"
    assert fuse(plate("a", "b"), out, "--dry-run") == 0
    told = capsys.readouterr().out
    assert "f_a.ome.tif" in told
    assert "f_b.ome.tif" in told
    assert fuse(plate("a"), out, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == [str(tmp_path / "f_a.ome.tif")]
