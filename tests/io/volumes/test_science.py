"""OME-TIFF, ImageJ and OME-Zarr stacks in and out, and everything that can be wrong with them."""

import json
import os
from contextlib import closing

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.errors import InputError, OutputError
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.stack import Scale
from panfocus.io.volumes.volume import Channel, Position
from panfocus.io.volumes.write import Picture
from panfocus.io.volumes.write_tiff import fits_imagej
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.run import Choice, fuse_file
from tests.conftest import focal_stack

T, C, Z, H, W = 2, 3, 4, 48, 64
METADATA = {
    "axes": "TCZYX",
    "PhysicalSizeX": 325.0,
    "PhysicalSizeXUnit": "nm",
    "PhysicalSizeY": 325.0,
    "PhysicalSizeYUnit": "nm",
    "PhysicalSizeZ": 1.5,
    "PhysicalSizeZUnit": "µm",
    "Channel": {"Name": ["DAPI", "GFP", "RFP"]},
}


def volume(dtype=np.uint16, top=4000, times=T, channels=C):
    """TCZYX: every (T, C) a focal stack of its own; 12 bits of 16."""
    out = np.empty((times, channels, Z, H, W), np.float64)
    for t in range(times):
        for c in range(channels):
            frames, _ = focal_stack(Z, H, W, seed=10 * t + c)
            out[t, c] = frames[..., 0] / 255 * top
    return out.astype(dtype)


def write_ome(path, *stacks, **options):
    with tifffile.TiffWriter(path, ome=True) as writer:
        for n, stack in enumerate(stacks):
            facts = {**METADATA, "Name": f"field {n}"}
            writer.write(stack, metadata=facts, photometric="minisblack", **options)
    return path


def fuse(*words):
    return main(["fuse", "-s", "guided", *map(str, words)])


def read(path):
    with tifffile.TiffFile(path) as file:
        return [s.asarray() for s in file.series], file.ome_metadata, file.series[0].axes


def leftovers(folder):
    return [p for p in folder.rglob("*") if p.name.startswith(".panfocus")]


def test_every_time_channel_and_position_is_fused(tmp_path, capsys):
    stack = volume()
    source = write_ome(tmp_path / "s.ome.tif", stack, stack[:, :, ::-1])
    out = tmp_path / "out.ome.tif"
    assert fuse(source, "-o", out, "--mode", "select", "--index-map", "--json") == 0
    pictures, xml, axes = read(out)
    indices, _, _ = read(tmp_path / "out_index.ome.tif")
    assert axes == "TCYX"
    assert len(pictures) == len(indices) == 2
    for picture, index, given in zip(pictures, indices, [stack, stack[:, :, ::-1]], strict=True):
        assert picture.dtype == np.uint16
        picked = np.take_along_axis(given, index[:, :, None].astype(np.intp), axis=2)[:, :, 0]
        np.testing.assert_array_equal(picture, picked)
    # each strip is sharp in its own plane
    assert np.mean(np.diff(indices[0][..., 4::16].astype(int), axis=-1) == 1) > 0.8
    for said in ('PhysicalSizeX="0.325"', "DAPI", "GFP", "RFP", "field 1"):
        assert said in xml
    report = json.loads(capsys.readouterr().out)
    assert len(report["stacks"]) == 2 * T * C
    assert report["stacks"][0]["z_step_um"] == 1.5
    assert leftovers(tmp_path) == []


def test_depth_is_in_micrometres_by_the_files_own_step(tmp_path):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--depth-map", "--confidence-map") == 0
    (depth,), xml, _ = read(tmp_path / "o_depth.ome.tif")
    assert depth.dtype == np.float32
    assert depth.shape == (T, C, H, W)
    assert 3.5 < depth.max() <= 4.5 + 1e-6
    assert "depth GFP" in xml
    (confidence,), _, _ = read(tmp_path / "o_confidence.ome.tif")
    assert 0 <= confidence.min() < confidence.max() <= 1


