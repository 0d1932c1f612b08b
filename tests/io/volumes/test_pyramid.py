"""Smaller copies in OME-TIFF and OME-Zarr; level 0 is what the reader reads."""

import numpy as np
import pytest
import tifffile

from panfocus import fuse_volume
from panfocus.cli import main
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.pyramid import halved, levels_of
from panfocus.io.volumes.volume import Channel, Position
from panfocus.io.volumes.write import Picture
from panfocus.io.volumes.write_tiff import TiffSink
from panfocus.io.volumes.write_zarr import ZarrSink
from tests.conftest import focal_stack

H, W = 1100, 1301
RNG = np.random.default_rng(0)


def picture(samples=1, depths=1, dtype=np.uint16, **about):
    channels = [Channel("a"), Channel("b")]
    position = Position(
        "field", 2, 5, H, W, samples, np.dtype(dtype), channels, lambda t, c, z: None, (1, 0.3, 0.2)
    )
    return Picture(position, 2, channels, np.dtype(dtype), samples, depths, **about)


def write(sink, picture):
    planes = {}
    for place in picture.places():
        planes[place] = RNG.integers(0, 200, picture.plane).astype(picture.dtype)
        sink.add(planes[place])
    assert sink.finish() == []
    return planes


def mean(plane):
    cut = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2].astype(np.float64)
    four = cut.reshape(cut.shape[0] // 2, 2, cut.shape[1] // 2, 2, *plane.shape[2:])
    return four.mean(axis=(1, 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(300, 401), (2, 3), (5, 7, 3)])
def test_a_copy_is_the_mean_of_four(dtype, shape):
    plane = RNG.integers(-100 if dtype == np.int16 else 0, 255, shape).astype(dtype)
    small = halved(plane)
    assert small.dtype == dtype
    assert np.abs(small - mean(plane)).max() <= (1e-4 if dtype == np.float32 else 0.5)


def test_numbers_of_frames_are_never_mixed():
    plane = RNG.integers(0, 2, (40, 41)).astype(np.uint16) * 30
    small = halved(plane, is_numbered=True)
    assert set(np.unique(small)) == {0, 30}
    np.testing.assert_array_equal(small, plane[::2, ::2][:, :20])


def test_how_many_copies():
    assert levels_of(4096, 4096, "auto") == 0
    assert levels_of(100, 4097, "auto") == 3
    assert levels_of(100, 4097, "off") == 0
    assert levels_of(1100, 1301, "on") == 2
    assert levels_of(1, 10_000, "on") == 0


@pytest.mark.parametrize(("samples", "depths"), [(1, 1), (3, 1), (1, 3)])
@pytest.mark.parametrize("is_shared", [False, True])
def test_tiff_has_them_as_its_sub_directories(tmp_path, samples, depths, is_shared):
    path = tmp_path / "s.ome.tif"
    pictures = [picture(samples, depths, is_shared=is_shared)] * 2
    sink = TiffSink(path, pictures, pyramid="on")
    planes = [{}, {}]
    for n, one in enumerate(pictures):
        for place in one.places():
            planes[n][place] = RNG.integers(0, 4000, one.plane).astype(np.uint16)
            sink.add(planes[n][place])
    sink.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["s.ome.tif"]
    with tifffile.TiffFile(path) as file:
        assert len(file.series) == 2
        levels = file.series[1].levels
        assert [level.shape[-2 - (samples > 1)] for level in levels] == [1100, 550, 275]
        assert file.pages.first.tile == (512, 512)
        small = levels[1].asarray().reshape(2, depths, 2, 550, 650, *((3,) if samples > 1 else ()))
        for (t, c, z), plane in planes[1].items():
            assert np.abs(small[t, z, c] - mean(plane)).max() <= 0.5
    volume = open_volume(path)
    for position, its in zip(volume.positions, planes, strict=True):
        assert (position.depths, position.voxel_um) == (depths, (1, 0.3, 0.2))
        for (t, c, z), plane in its.items():
            np.testing.assert_array_equal(position.read(t, c, z), plane)
    volume.close()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_zarr_has_them_as_further_datasets(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "s.ome.zarr"
    whole = picture(depths=2)
    planes = write(ZarrSink(path, [whole], pyramid="on", version=version), whole)
    root = zarr.open(path, mode="r")
    about = root.attrs if version == "0.4" else root.attrs["ome"]
    (scales,) = about["multiscales"]
    assert (scales if version == "0.4" else about)["version"] == version
    names = root["2"].metadata.to_dict().get("dimension_names")
    assert [*(names or [])] == ([] if version == "0.4" else [*"tczyx"])
    told = [one["coordinateTransformations"] for one in scales["datasets"]]
    assert [t[0]["scale"][3:] for t in told] == [[0.3, 0.2], [0.6, 0.4], [1.2, 0.8]]
    # the middle of a pixel stays where those lie that it is made of
    assert told[2][1] == {"type": "translation", "translation": [0, 0, 0, 0.3 * 1.5, 0.2 * 1.5]}
    assert root["2"].shape == (2, 2, 2, 275, 325)
    for (t, c, z), plane in planes.items():
        assert np.abs(root["1"][t, c, z] - mean(plane)).max() <= 0.5
        np.testing.assert_array_equal(open_volume(path).positions[0].read(t, c, z), plane)


def test_hyperstacks_of_imagej_stay_plain(tmp_path):
    path = tmp_path / "s.tif"
    write(TiffSink(path, [picture()], as_imagej=True, pyramid="on"), picture())
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert len(file.series[0].levels) == 1
        assert not file.pages.first.is_tiled


def test_the_command_and_the_program_ask_for_them(tmp_path):
    frames, _ = focal_stack(3, 64, 64)
    stack = np.stack([frames[..., 0], frames[..., 1]])
    source = tmp_path / "s.ome.tif"
    tifffile.imwrite(source, stack, metadata={"axes": "CZYX"}, photometric="minisblack")
    fused = fuse_volume(source, system="guided")
    words = ["fuse", str(source), "-s", "guided", "--index-map"]
    assert main([*words, "-o", str(tmp_path / "a.ome.tif"), "--pyramid", "on"]) == 0
    fused.save(tmp_path / "b.ome.tif", maps=["index"], pyramid="on")
    fused.save(tmp_path / "c.ome.tif", maps=["index"])
    for name in ("a", "b", "a_index", "b_index", "c", "c_index"):
        with tifffile.TiffFile(tmp_path / f"{name}.ome.tif") as file:
            assert len(file.series[0].levels) == (1 if name.startswith("c") else 2)
    with tifffile.TiffFile(tmp_path / "a_index.ome.tif") as file:
        whole, small = (level.asarray() for level in file.series[0].levels)
        np.testing.assert_array_equal(small, whole[..., ::2, ::2])
