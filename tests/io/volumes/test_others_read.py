"""Results of volumes as other programs' readers have them; each is skipped where it is absent."""

import numpy as np
import pytest
import tifffile

from panfocus import fuse_volume
from tests.conftest import focal_stack

FRAMES = focal_stack(3, 96, 120)[0].astype(np.uint16) * 9
STACK = np.stack([np.moveaxis(FRAMES, -1, 0)[:2], np.moveaxis(FRAMES, -1, 0)[1:]])
ABOUT = {
    "axes": "TCZYX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.3, "PhysicalSizeZ": 1.5,
    "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm", "PhysicalSizeZUnit": "µm",
    "Channel": {"Name": ["DAPI", "GFP"], "Color": [0x0000FFFF, 0x00FF00FF]},
    "TimeIncrement": 2.5, "TimeIncrementUnit": "s",
    "Plane": {"PositionX": [7.0] * 12, "PositionXUnit": ["mm"] * 12,
              "PositionY": [3.0] * 12, "PositionYUnit": ["mm"] * 12},
}  # fmt: skip


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    folder = tmp_path_factory.mktemp("read")
    source = folder / "cells.ome.tif"
    tifffile.imwrite(source, STACK, ome=True, photometric="minisblack", metadata=ABOUT)
    result = fuse_volume(source, system="guided")
    result.save(folder / "f.ome.tif", maps=["depth"], pyramid="on")
    return folder, result


@pytest.fixture(scope="module", params=["0.4", "0.5"])
def zarr_result(fused, request):
    pytest.importorskip("zarr")
    folder, result = fused
    path = folder / f"f{request.param}.ome.zarr"
    result.save(path, ome_zarr=request.param, pyramid="on")
    return path, result.image[:, :, None]


def test_ome_types_finds_its_schema_kept(fused):
    ome_types = pytest.importorskip("ome_types")
    folder, _ = fused
    (image,) = ome_types.from_tiff(folder / "f.ome.tif", validate=False).images
    pixels = image.pixels
    assert (pixels.size_t, pixels.size_c, pixels.size_z) == (2, 2, 1)
    assert (pixels.physical_size_x, pixels.physical_size_y) == (0.2, 0.3)
    assert pixels.time_increment == 2.5
    assert [c.name for c in pixels.channels] == ["DAPI", "GFP"]
    assert [c.color.as_hex(format="long") for c in pixels.channels] == ["#0000ff", "#00ff00"]
    assert {(p.position_x, p.position_y, p.position_x_unit.value) for p in pixels.planes} == {
        (7000, 3000, "µm")
    }


def test_bioio_reads_the_tiff(fused):
    reader = pytest.importorskip("bioio_tifffile").Reader
    folder, result = fused
    image = reader(folder / "f.ome.tif")
    np.testing.assert_array_equal(np.squeeze(image.data), result.image)
    depth = reader(folder / "f_depth.ome.tif")
    np.testing.assert_array_equal(np.squeeze(depth.data), result.positions[0].depth)


def test_bioio_reads_the_zarr(zarr_result):
    bioio = pytest.importorskip("bioio")
    reader = pytest.importorskip("bioio_ome_zarr").Reader
    path, planes = zarr_result
    image = bioio.BioImage(path, reader=reader)
    np.testing.assert_array_equal(image.data, planes)
    assert list(image.channel_names) == ["DAPI", "GFP"]
    sizes = image.physical_pixel_sizes
    assert (sizes.Z, sizes.Y, sizes.X) == (1.5, 0.3, 0.2)


def test_ome_zarr_reads_all_levels(zarr_result):
    pytest.importorskip("ome_zarr")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    path, planes = zarr_result
    node = next(iter(Reader(parse_url(str(path)))()))
    np.testing.assert_array_equal(node.data[0].compute(), planes)
    assert [level.shape[-2:] for level in node.data] == [(96, 120), (48, 60)]