@pytest.mark.parametrize("guide", ["GFP", "1"])
@pytest.mark.parametrize("system", ["guided", "guided-sf"])
def test_a_guide_channel_decides_for_all(tmp_path, guide, system):
    stack = volume()
    source = write_ome(tmp_path / "s.ome.tif", stack)
    out = tmp_path / "o.ome.tif"
    words = ["--guide-channel", guide, "--mode", "select", "--index-map", "-s", system]
    assert fuse(source, "-o", out, *words) == 0
    (picture,), _, _ = read(out)
    (index,), _, _ = read(tmp_path / "o_index.ome.tif")
    assert index.shape == (T, H, W)
    # the guide's own decision is what it is without the others
    alone = write_ome(tmp_path / "gfp.ome.tif", stack[:, 1:2]) if system == "guided" else None
    picked = np.take_along_axis(stack, index[:, None, None].astype(np.intp), axis=2)[:, :, 0]
    np.testing.assert_array_equal(picture, picked)
    if alone:
        assert fuse(alone, "-o", tmp_path / "a.ome.tif", "--mode", "select") == 0
        np.testing.assert_array_equal(read(tmp_path / "a.ome.tif")[0][0], picture[:, 1])


def test_a_guide_channel_decides_for_a_network_too(tmp_path):
    stack = volume(times=1)
    source = write_ome(tmp_path / "s.ome.tif", stack)
    words = ["--guide-channel", "RFP", "--mode", "select", "--index-map", "-s", "drpl"]
    assert fuse(source, "-o", tmp_path / "o.ome.tif", *words) == 0
    (index,), _, _ = read(tmp_path / "o_index.ome.tif")
    (picture,), _, _ = read(tmp_path / "o.ome.tif")
    picked = np.take_along_axis(stack[0], index[None, None].astype(np.intp), axis=1)[:, 0]
    np.testing.assert_array_equal(picture, picked)


