"""`--axes` in any order gives the fusion of the same planes stored ZYX, or a refusal."""

import shutil
from itertools import permutations

import numpy as np
import pytest
import tifffile

import panfocus
from panfocus.cli import main
from panfocus.errors import InputError
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(5, 48, 64)
STACK = (FRAMES[..., 0].astype(np.uint16) * 16).astype(np.uint16)


def fuse(source, out, *options):
    return main(["fuse", str(source), "-o", str(out), "-s", "guided", *options])


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    tifffile.imwrite(folder / "zyx.tif", STACK)
    assert fuse(folder / "zyx.tif", folder / "o.ome.tif", "--axes", "ZYX") == 0
    return tifffile.imread(folder / "o.ome.tif")


@pytest.mark.parametrize("axes", ["".join(p) for p in permutations("ZYX")])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"imagej": True}])
def test_every_order_is_the_same_stack(tmp_path, truth, axes, options):
    stored = np.ascontiguousarray(STACK.transpose(["ZYX".index(a) for a in axes]))
    tifffile.imwrite(tmp_path / "s.tif", stored, photometric="minisblack", **options)
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", axes) == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "o.ome.tif"), truth)


def test_planes_as_samples_of_one_page(tmp_path, truth):
    stored = np.ascontiguousarray(STACK.transpose(1, 2, 0))
    tifffile.imwrite(tmp_path / "s.tif", stored, photometric="minisblack", planarconfig="contig")
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", "YXZ") == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "o.ome.tif"), truth)


def test_planes_as_separate_samples(tmp_path, truth):
    tifffile.imwrite(tmp_path / "s.tif", STACK, photometric="minisblack", planarconfig="separate")
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", "ZYX") == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "o.ome.tif"), truth)


