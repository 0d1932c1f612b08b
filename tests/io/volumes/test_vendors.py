"""Files of microscopes' makers: what is asked of bioio, and what is said where it is not there."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

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


#: (M, T, C, Z, Y, X) of a mosaic of two tiles side by side.
TILES = np.stack([SCENES["A1"], SCENES["B2"]])


class BioImage:
    """What panfocus asks of bioio's class of this name, on arrays."""

    channel_names = ("DAPI", "GFP")
    physical_pixel_sizes = SimpleNamespace(Z=0.5, Y=0.1, X=-0.1)
    time_interval = timedelta(seconds=2.5)
    metadata = None

    def __init__(self, path, reconstruct_mosaic=True):
        self._is_mosaic = path.read_bytes() == b"mosaic"
        if path.read_bytes() not in (b"sound", b"mosaic"):
            raise Exception("no reader takes it")
        self._is_whole = reconstruct_mosaic
        self.scenes = ("field",) if self._is_mosaic else tuple(SCENES)
        self.reader = self

    def set_scene(self, number):
        self.mosaic_tile_dims = SimpleNamespace(Y=48, X=64) if self._is_mosaic else None
        self.dims = SimpleNamespace(order="TCZYX")
        if not self._is_mosaic:
            self.dask_data = SCENES[self.scenes[number]]
        elif self._is_whole:
            self.dask_data = np.concatenate(TILES, axis=-1)
        else:
            self.dask_data, self.dims.order = TILES, "MTCZYX"

    def get_mosaic_tile_positions(self):
        return [(0, 0), (0, 64)]


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


def test_a_mosaic_is_put_together_and_told(tmp_path, bioio):
    path = write(tmp_path / "a.czi", b"mosaic")
    with closing(open_volume(path)) as volume:
        (position,) = volume.positions
        assert (position.width, position.facts) == (128, {"TimeIncrement": 2.5})
        np.testing.assert_array_equal(position.read(0, 1, 2)[:, 64:], TILES[1, 0, 1, 2])
        (note,) = volume.notes
        assert 'mosaic="tiles"' in note
    with closing(open_volume(path, mosaic="whole")) as volume:
        assert list(volume.notes) == []


def test_tiles_of_a_mosaic_are_positions_with_their_places(tmp_path, bioio, monkeypatch, capsys):
    path = write(tmp_path / "a.czi", b"mosaic")
    with closing(open_volume(path, mosaic="tiles")) as volume:
        assert [p.name for p in volume.positions] == ["field tile 0", "field tile 1"]
        assert [p.stage_um for p in volume.positions] == [None, None]
        np.testing.assert_array_equal(volume.positions[1].read(0, 1, 2), TILES[1, 0, 1, 2])
        assert list(volume.notes) == []
    monkeypatch.setattr(BioImage, "__module__", "bioio_czi.reader")
    out = tmp_path / "o.ome.tif"
    words = ["fuse", str(path), "-o", str(out), "-s", "guided", "--mosaic", "tiles"]
    assert main(words) == 0
    with closing(open_volume(out)) as volume:
        assert volume.positions[1].stage_um == pytest.approx((0, 6.4))
        assert volume.positions[0].stage_um == (0, 0)
    capsys.readouterr()
    words = ["batch", str(path), str(tmp_path / "parts"), "-s", "guided", "--mosaic", "tiles"]
    assert main([*words, "--dry-run", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_a_mosaic_where_there_is_none(tmp_path, bioio, capsys):
    with closing(open_volume(write(tmp_path / "a.czi"), mosaic="tiles")) as volume:
        assert len(volume.positions) == 2
        assert "no mosaic" in volume.notes[0]
    tifffile.imwrite(
        tmp_path / "a.ome.tif", GREY, photometric="minisblack", metadata={"axes": "ZYX"}
    )
    words = ["fuse", str(tmp_path / "a.ome.tif"), "-o", str(tmp_path / "o.ome.tif")]
    assert main([*words, "--mosaic", "tiles"]) == 2
    assert "where: --mosaic" in capsys.readouterr().err


def test_scenes_that_a_reader_does_not_show_are_told(tmp_path, bioio, monkeypatch):
    xml = "<I><Metadata><Information><Image><SizeS>5</SizeS></Image></Information></Metadata></I>"
    monkeypatch.setattr(BioImage, "metadata", ElementTree.fromstring(xml))
    with closing(open_volume(write(tmp_path / "a.czi"))) as volume:
        assert volume.notes == [
            "the file has 5 scenes and its reader shows 2: the others are left out"
        ]


def test_it_is_fused_into_ome(tmp_path, bioio):
    out = tmp_path / "o.ome.tif"
    assert main(["fuse", str(write(tmp_path / "a.nd2")), "-o", str(out), "-s", "guided"]) == 0
    with tifffile.TiffFile(out) as file:
        assert len(file.series) == 2
        assert file.series[0].shape == (2, 48, 64)
        assert "DAPI" in file.ome_metadata


def test_a_plug_in_that_is_not_there_is_named(tmp_path, bioio):
    with pytest.raises(InputError, match="pip install bioio-bioformats") as caught:
        open_volume(write(tmp_path / "a.ics", b"other"))
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

    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack", metadata={"axes": "ZYX"})
    with closing(open_vendors(tmp_path / "a.tif")) as volume:
        np.testing.assert_array_equal(volume.positions[0].read(0, 0, 2), GREY[2])
