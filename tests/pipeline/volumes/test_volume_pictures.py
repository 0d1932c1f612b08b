"""A volume into a picture, and what is drawn of each of its stacks."""

import json

import cv2
import numpy as np
import pytest
import tifffile

import panfocus
from panfocus import fuse_volume
from panfocus.cli import main
from panfocus.errors import OutputError, UsageError
from panfocus.pipeline.volumes.choice import volume_settings
from panfocus.pipeline.volumes.summary import Summary
from tests.conftest import focal_stack
from tests.fusion.test_subframe_depth import tilted_plane

Z, H, W = 6, 48, 64
FRAMES, SHARP = focal_stack(Z, H, W)
GREY = FRAMES[..., 0].astype(np.uint16) * 16
STACK = np.stack([np.stack([GREY, GREY // 2]), np.stack([GREY + 7, GREY // 3])])  # TCZYX
SIZES = {"PhysicalSizeZ": 0.5, "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2}
RED, GREEN, BLUE = 0xFF0000FF - 2**32, 0x00FF00FF, 0x0000FFFF


def ome(path, stack, axes, **about):
    kind = "rgb" if axes.endswith("S") else "minisblack"
    tifffile.imwrite(path, stack, metadata={"axes": axes, **SIZES, **about}, photometric=kind)
    return path


@pytest.fixture
def cells(tmp_path):
    return ome(tmp_path / "cells.ome.tif", STACK, "TCZYX", Channel={"Name": ["DAPI", "GFP"]})


def fuse(*words):
    return main(["fuse", "-s", "guided", "--mode", "select", *map(str, words)])


def picture(path):
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fused(source, **options):
    return fuse_volume(source, system="guided", mode="select", **options)


def test_one_plane_is_a_picture_in_the_numbers_of_the_file(tmp_path, cells):
    out = tmp_path / "o.png"
    assert fuse(cells, "-o", out, "--only", "T=1,C=GFP", "--depth-map", "--index-map") == 0
    np.testing.assert_array_equal(picture(out), fused(STACK, axes="TCZYX").image[1, 1])
    assert tifffile.imread(tmp_path / "o_index.tif").dtype == np.uint16
    assert tifffile.imread(tmp_path / "o_depth.tif").max() == pytest.approx(2.5)


def test_more_than_one_is_refused_in_words_that_say_how_to_choose(tmp_path, cells, capsys):
    before = names(tmp_path)
    assert fuse(cells, "-o", tmp_path / "o.png") == 2
    said = capsys.readouterr().err
    for fact in ("2 times (T 0, 1)", "2 channels (C 0 DAPI, 1 GFP)", "--only T=0,C=DAPI"):
        assert fact in said
    assert [line.split(":")[0].strip() for line in said.splitlines()] == [
        "panfocus", "where", "expected", "got", "remedy",
    ]  # fmt: skip
    assert fuse(cells, "-o", tmp_path / "o.png", "--only", "T=0,C=DAPI", "--dry-run") == 0
    assert fuse(cells, "-o", tmp_path / "o.png", "--dry-run") == 2
    assert names(tmp_path) == before


@pytest.mark.parametrize("said", ["colours", "names"])
def test_red_green_and_blue_are_one_picture(tmp_path, said):
    planes = np.moveaxis(FRAMES, -1, 0)[::-1]  # blue comes first
    about = {"Color": [BLUE, GREEN, RED]} if said == "colours" else {"Name": ["B", "g", "Red"]}
    source = ome(tmp_path / "s.ome.tif", planes, "CZYX", Channel=about)
    assert fuse(source, "-o", tmp_path / "o.png", "--index-map", "--json", tmp_path / "o.json") == 0
    out = picture(tmp_path / "o.png")
    index = tifffile.imread(tmp_path / "o_index.tif")
    chosen = np.take_along_axis(FRAMES, index[None, ..., None].astype(np.intp), axis=0)[0]
    np.testing.assert_array_equal(out, chosen)  # all three from one plane
    assert json.loads((tmp_path / "o.json").read_text())["stacks"][0]["c"] == [0, 1, 2]


def test_three_other_channels_are_no_picture(tmp_path, capsys):
    source = ome(tmp_path / "s.ome.tif", np.moveaxis(FRAMES, -1, 0), "CZYX")
    assert fuse(source, "-o", tmp_path / "o.png") == 2
    assert "3 channels (C 0, 1, 2)" in capsys.readouterr().err


def test_pixels_with_colours_are_a_picture(tmp_path):
    source = ome(tmp_path / "s.ome.tif", FRAMES, "ZYXS")
    assert fuse(source, "-o", tmp_path / "o.png") == 0
    assert picture(tmp_path / "o.png").shape == (H, W, 3)


def test_eight_bits_show_the_range_that_is_used(tmp_path, cells, capsys):
    for name, words in (("o.jpg", []), ("o8.png", ["--bit-depth", "8"])):
        assert fuse(cells, "-o", tmp_path / name, "--only", "T=0,C=0", *words) == 0
        shown = picture(tmp_path / name)
        assert shown.dtype == np.uint8
        assert shown.min() < 10
        assert shown.max() > 245
        assert "are shown as black to white" in capsys.readouterr().err
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--bit-depth", "8") == 2
    assert "--bit-depth" in capsys.readouterr().err


def test_fractions_become_sixteen_bits_with_a_note(tmp_path, capsys):
    source = ome(tmp_path / "s.ome.tif", (GREY / 100).astype(np.float32), "ZYX")
    assert fuse(source, "-o", tmp_path / "o.png") == 0
    assert picture(tmp_path / "o.png").dtype == np.uint16
    assert "numbers of float32" in capsys.readouterr().err


def test_arrays_are_saved_as_pictures(tmp_path):
    result = fused(np.moveaxis(FRAMES, -1, 0), axes="CZYX", channel_names=["R", "G", "B"])
    result.save(tmp_path / "o.png")
    np.testing.assert_array_equal(picture(tmp_path / "o.png"), np.moveaxis(result.image[0], 0, -1))
    with pytest.raises(UsageError, match="decided for itself"):
        result.save(tmp_path / "p.png", maps=["depth"])
    with pytest.raises(UsageError, match="holds one plane"):
        fused(STACK, axes="TCZYX").save(tmp_path / "q.png")
    assert names(tmp_path) == ["o.png"]


def test_height_maps_and_meshes_are_one_file_a_stack(tmp_path, cells):
    trimesh = pytest.importorskip("trimesh")
    words = ["--height-map", tmp_path / "h.png", "--mesh", tmp_path / "m.ply"]
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", *words) == 0
    tails = [f"t{t}_c{c}" for t in range(2) for c in range(2)]
    files = [f"h_{tail}.png" for tail in tails] + [f"m_{tail}.ply" for tail in tails]
    assert names(tmp_path) == sorted(["cells.ome.tif", "o.ome.tif", *files])
    for tail in tails:
        drawn = picture(tmp_path / f"h_{tail}.png")
        assert drawn.shape[0] == H
        assert drawn.shape[1] > W
        mesh = trimesh.load(tmp_path / f"m_{tail}.ply")
        x, y, z = np.ptp(mesh.vertices, axis=0)
        assert x == pytest.approx(0.2 * (W - 1), rel=1e-3)  # µm by the file's own pixel size
        assert y == pytest.approx(0.2 * (H - 1), rel=1e-3)
        assert 1 < z < 2.51  # and by its own step


def test_channels_that_share_a_decision_share_their_height_map(tmp_path, cells):
    words = ["--height-map", tmp_path / "h.png", "--guide-channel", "GFP", "--only", "T=0"]
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", *words) == 0
    assert [n for n in names(tmp_path) if n.startswith("h")] == ["h.png"]


def test_python_draws_the_same(tmp_path, cells):
    words = ["--height-map", tmp_path / "c.png", "--only", "T=0,C=1"]
    assert fuse(cells, "-o", tmp_path / "c.ome.tif", *words) == 0
    result = fused(cells, only={"T": 0, "C": 1})
    files = result.save(tmp_path / "p.ome.tif", height_map=tmp_path / "p.png")
    assert files == [tmp_path / "p.ome.tif", tmp_path / "p.png"]
    np.testing.assert_array_equal(picture(tmp_path / "c.png"), picture(tmp_path / "p.png"))
    with pytest.raises(OutputError):
        result.save(tmp_path / "q.ome.tif", height_map=tmp_path / "p.png")
    assert not (tmp_path / "q.ome.tif").exists()
    with pytest.raises(UsageError, match="no maps"):
        fused(cells, maps=False).save(tmp_path / "q.ome.tif", height_map=tmp_path / "q.png")


@pytest.mark.parametrize("guide", [None, "DAPI"])
@pytest.mark.parametrize("ending", [".ome.tif", ".ome.zarr"])
def test_slabs_are_the_planes_of_one_more_file(tmp_path, cells, guide, ending):
    if ending == ".ome.zarr":
        pytest.importorskip("zarr")
    words = ["--slab", 3, 1, *(["--guide-channel", guide] if guide else [])]
    assert fuse(cells, "-o", tmp_path / f"o{ending}", *words) == 0
    result = fused(cells, slab=(3, 1), guide_channel=guide)
    slabs = result.positions[0].slabs
    assert slabs.shape == (2, 2, 3, H, W)
    for t, c in np.ndindex(2, 2):
        if guide is None:
            alone = fused(STACK[t, c, 2:5], axes="ZYX").image[0, 0]
        else:
            alone = fused(STACK[t, :, 2:5], axes="CZYX", guide_channel=0).image[0, c]
        np.testing.assert_array_equal(slabs[t, c, 1], alone)
    path = tmp_path / f"o_slabs{ending}"
    if ending == ".ome.zarr":
        import zarr

        np.testing.assert_array_equal(zarr.open(path)["0"][:], slabs)
        return
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TZCYX"
        np.testing.assert_array_equal(file.asarray(), slabs.swapaxes(1, 2))
        assert 'PhysicalSizeZ="1.0"' in file.ome_metadata  # two planes from slab to slab
    assert result.save(tmp_path / "p.ome.tif")[1] == tmp_path / "p_slabs.ome.tif"
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "p_slabs.ome.tif"), tifffile.imread(path)
    )


def test_slabs_of_a_picture_are_pictures(tmp_path, cells):
    words = ["--only", "T=0,C=0", "--slab", 3, 1, "--bit-depth", "8"]
    assert fuse(cells, "-o", tmp_path / "o.png", *words) == 0
    found = [n for n in names(tmp_path) if n.startswith("o_slab")]
    assert found == ["o_slab01.png", "o_slab02.png", "o_slab03.png"]
    # all by the range of the whole, so that one can be painted into the other
    whole, slab = picture(tmp_path / "o.png"), picture(tmp_path / "o_slab01.png")
    np.testing.assert_array_equal(whole[:, 4:24], slab[:, 4:24])


def test_slabs_that_cannot_be_are_told(tmp_path, cells, capsys):
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--slab", 3, 1, "--align", "auto") == 2
    assert "--slab, --align" in capsys.readouterr().err
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--slab", 3, 3) == 2
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--layers", tmp_path / "l.psd") == 2
    assert "--layers" in capsys.readouterr().err


def test_a_dry_run_is_a_table_in_words(tmp_path, cells, capsys):
    words = ["--slab", 3, 1, "--height-map", tmp_path / "h.png", "--only", "T=1"]
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--dry-run", *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("cells.ome.tif: OME-TIFF")
    assert lines[1].split() == "position T C Z pixels numbers µm along Z, Y, X".split()
    assert "1 of 2  2 (DAPI, GFP)  6  64 x 48  uint16   0.5, 0.2, 0.2" in lines[2]
    assert "2 stacks along Z, 28 planes in all, by guided" in lines[3]
    assert [line.strip() for line in lines if line.endswith("h_c1.png")]
    assert names(tmp_path) == ["cells.ome.tif"]
    assert fuse(cells, "-o", tmp_path / "o.ome.tif", "--dry-run", "--json", *words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["stacks"], facts["planes"]) == (2, 28)
    assert facts["positions"][0]["t"] == 1


def test_progress_counts_the_planes_of_all(tmp_path):
    told = []
    fused(STACK, axes="TCZYX", progress=lambda *one: told.append(one))
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told[0][2].startswith("plane 1 of 24: position 0, T 0, C 0, Z 0")
    numbers = [int(text.split()[1]) for _, stage, text in told if stage == "fuse"]
    assert set(range(1, 25)) <= set(numbers)
    assert sum(stage == "done" for _, stage, _ in told) == 1


def test_planes_of_a_volume_are_never_out_of_order():
    frames, _ = tilted_plane(8, 192, 256)
    noise = np.random.default_rng(0).normal(0, 1, frames.shape[:3])
    grey = np.clip(np.rint(frames.mean(axis=-1) + noise), 0, 255).astype(np.uint8)
    stack = grey[[5, 0, 1, 2, 3, 4, 6, 7]]

    def notes(warnings):
        return [note for note in warnings if "out of order" in note]

    assert notes(panfocus.fuse(stack, system="guided").report.warnings) != []
    assert notes(fused(stack, axes="ZYX").summary.warnings) == []


def test_what_holds_of_several_stacks_is_one_line():
    dark = STACK.copy()
    dark[:, :, 3] = dark[:, :, 2]  # a plane twice, in every stack
    summary = fused(dark, axes="TCZYX").summary
    assert len([w for w in summary.warnings if "same as" in w or "duplicate" in w]) >= 4
    lines = summary.notes
    assert len(lines) < len(summary.warnings)
    assert any(line.endswith("(so 4 stacks)") for line in lines)
    plain = Summary("a", "b", {}, warnings=["general"])
    assert plain.notes == ["general"]
    assert volume_settings().align == "none"