def test_a_missing_guide_channel_lists_those_there_are(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--guide-channel", "Cy5") == 2
    err = capsys.readouterr().err
    assert "0 (DAPI), 1 (GFP), 2 (RFP)" in err
    assert not (tmp_path / "o.ome.tif").exists()


def test_the_best_plane_is_one_of_the_planes(tmp_path):
    stack = volume()
    soft = np.broadcast_to(stack.mean(axis=2, keepdims=True), stack.shape).astype(np.uint16).copy()
    soft[:, :, 2] = stack.max(axis=2)
    source = write_ome(tmp_path / "s.ome.tif", soft)
    words = ["--mode", "best-plane", "--index-map", "--depth-map"]
    assert fuse(source, "-o", tmp_path / "o.ome.tif", *words) == 0
    np.testing.assert_array_equal(read(tmp_path / "o.ome.tif")[0][0], soft[:, :, 2])
    assert (read(tmp_path / "o_index.ome.tif")[0][0] == 2).all()
    assert (read(tmp_path / "o_depth.ome.tif")[0][0] == 3.0).all()


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_imagej_hyperstacks_know_their_axes(tmp_path, options):
    stack = volume().transpose(0, 2, 1, 3, 4)  # TZCYX, as ImageJ orders them
    path = tmp_path / "s.tif"
    facts = {"axes": "TZCYX", "spacing": 2.0, "unit": "micron"}
    kind = {"imagej": True} if "tile" not in options else {"metadata": {"axes": "TZCYX"}}
    if "imagej" in kind:
        kind |= {"resolution": (4.0, 4.0), "metadata": facts}
    tifffile.imwrite(path, stack, photometric="minisblack", **kind, **options)
    assert fuse(path, "-o", tmp_path / "o.ome.tif", "--mode", "select", "--index-map") == 0
    (picture,), xml, axes = read(tmp_path / "o.ome.tif")
    (index,), _, _ = read(tmp_path / "o_index.ome.tif")
    assert axes == "TCYX"
    tczyx = stack.transpose(0, 2, 1, 3, 4)
    picked = np.take_along_axis(tczyx, index[:, :, None].astype(np.intp), axis=2)[:, :, 0]
    np.testing.assert_array_equal(picture, picked)
    if "imagej" in kind:
        assert 'PhysicalSizeX="0.25"' in xml
        assert 'PhysicalSizeZ="2.0"' in xml


def test_an_imagej_hyperstack_stays_one_unless_ome_is_asked_for(tmp_path):
    stack = volume().transpose(0, 2, 1, 3, 4)  # TZCYX
    luts = [np.outer(rgb, np.arange(256)).astype(np.uint8) for rgb in np.eye(3)[:C]]
    facts = {"axes": "TZCYX", "spacing": 2.0, "unit": "um", "finterval": 1.5, "mode": "composite"}
    path = tmp_path / "s.tif"
    options = {"imagej": True, "resolution": (4.0, 2.0), "metadata": facts | {"LUTs": luts}}
    tifffile.imwrite(path, stack, photometric="minisblack", **options)
    assert fuse(path, "-o", tmp_path / "o.tif", "--depth-map") == 0
    assert fuse(path, "-o", tmp_path / "o.ome.tif") == 0
    with tifffile.TiffFile(tmp_path / "o.tif") as file, tifffile.TiffFile(path) as before:
        assert file.is_imagej
        assert not file.is_ome
        assert file.series[0].axes == "TCYX"
        said = file.imagej_metadata
        assert (said["frames"], said["channels"], said.get("slices", 1)) == (T, C, 1)
        assert (said["spacing"], said["unit"], said["finterval"]) == (2.0, "um", 1.5)
        np.testing.assert_array_equal(said["LUTs"], before.imagej_metadata["LUTs"])
        np.testing.assert_array_equal(file.asarray(), read(tmp_path / "o.ome.tif")[0][0])
    with tifffile.TiffFile(tmp_path / "o_depth.tif") as file:
        assert file.is_imagej
    with closing(open_volume(tmp_path / "o.tif")) as again:
        (position,) = again.positions
    assert position.voxel_um == (2.0, 0.5, 0.25)
    assert [c.facts["Color"] for c in position.channels] == [-16776961, 16711935, 65535]


@pytest.mark.parametrize(
    ("dtype", "samples", "fits"),
    [(np.uint16, 1, True), (np.uint8, 3, True), (np.int16, 1, False), (np.uint16, 3, False)],
)
def test_imagej_holds_some_kinds_of_pixel(dtype, samples, fits):
    kind = np.dtype(dtype)
    position = Position("0", 1, Z, H, W, samples, kind, [Channel()], lambda t, c, z: np.zeros(1))
    assert fits_imagej(Picture(position, 1, [Channel()], kind, samples)) == fits


def test_signed_numbers_from_imagej_become_an_ome_tiff(tmp_path):
    path = tmp_path / "s.tif"
    stack = volume(np.int16, channels=1, times=1)[0, 0]
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZYX"})
    words = ["-o", tmp_path / "o.tif", "--axes", "ZYX"]
    assert fuse(path, *words) == 0
    assert read(tmp_path / "o.tif")[0][0].dtype == np.int16


def test_an_imagej_stack_in_one_block_is_read_and_its_end_is_checked(tmp_path, capsys):
    stack = volume(times=1)[0].transpose(1, 0, 2, 3)
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZCYX"})
    with tifffile.TiffFile(path) as file:
        first = file.pages.first
        at = first.offset + 2 + 12 * len(first.tags)
    data = bytearray(path.read_bytes())
    data[at : at + 4] = bytes(4)  # the first page is the last: what ImageJ writes beyond 4 GB
    path.write_bytes(data)
    assert fuse(path, "-o", tmp_path / "o.ome.tif", "--mode", "select") == 0
    assert read(tmp_path / "o.ome.tif")[0][0].shape == (C, H, W)
    end = int(first.dataoffsets[0]) + stack.nbytes
    path.write_bytes(data[: end - H * W])
    assert fuse(path, "-o", tmp_path / "p.ome.tif") == 1
    assert "cut off" in capsys.readouterr().err


def test_axes_are_told_for_a_plain_tiff(tmp_path, capsys):
    stack = volume(channels=1, times=T)[:, 0]
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "QIYX"})
    assert fuse(path, "-o", tmp_path / "o.tif", "--axes", "TZYX") == 0
    assert read(tmp_path / "o.tif")[0][0].shape == (T, H, W)
    assert fuse(path, "-o", tmp_path / "p.tif", "--axes", "ZTYX") == 0
    assert read(tmp_path / "p.tif")[0][0].shape == (Z, H, W)
    for wrong in ("TCZYX", "TTYX", "ABYX", "TZ"):
        assert fuse(path, "-o", tmp_path / "q.tif", "--axes", wrong) == 2
        assert "2 x 4 x 48 x 64" in capsys.readouterr().err


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.float32])
def test_every_kind_of_number_comes_back_as_it_was(tmp_path, dtype):
    low = 0 if dtype == np.uint8 else -100
    stack = (volume(np.float64, 220 if dtype == np.uint8 else 200)[:1, :1] + low).astype(dtype)
    if dtype == np.float32:
        stack *= np.float32(1234.5)
    source = write_ome(tmp_path / "s.ome.tif", stack)
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--mode", "select", "--index-map") == 0
    (picture,), _, _ = read(tmp_path / "o.ome.tif")
    (index,), _, _ = read(tmp_path / "o_index.ome.tif")
    assert picture.dtype == dtype
    picked = np.take_along_axis(stack[0, 0], index.reshape(1, H, W).astype(np.intp), axis=0)
    np.testing.assert_array_equal(picture.reshape(H, W), picked[0])
    assert len(np.unique(index)) == Z


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int8, np.float32])
def test_a_scale_is_undone_exactly(dtype):
    rng = np.random.default_rng(0)
    for low, high in ((0, 100), (-100, 27), (0, 127), (0, 0)):
        values = rng.integers(low, high + 1, (5, 7)).astype(dtype)
        scale = Scale.of(np.dtype(dtype), float(values.min()), float(values.max()))
        frame = scale.to_frame(values)
        assert frame.dtype in (np.uint8, np.uint16, np.float32)
        np.testing.assert_array_equal(scale.from_frame(frame), values)


