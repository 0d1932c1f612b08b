"""Files of microscopes' makers: what is asked of bioio, and what is said where it is not there."""

from __future__ import annotations

import sys
from contextlib import closing
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io.volumes.open import PLUG_INS, is_volume, open_volume
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(3, 48, 64)
GREY = FRAMES[..., 0].astype(np.uint16) * 16
SCENES = {"A1": np.stack([GREY, GREY // 2])[None], "B2": np.stack([GREY + 5, GREY // 3])[None]}


class BioImage:
    """What panfocus asks of bioio's class of this name, on arrays."""

    channel_names = ("DAPI", "GFP")
    physical_pixel_sizes = SimpleNamespace(Z=0.5, Y=0.1, X=-0.1)

    def __init__(self, path):
        if path.read_bytes() != b"sound":
            raise Exception("no reader takes it")
        self.scenes = tuple(SCENES)
        self.dask_data = None

    def set_scene(self, number):
        self.dask_data = SCENES[self.scenes[number]]


@pytest.fixture
def bioio(monkeypatch):
    module = ModuleType("bioio")
    module.BioImage = BioImage
    monkeypatch.setitem(sys.modules, "bioio", module)


def write(path, content=b"sound"):
    path.write_bytes(content)
    return path


def test_scenes_channels_and_micrometres(tmp_path, bioio):
    path = write(tmp_path / "a.czi")
    assert is_volume(path)
    with closing(open_volume(path)) as volume:
        assert [p.name for p in volume.positions] == ["A1", "B2"]
        for position, array in zip(volume.positions, SCENES.values(), strict=True):
            assert [c.name for c in position.channels] == ["DAPI", "GFP"]
            assert position.voxel_um == (0.5, 0.1, 0.1)
            np.testing.assert_array_equal(position.read(0, 1, 2), array[0, 1, 2])


def test_it_is_fused_into_ome(tmp_path, bioio):
    out = tmp_path / "o.ome.tif"
    assert main(["fuse", str(write(tmp_path / "a.nd2")), "-o", str(out), "-s", "guided"]) == 0
    with tifffile.TiffFile(out) as file:
        assert len(file.series) == 2
        assert file.series[0].shape == (2, 48, 64)
        assert "DAPI" in file.ome_metadata


def test_a_plug_in_that_is_not_there_is_named(tmp_path, bioio):
    with pytest.raises(InputError, match="pip install bioio-bioformats") as caught:
        open_volume(write(tmp_path / "a.oib", b"other"))
    assert "GPL" in str(caught.value)


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioio", None)
    with pytest.raises(InputError, match=r"panfocus\[bio\]"):
        open_volume(write(tmp_path / "a.lif"))


def test_every_ending_has_a_reader(tmp_path):
    assert PLUG_INS
    for ending in PLUG_INS:
        assert is_volume(tmp_path / f"a{ending}")


def test_the_real_reader_gives_the_same(tmp_path, monkeypatch):
    pytest.importorskip("bioio_tifffile")
    monkeypatch.setitem(PLUG_INS, ".tif", "bioio-tifffile")
    from panfocus.io.volumes.vendors import open_vendors

    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata={"axes": "ZYX"})
    with closing(open_vendors(tmp_path / "a.tif")) as volume:
        np.testing.assert_array_equal(volume.positions[0].read(0, 0, 2), GREY[2])