@pytest.mark.parametrize("axes", ["CYXZ", "YCXZ", "ZCXY", "XCZY", "ZYXC", "YXCZ"])
def test_channels_keep_their_place(tmp_path, truth, axes):
    both = np.stack([STACK, STACK[::-1] // 2])
    stored = np.ascontiguousarray(both.transpose(["CZYX".index(a) for a in axes]))
    tifffile.imwrite(tmp_path / "s.tif", stored, photometric="minisblack")
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", axes) == 0
    fused = tifffile.imread(tmp_path / "o.ome.tif")
    assert fused.shape == (2, 48, 64)
    np.testing.assert_array_equal(fused[0], truth)


@pytest.mark.parametrize("axes", ["ZYXS", "ZSYX", "SZYX", "YXZS", "XSZY"])
def test_colours_may_stand_anywhere(tmp_path, axes):
    stored = np.ascontiguousarray(FRAMES.transpose(["ZYXS".index(a) for a in axes]))
    tifffile.imwrite(tmp_path / "s.tif", stored, photometric="minisblack")
    tifffile.imwrite(tmp_path / "zyxs.tif", FRAMES, photometric="rgb")
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", axes) == 0
    assert fuse(tmp_path / "zyxs.tif", tmp_path / "t.ome.tif", "--axes", "ZYXS") == 0
    fused = tifffile.imread(tmp_path / "o.ome.tif")
    assert fused.shape == (48, 64, 3)
    np.testing.assert_array_equal(fused, tifffile.imread(tmp_path / "t.ome.tif"))


@pytest.mark.parametrize("axes", ["ZZYX", "ZY", "ZYXQ", "TCZYX", "ZYXX", "YX", "ZXX"])
def test_axes_that_do_not_fit_are_refused(tmp_path, capsys, axes):
    tifffile.imwrite(tmp_path / "s.tif", STACK)
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", axes) == 2
    assert "--axes" in capsys.readouterr().err
    assert not (tmp_path / "o.ome.tif").exists()


def test_too_many_colours_are_refused_with_the_remedy(tmp_path, capsys):
    stored = np.ascontiguousarray(np.stack([STACK, STACK]).transpose(0, 2, 3, 1))
    tifffile.imwrite(tmp_path / "s.tif", stored, photometric="minisblack", planarconfig="contig")
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", "ZYXS") == 1
    assert "samples" in capsys.readouterr().err


def test_a_stack_too_large_to_be_turned_is_refused(tmp_path, capsys, monkeypatch):
    tifffile.imwrite(tmp_path / "s.tif", np.ascontiguousarray(STACK.transpose(2, 1, 0)))
    monkeypatch.setattr("panfocus.io.volumes.planes.available_memory", lambda: 1000)
    assert fuse(tmp_path / "s.tif", tmp_path / "o.ome.tif", "--axes", "XYZ") == 2
    assert "save it with Y and X as the last axes" in capsys.readouterr().err


def of_two_channels(folder, **options):
    """Write 2 channels of 5 planes as a row of pages, as most programs do."""
    both = np.stack([STACK, STACK[::-1]])
    with tifffile.TiffWriter(folder / "pages.tif") as file:
        for plane in both.reshape(-1, *STACK.shape[1:]):
            file.write(plane, photometric="minisblack", metadata=None, **options)
    return folder / "pages.tif", both


@pytest.mark.parametrize("axes", ["C2Z5YX", "CZ5YX", "c2zyx"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_pages_that_follow_each_other_are_laid_out_by_sizes(tmp_path, truth, axes, options):
    path, _ = of_two_channels(tmp_path, **options)
    assert fuse(path, tmp_path / "o.ome.tif", "--axes", axes) == 0
    fused = tifffile.imread(tmp_path / "o.ome.tif")
    assert fused.shape == (2, *STACK.shape[1:])
    np.testing.assert_array_equal(fused[0], truth)


def test_the_slowest_axis_is_said_first(tmp_path, truth):
    path, both = of_two_channels(tmp_path)
    stored = both.swapaxes(0, 1).reshape(-1, *STACK.shape[1:])
    with tifffile.TiffWriter(path) as file:
        for plane in stored:
            file.write(plane, photometric="minisblack", metadata=None)
    assert fuse(path, tmp_path / "o.ome.tif", "--axes", "ZC2YX") == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "o.ome.tif")[0], truth)


@pytest.mark.parametrize(
    "axes",
    ["CZYX", "C3ZYX", "C0ZYX", "C2Z4YX", "C2Z5Y48X", "C2Z5XY2", "2C5ZYX", "C2Z5YX!", "C2Z5X"],
)
def test_sizes_that_do_not_make_up_the_pages_are_refused(tmp_path, capsys, axes):
    path, _ = of_two_channels(tmp_path)
    assert fuse(path, tmp_path / "o.ome.tif", "--axes", axes) == 2
    told = capsys.readouterr().err
    assert "axes" in told
    assert f"got: {axes}" in told
    assert not (tmp_path / "o.ome.tif").exists()


def test_what_lacks_sizes_is_told_how_to_say_them(tmp_path, capsys):
    path, _ = of_two_channels(tmp_path)
    assert fuse(path, tmp_path / "o.ome.tif", "--axes", "CZYX") == 2
    assert "--axes C2ZYX" in capsys.readouterr().err


def test_a_batch_reads_every_tiff_of_a_folder_by_the_axes_told(tmp_path, truth):
    (tmp_path / "all").mkdir()
    path, _ = of_two_channels(tmp_path)
    for name in ("one", "two"):
        shutil.copy(path, tmp_path / "all" / f"{name}.tif")
    words = [str(tmp_path / "all"), str(tmp_path / "out"), "-s", "guided", "--axes", "C2ZYX"]
    assert main(["batch", *words, "--workers", "0"]) == 0
    for name in ("one", "two"):
        fused = tifffile.imread(tmp_path / "out" / f"{name}.ome.tif")
        np.testing.assert_array_equal(fused[0], truth)


def test_a_batch_of_one_tiff_reads_it_by_the_axes_told(tmp_path):
    path, _ = of_two_channels(tmp_path)
    words = [str(path), str(tmp_path / "out"), "-s", "guided", "--axes", "C2ZYX", "--workers", "0"]
    assert main(["batch", *words]) == 0
    assert len([*(tmp_path / "out").glob("*.ome.tif")]) == 2


def test_a_batch_of_a_manifest_reads_its_tiffs_by_the_axes_told(tmp_path, truth):
    of_two_channels(tmp_path)
    (tmp_path / "m.csv").write_text("name,inputs\na,pages.tif\n", encoding="utf-8")
    words = [str(tmp_path / "m.csv"), str(tmp_path / "out"), "-s", "guided", "--axes", "C2ZYX"]
    assert main(["batch", *words, "--workers", "0"]) == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "a.ome.tif")[0], truth)


def test_an_array_of_several_named_axes_is_never_one_stack_of_frames(tmp_path, truth):
    both = np.stack([STACK, STACK[::-1] // 2])
    told = tmp_path / "told.tif"
    tifffile.imwrite(told, both, photometric="minisblack", metadata={"axes": "CZYX"})
    assert fuse(told, tmp_path / "o.tif") == 0
    fused = tifffile.imread(tmp_path / "o.tif")
    assert fused.shape == (2, 48, 64)
    np.testing.assert_array_equal(fused[0], truth)
    with pytest.raises(InputError, match="2 x 5 planes"):
        panfocus.fuse([told, tmp_path / "o.tif"])


@pytest.mark.parametrize("shape", [(5, 48, 64), (1, 5, 1, 48, 64), (5, 1, 48, 64, 3)])
def test_an_array_of_one_axis_is_frames(tmp_path, shape):
    stored = np.broadcast_to(STACK[..., None], (*STACK.shape, 3 if shape[-1] == 3 else 1))
    kind = "rgb" if shape[-1] == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "s.tif", np.reshape(stored, shape), photometric=kind)
    assert panfocus.plan([tmp_path / "s.tif"], panfocus.Options()).count == 5