def test_colour_planes_stay_colour(tmp_path):
    frames, _ = focal_stack(Z, H, W)
    path = tmp_path / "s.ome.tif"
    tifffile.imwrite(path, frames, ome=True, photometric="rgb", metadata={"axes": "ZYXS"})
    assert fuse(path, "-o", tmp_path / "o.ome.tif", "--mode", "select") == 0
    (picture,), _, axes = read(tmp_path / "o.ome.tif")
    assert axes == "YXS"
    assert picture.shape == (H, W, 3)


def test_a_cut_off_file_names_the_plane(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    data = source.read_bytes()
    with tifffile.TiffFile(source) as file:
        offset, count = file.pages[10].dataoffsets[0], file.pages[10].databytecounts[0]
    broken = data[: offset + count // 2] + b""
    source.write_bytes(broken)
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 1
    assert "s.ome.tif" in capsys.readouterr().err
    # a plane whose data lies behind the end, in a file whose directories are whole
    tifffile.imwrite(source, volume(), ome=True, metadata=METADATA, compression="zlib")
    with tifffile.TiffFile(source) as file:
        tag = file.pages[10].tags["StripOffsets"]
        at, size = tag.valueoffset, source.stat().st_size
    data = bytearray(source.read_bytes())
    data[at : at + 4] = int(size - 3).to_bytes(4, "little")
    source.write_bytes(data)
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 1
    err = capsys.readouterr().err
    assert "T 0, C 2 (RFP), Z 2" in err
    assert "remedy" in err
    assert leftovers(tmp_path) == []


def test_a_file_cut_before_its_directories_is_not_taken_for_one_plane(tmp_path, capsys):
    """The description comes last, so that half a file looks like a whole one of one page."""
    source = write_ome(tmp_path / "s.ome.tif", volume())
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 1
    err = capsys.readouterr().err
    assert "the file is cut off" in err
    for part in ("s.ome.tif", "expected", "1 page", "remedy"):
        assert part in err
    assert list(tmp_path.iterdir()) == [source]


def test_a_missing_page_is_a_missing_plane(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    text = source.read_bytes().replace(b'SizeT="2"', b'SizeT="3"')
    source.write_bytes(text.replace(b'PlaneCount="24"', b'PlaneCount="36"'))
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 1
    err = capsys.readouterr().err
    assert "T 2" in err or "missing" in err
    assert not (tmp_path / "o.ome.tif").exists()


def write_set(folder, stack):
    """One OME-TIFF per time, each describing the whole set, as microscopes write them."""
    names = [f"t{t}.ome.tif" for t in range(len(stack))]
    count = stack.shape[1] * stack.shape[2]
    data = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="{count}"><UUID FileName="{name}">'
        f"urn:uuid:{t}</UUID></TiffData>"
        for t, name in enumerate(names)
    )
    channels = "".join(f'<Channel ID="Channel:0:{c}" Name="c{c}"/>' for c in range(stack.shape[1]))
    for t, name in enumerate(names):
        xml = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{t}"><Image ID="Image:0" Name="set"><Pixels ID="Pixels:0" '
            f'DimensionOrder="XYZCT" Type="uint16" SizeX="{W}" SizeY="{H}" SizeZ="{Z}" '
            f'SizeC="{stack.shape[1]}" SizeT="{len(stack)}">{channels}{data}</Pixels></Image></OME>'
        )
        pages = stack[t].reshape(-1, H, W)
        tifffile.imwrite(folder / name, pages, description=xml, metadata=None)
    return [folder / name for name in names]


def test_a_set_of_files_is_one_stack_and_a_lost_file_is_said(tmp_path, capsys):
    stack = volume()
    files = write_set(tmp_path, stack)
    assert fuse(files[0], "-o", tmp_path / "o.ome.tif", "--mode", "select", "--index-map") == 0
    (picture,), xml, _ = read(tmp_path / "o.ome.tif")
    (index,), _, _ = read(tmp_path / "o_index.ome.tif")
    picked = np.take_along_axis(stack, index[:, :, None].astype(np.intp), axis=2)[:, :, 0]
    np.testing.assert_array_equal(picture, picked)
    assert "c2" in xml
    files[1].unlink()
    assert fuse(files[0], "-o", tmp_path / "p.ome.tif") == 1
    err = capsys.readouterr().err
    assert "missing" in err
    assert "T 1" in err


def test_pages_of_changing_size_are_refused(tmp_path, capsys):
    path = tmp_path / "s.tif"
    with tifffile.TiffWriter(path) as writer:
        for n in range(4):
            page = np.zeros((H, W + n // 3), np.uint16)
            writer.write(page, contiguous=False, metadata=None)
    assert fuse(path, "-o", tmp_path / "o.ome.tif") == 1
    err = capsys.readouterr().err
    assert "differ in size" in err
    assert "page 4" in err


def test_nan_is_refused_with_its_place(tmp_path, capsys):
    stack = volume(np.float32)
    stack[1, 2, 3, 5, 6] = np.nan
    source = write_ome(tmp_path / "s.ome.tif", stack)
    (tmp_path / "o.ome.tif").write_bytes(b"mine")
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--overwrite") == 1
    err = capsys.readouterr().err
    assert "T 1, C 2 (RFP), Z 3" in err
    assert "1 of 3072" in err
    assert (tmp_path / "o.ome.tif").read_bytes() == b"mine"
    assert leftovers(tmp_path) == []


def test_a_vanishing_file_is_said(tmp_path):
    source = write_ome(tmp_path / "s.ome.tif", volume())

    def vanish(share, stage, message):
        source.unlink(missing_ok=True)

    choice = Choice(make_settings(system="guided"))
    outputs = VolumeOutputs.beside(tmp_path / "o.ome.tif", ())
    with pytest.raises(InputError, match="No such file"):
        fuse_file(source, outputs, choice, progress=vanish)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    out = tmp_path / "o.ome.tif"
    out.write_bytes(b"mine")

    def full(self, plane):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("panfocus.io.volumes.write_tiff.TiffSink.add", full)
    choice = Choice(make_settings(system="guided"))
    with pytest.raises(OutputError, match="No space left"):
        fuse_file(source, VolumeOutputs.beside(out, (), overwrite=True), choice)
    assert out.read_bytes() == b"mine"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["gone.ome.tif", "junk.ome.tif", "empty.ome.tif"])
def test_what_is_no_stack_is_refused(tmp_path, capsys, name):
    if name.startswith("junk"):
        (tmp_path / name).write_bytes(b"II*\0" + os.urandom(500))
    if name.startswith("empty"):
        (tmp_path / name).write_bytes(b"")
    assert fuse(tmp_path / name, "-o", tmp_path / "o.ome.tif") == 1
    assert name in capsys.readouterr().err


def test_one_plane_along_z_is_refused_with_the_remedy(tmp_path, capsys):
    path = tmp_path / "s.ome.tif"
    tifffile.imwrite(path, volume()[:, :, 0], metadata={"axes": "TCYX"})
    assert fuse(path, "-o", tmp_path / "o.ome.tif") == 1
    assert "--axes" in capsys.readouterr().err
    assert fuse(path, "-o", tmp_path / "o.ome.tif", "--axes", "ZCYX") == 0


@pytest.mark.parametrize("options", [["--bit-depth", "8"], ["--max-memory", "10M"]])
def test_wrong_usage(tmp_path, options):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    assert fuse(source, "-o", tmp_path / "o.ome.tif", *options) == 2
    assert not (tmp_path / "o.ome.tif").exists()


def needed(capsys, *words):
    assert fuse(*words, "--dry-run", "--json") == 0
    return json.loads(capsys.readouterr().out)["memory_bytes"]


def test_a_networks_tiles_and_held_planes_count_before_any_work(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume(times=1))
    words = [source, "-o", tmp_path / "o.ome.tif"]
    least = needed(capsys, *words)
    assert needed(capsys, *words, "-s", "dualpath") > least
    assert needed(capsys, *words, "-s", "dualpath", "--guide-channel", "0") > least
    words += ["--max-memory", str(least)]
    assert fuse(*words, "-s", "dualpath") == 2
    err = capsys.readouterr().err
    assert "--max-memory" in err
    for part in ("planes needs more memory", "expected", "got", "remedy"):
        assert part in err
    assert list(tmp_path.iterdir()) == [source]
    assert fuse(*words) == 0
    # which plane is the best is measured, not decided by a network
    assert fuse(*words, "-s", "dualpath", "--mode", "best-plane", "--overwrite") == 0


def test_aligning_planes_takes_memory(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume(times=1))
    words = [source, "-o", tmp_path / "o.ome.tif"]
    assert needed(capsys, *words, "--align", "translation") > needed(capsys, *words)
    # brightness is data: it is not matched, whatever is said
    assert needed(capsys, *words, "--exposure", "auto") == needed(capsys, *words)


def test_a_dry_run_tells_the_axes(tmp_path, capsys):
    source = write_ome(tmp_path / "s.ome.tif", volume())
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--dry-run", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    (position,) = facts["positions"]
    assert (position["t"], position["z"]) == (T, Z)
    assert position["c"] == ["DAPI", "GFP", "RFP"]
    assert position["voxel_um"] == [1.5, 0.325, 0.325]
    assert not (tmp_path / "o.ome.tif").exists()


def test_an_existing_output_is_refused(tmp_path):
    source = write_ome(tmp_path / "s.ome.tif", volume(times=1))
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 0
    assert fuse(source, "-o", tmp_path / "o.ome.tif") == 1
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--overwrite") == 0
    assert fuse(source, "-o", source, "--overwrite") == 2


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_in_and_out(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    stack = volume()
    source = tmp_path / "s.ome.zarr"
    group = zarr.open_group(str(source), mode="w", zarr_format=version)
    group.create_array("full", shape=stack.shape, chunks=(1, 1, 1, H, W), dtype=stack.dtype)
    group["full"][...] = stack
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    steps = [{"type": "scale", "scale": [1, 1, 1.5, 0.325, 0.325]}]
    data = [{"path": "full", "coordinateTransformations": steps}]
    about = {"multiscales": [{"axes": axes, "datasets": data, "name": "cells"}]}
    about["omero"] = {"channels": [{"label": n, "color": "00FF00"} for n in ("a", "b", "c")]}
    group.attrs.update(about if version == 2 else {"ome": about})
    out = tmp_path / "o.ome.zarr"
    assert fuse(source, "-o", out, "--mode", "select", "--depth-map") == 0
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--mode", "select") == 0
    fused = zarr.open_group(str(out), mode="r")
    (expected,), xml, _ = read(tmp_path / "o.ome.tif")
    np.testing.assert_array_equal(fused["0"][:, :, 0], expected)
    scale = fused.attrs["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale == [1, 1, 1.5, 0.325, 0.325]
    about = fused.attrs["omero"]["channels"]
    assert [c["label"] for c in about] == ["a", "b", "c"]
    assert {c["color"] for c in about} == {"00FF00"}
    # a viewer begins with the values there are, not with black
    assert [c["window"]["end"] for c in about] == expected.max(axis=(0, 2, 3)).tolist()
    assert xml.count('Color="16711935"') == 3
    assert 'PhysicalSizeX="0.325"' in xml
    depth = zarr.open_group(str(tmp_path / "o_depth.ome.zarr"), mode="r")
    window = depth.attrs["omero"]["channels"][0]["window"]
    assert 3.5 < window["end"] <= 4.5 + 1e-6
    assert depth["0"].shape == (T, C, 1, H, W)
    assert fuse(source, "-o", out) == 1
    assert fuse(source, "-o", out, "--overwrite") == 0
    assert leftovers(tmp_path) == []
    # what was written can be read again
    assert open_volume(out).positions[0].voxel_um == (1.5, 0.325, 0.325)


@pytest.mark.parametrize("colour", ["FF0000", "00FF00", "123456", "FFFFFF"])
def test_a_colour_is_the_same_in_both_formats(colour):
    from panfocus.io.volumes.volume import colour_of_hex, hex_of_colour

    assert -(2**31) <= colour_of_hex(colour) < 2**31
    assert hex_of_colour(str(colour_of_hex(colour))) == colour
    assert hex_of_colour("none") == "FFFFFF"
    assert colour_of_hex("none") == -1


def test_what_imagej_reads_is_not_differenced(tmp_path):
    """ImageJ 1.53 takes deflated differences for the pixels."""
    source = write_ome(tmp_path / "s.ome.tif", volume(times=1))
    assert fuse(source, "-o", tmp_path / "o.ome.tif", "--index-map", "--depth-map") == 0
    for name in ("o", "o_index", "o_depth"):
        with tifffile.TiffFile(tmp_path / f"{name}.ome.tif") as file:
            assert all(page.predictor == 1 for page in file.pages)


def test_positions_become_groups_of_an_ome_zarr(tmp_path):
    pytest.importorskip("zarr")
    source = write_ome(tmp_path / "s.ome.tif", volume(times=1), volume(times=1))
    assert fuse(source, "-o", tmp_path / "o.ome.zarr") == 0
    again = open_volume(tmp_path / "o.ome.zarr")
    assert [p.name for p in again.positions] == ["field 0", "field 1"] or len(again.positions) == 2


def test_without_zarr_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    import sys

    source = write_ome(tmp_path / "s.ome.tif", volume(times=1))
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert fuse(source, "-o", tmp_path / "o.ome.zarr") == 2
    assert "panfocus[science]" in capsys.readouterr().err
    assert leftovers(tmp_path) == []
