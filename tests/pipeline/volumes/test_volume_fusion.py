"""Volumes by one call: arrays and files in, arrays out, and what is written is the command's."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import panfocus
from panfocus import fuse_volume
from panfocus.cli import main
from panfocus.errors import InputError, OutputError, UsageError
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(4, 48, 64)
GREY = FRAMES[..., 0].astype(np.uint16) * 16
STACK = np.stack([np.stack([GREY, GREY // 2]), np.stack([GREY + 7, GREY // 3])])  # TCZYX


def fused(source, **options):
    return fuse_volume(source, system="guided", mode="select", **options)


def test_values_are_those_of_the_planes():
    result = fused(STACK, axes="TCZYX")
    assert result.image.shape == (2, 2, 48, 64)
    assert result.image.dtype == np.uint16
    (position,) = result.positions
    for t, c in np.ndindex(2, 2):
        index = position.index[t, c]
        chosen = np.take_along_axis(STACK[t, c], index[None].astype(np.intp), axis=0)[0]
        np.testing.assert_array_equal(result.image[t, c], chosen)
    assert position.confidence.min() >= 0
    assert "2 x 2 x 48 x 64" in repr(result)


def test_a_file_an_array_and_the_command_give_the_same(tmp_path):
    path = tmp_path / "s.ome.tif"
    names = {"axes": "TCZYX", "Channel": {"Name": ["DAPI", "GFP"]}, "PhysicalSizeZ": 0.5}
    tifffile.imwrite(path, STACK, metadata=names)
    result = fused(path)
    np.testing.assert_array_equal(result.image, fused(STACK, axes="TCZYX").image)
    files = result.save(tmp_path / "lib.ome.tif", maps=["depth"])
    words = ["-s", "guided", "--mode", "select", "--depth-map"]
    assert main(["fuse", str(path), "-o", str(tmp_path / "cli.ome.tif"), *words]) == 0
    for mine, its in zip(files, ("cli.ome.tif", "cli_depth.ome.tif"), strict=True):
        with tifffile.TiffFile(mine) as one, tifffile.TiffFile(tmp_path / its) as other:
            np.testing.assert_array_equal(one.asarray(), other.asarray())
            assert one.is_ome
            assert "DAPI" in one.ome_metadata
    assert result.positions[0].channels == ("DAPI", "GFP")
    assert result.positions[0].depth.max() == pytest.approx(1.5)


@pytest.mark.parametrize("axes", ["ZYX", "YXZ", "ZCYX", "CZYX", "PTCZYX"])
def test_axes_in_any_order(axes):
    sizes = {"P": 2, "T": 2, "C": 2, "Z": 4, "Y": 48, "X": 64}
    whole = np.stack([STACK, STACK + 1])  # PTCZYX
    kept = whole[tuple(slice(None) if k in axes else 0 for k in "PTCZYX")]
    order = [k for k in "PTCZYX" if k in axes]
    array = kept.transpose([order.index(k) for k in axes])
    assert array.shape == tuple(sizes[k] for k in axes)
    result = fused(array, axes=axes)
    assert len(result.positions) == (2 if "P" in axes else 1)
    expected = fused(STACK[:1, :1], axes="TCZYX").image[0, 0]
    np.testing.assert_array_equal(result.positions[0].image[0, 0], expected)


def test_colours_and_doubles():
    colours = fused(FRAMES, axes="ZYXS")
    assert colours.image.shape == (1, 1, 48, 64, 3)
    doubles = fused(GREY / 4095, axes="ZYX")
    assert doubles.image.dtype == np.float32


def test_one_channel_decides_for_all():
    result = fused(STACK, axes="TCZYX", guide_channel="a", channel_names=["a", "b"])
    (position,) = result.positions
    assert position.index.shape == (2, 1, 48, 64)
    index = position.index[0, 0].astype(np.intp)[None]
    chosen = np.take_along_axis(STACK[0, 1], index, axis=0)[0]
    np.testing.assert_array_equal(result.image[0, 1], chosen)


def test_dask_is_read_plane_by_plane():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(STACK, chunks=(1, 1, 1, 48, 64))
    np.testing.assert_array_equal(fused(lazy, axes="TCZYX").image, fused(STACK, axes="TCZYX").image)


class Labelled:
    """As much of an xarray as is looked at."""

    def __init__(self, values, dims, coords):
        self.values, self.dims, self.coords = values, dims, coords
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, at):
        return self.values[at]


def test_dimensions_with_names_need_no_axes():
    array = Labelled(STACK, ("time", "channel", "z", "y", "x"), {"channel": np.array(["a", "b"])})
    result = fused(array)
    assert result.positions[0].channels == ("a", "b")
    with pytest.raises(UsageError, match="axes"):
        fused(Labelled(STACK, ("q", "channel", "z", "y", "x"), {}))


def test_what_does_not_fit_is_told():
    for axes in (None, "ZYX", "TCQYX"):
        with pytest.raises(UsageError, match="axes"):
            fused(STACK, axes=axes)
    with pytest.raises(UsageError, match="one name"):
        fused(STACK, axes="TCZYX", channel_names=["a"])
    with pytest.raises(InputError, match="kind of number"):
        fused(STACK.astype(np.int64), axes="TCZYX")
    with pytest.raises(InputError, match="nothing to fuse"):
        fused(STACK[:, :, :1], axes="TCZYX")


def test_results_are_not_replaced_and_maps_not_made_up(tmp_path):
    result = fused(GREY, axes="ZYX", maps=False, voxel_um=(0.5, 0.1, 0.1))
    with pytest.raises(UsageError, match="no maps"):
        result.save(tmp_path / "a.ome.tif", maps=["depth"])
    result.save(tmp_path / "a.ome.tif")
    with pytest.raises(OutputError):
        result.save(tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        assert 'PhysicalSizeX="0.1"' in file.ome_metadata


def test_several_positions_have_no_single_image():
    result = fused(np.stack([STACK, STACK]), axes="PTCZYX")
    with pytest.raises(UsageError, match="several positions"):
        _ = result.image
    assert panfocus.fuse_volume is fuse_volume


@pytest.mark.parametrize("axes", ["TZYX", "CZYX", "ZYX"])
def test_frames_of_a_volume_are_not_fused_as_one_stack(tmp_path, axes):
    stack = STACK[0, 0] if axes == "ZYX" else STACK[:, 0] if axes == "TZYX" else STACK[0]
    path = tmp_path / "s.ome.tif"
    tifffile.imwrite(path, stack, metadata={"axes": axes}, photometric="minisblack")
    if axes == "ZYX":
        assert len(panfocus.fuse(path, system="guided").report.frames) == 4
        return
    with pytest.raises(InputError, match=r"panfocus\.fuse_volume"):
        panfocus.fuse(path, system="guided")


def test_colours_of_a_pixel_are_no_channels_of_their_own(tmp_path):
    path = tmp_path / "s.ome.tif"
    tifffile.imwrite(path, FRAMES, metadata={"axes": "ZYXS"}, photometric="rgb")
    assert panfocus.fuse(path, system="guided").image.shape == (48, 64, 3)


def test_volumes_that_are_no_tiff_are_told_by_whom_they_are_taken(tmp_path):
    folder = tmp_path / "planes"
    folder.mkdir()
    for t, z in np.ndindex(2, 4):
        tifffile.imwrite(folder / f"img_t{t}_z{z}.tif", STACK[t, 0, z])
    with pytest.raises(UsageError, match=r"panfocus\.fuse_volume"):
        panfocus.fuse(folder)
    assert fused(folder).image.shape == (2, 1, 48, 64)
    pytest.importorskip("zarr")
    path = tmp_path / "s.ome.zarr"
    fused(STACK, axes="TCZYX").save(path)
    with pytest.raises(UsageError, match=r"panfocus\.fuse_volume"):
        panfocus.fuse(path)


class Slices:
    """Something with a shape and a dtype, neither of which need be one."""

    def __init__(self, shape, dtype=np.uint8):
        self.shape, self.dtype = shape, dtype


@pytest.mark.parametrize(
    "source",
    [None, 3, [[[1, 2], [3, 4]]] * 3, {}, Slices("a"), Slices(("a", 24, 32)), Slices(3),
     Slices((3, 24, 32), "nothing")],
    ids=["none", "number", "list", "table", "text", "shape of text", "no shape", "no dtype"],
)  # fmt: skip
def test_what_is_no_volume_is_told_in_words(source):
    with pytest.raises(UsageError, match="no volume"):
        panfocus.fuse_volume(source, axes="ZYX", system="guided")


@pytest.mark.parametrize(
    "voxel",
    [(1,), (-1, None, None), (0, 1, 1), ("x", 1, 1), (float("nan"), 1, 1), 1, None, (), "abc"],
)
def test_distances_that_cannot_be_are_told_in_words(voxel):
    planes = np.zeros((3, 24, 32), np.uint8)
    with pytest.raises(UsageError, match="no distances"):
        panfocus.fuse_volume(planes, axes="ZYX", system="guided", voxel_um=voxel)


def test_distances_may_be_of_numpy():
    planes = np.zeros((3, 24, 32), np.uint8)
    for voxel in ((np.float32(2), None, None), np.array([2.0, 1, 1]), [2, None, None]):
        done = panfocus.fuse_volume(planes, axes="ZYX", system="guided", voxel_um=voxel)
        assert done.positions[0].voxel_um[0] == 2


def test_numbers_beyond_single_precision_are_told_of_once():
    with pytest.raises(InputError, match="no numbers"):
        panfocus.fuse_volume(np.full((3, 24, 32), 1e300), axes="ZYX", system="guided")
