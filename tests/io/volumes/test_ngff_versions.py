"""OME-Zarr 0.4 and 0.5 out: what is in them, and what else is refused."""

import json

import numpy as np
import pytest
import tifffile

from panfocus import UsageError, fuse_volume
from panfocus.cli import main
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.io.volumes.open import open_volume
from tests.conftest import focal_stack

pytest.importorskip("zarr")
VERSIONS = ["0.4", "0.5"]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    path = tmp_path_factory.mktemp("cells") / "cells.ome.tif"
    frames = focal_stack(3, 64, 80)[0].astype(np.uint16) * 9
    stack = np.stack([frames[..., :2].transpose(3, 0, 1, 2), frames[..., 1:].transpose(3, 0, 1, 2)])
    with tifffile.TiffWriter(path, ome=True) as file:
        for n in range(2):
            about = {"Name": f"field {n}", "PhysicalSizeX": 0.2, "PhysicalSizeZ": 1.5}
            about["Channel"] = {"Name": ["DAPI", "GFP"]}
            file.write(stack + n, photometric="minisblack", metadata={"axes": "TCZYX", **about})
    return path


def fused(cells, out, *words):
    return main(["fuse", str(cells), "-s", "guided", "-q", "-o", str(out), *words])


@pytest.mark.parametrize("version", VERSIONS)
def test_both_hold_the_same(cells, tmp_path, version):
    out = tmp_path / "f.ome.zarr"
    assert fused(cells, out, "--ome-zarr", version, "--depth-map") == 0
    result = fuse_volume(cells, system="guided")
    volume = open_volume(out)
    assert [p.name for p in volume.positions] == ["field 0", "field 1"]
    for position, whole in zip(volume.positions, result.positions, strict=True):
        assert [c.name for c in position.channels] == ["DAPI", "GFP"]
        assert position.voxel_um == (1.5, None, 0.2)
        np.testing.assert_array_equal(position.read(1, 0, 0), whole.image[1, 0])
    depth = open_volume(tmp_path / "f_depth.ome.zarr").positions[1].read(0, 1, 0)
    np.testing.assert_array_equal(depth, result.positions[1].depth[0, 1])
    assert is_made_by_panfocus(out)
    assert (out / "zarr.json").exists() == (version == "0.5")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("positions", ["0", "0-1"])
def test_the_models_of_ome_zarr_take_them(cells, tmp_path, version, positions):
    models = pytest.importorskip("ome_zarr_models")
    import zarr

    out = tmp_path / "f.ome.zarr"
    assert fused(cells, out, "--ome-zarr", version, "--only", f"P={positions}") == 0
    group = zarr.open_group(out, mode="r")
    known = models.v04 if version == "0.4" else models.v05
    if positions == "0":
        known.Image.from_zarr(group)
    else:
        known.BioFormats2Raw.from_zarr(group)
        known.Image.from_zarr(group["1"])


def test_one_replaces_the_other(cells, tmp_path):
    out = tmp_path / "f.ome.zarr"
    for version in (*VERSIONS, "0.4"):
        assert fused(cells, out, "--ome-zarr", version, "--only", "P=0", "--overwrite") == 0
        assert (out / ".zattrs").exists() != (out / "zarr.json").exists()
    assert json.loads((out / ".zattrs").read_text())["multiscales"][0]["version"] == "0.4"


def test_a_version_of_what_is_not_written_is_refused(cells, tmp_path, capsys):
    assert fused(cells, tmp_path / "f.ome.tif", "--ome-zarr", "0.5") == 2
    told = capsys.readouterr().err
    assert "--ome-zarr" in told
    assert ".ome.zarr" in told
    (tmp_path / "shots").mkdir()
    for n, frame in enumerate(focal_stack(2, 64, 80)[0]):
        tifffile.imwrite(tmp_path / f"shots/{n}.tif", frame, photometric="rgb")
    assert fused(tmp_path / "shots", tmp_path / "f.png", "--ome-zarr", "0.5") == 2
    assert not (tmp_path / "f.png").exists()
    with pytest.raises(UsageError, match="OME-Zarr"):
        fuse_volume(cells, system="guided").save(tmp_path / "g.ome.tif", ome_zarr="0.5")
