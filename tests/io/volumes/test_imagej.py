"""Stacks along Z that ImageJ wrote keep µm, unit and colours, whichever way they are fused."""

import json

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

import panfocus
from panfocus.cli import main
from panfocus.cli.app import app
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(5, 48, 64)
GREY = FRAMES[..., 0]
DEEP = GREY.astype(np.uint16) * 16


def write(path, stack=DEEP, axes="ZYX", resolution=(1 / 0.3, 1 / 0.3), **metadata):
    metadata = {"axes": axes, "spacing": 2.0, "unit": "um", **metadata}
    tifffile.imwrite(path, stack, imagej=True, resolution=resolution, metadata=metadata)
    return path


def fuse(source, out, *options):
    return main(["fuse", str(source), "-o", str(out), "-s", "guided", *options])


def imagej_of(path):
    with tifffile.TiffFile(path) as file:
        return file.imagej_metadata or {}, file.pages[0].tags["XResolution"].value


@pytest.mark.parametrize(
    ("stack", "axes"),
    [(DEEP, "ZYX"), (GREY, "ZYX"), (DEEP.astype(np.float32), "ZYX"), (FRAMES, "ZYXS")],
)
def test_no_axes_are_needed_to_keep_what_is_measured(tmp_path, stack, axes):
    source = write(tmp_path / "s.tif", stack, axes)
    told = {}
    for name, options in (("plain", ()), ("told", ("--axes", axes))):
        out = tmp_path / f"{name}.tif"
        assert fuse(source, out, "--depth-map", *options) == 0
        said, resolution = imagej_of(out)
        assert said["unit"] == "um"
        assert resolution[0] / resolution[1] == pytest.approx(1 / 0.3, rel=1e-4)
        depth = tifffile.imread(tmp_path / f"{name}_depth.tif")
        assert depth.max() == pytest.approx(8.0)
        told[name] = tifffile.imread(out)
        assert told[name].dtype == stack.dtype
    np.testing.assert_array_equal(told["plain"], told["told"])


@pytest.mark.parametrize(
    ("facts", "top"),
    [
        ({"unit": "nm", "spacing": 2000.0}, 8.0),
        ({"unit": "mm", "spacing": 0.002}, 8.0),
        ({"unit": "micron", "spacing": 2.0}, 8.0),
        ({"unit": "inch", "spacing": 0.0001}, 10.16),
        ({"unit": "\\u00B5m", "spacing": 2.0}, 8.0),
        ({"unit": "um", "spacing": -2.0}, 8.0),
        ({"unit": "um", "spacing": 1.0}, 4.0),
        ({"unit": "pixel", "spacing": 2.0}, 4.0),
    ],
)
def test_every_unit_is_turned_to_micrometres(tmp_path, facts, top):
    source = write(tmp_path / "s.tif", **facts)
    for out in ("o.tif", "o.ome.tif", "o.png"):
        assert fuse(source, tmp_path / out, "--depth-map", "--overwrite") == 0
        ending = ".ome.tif" if ".ome" in out else ".tif"
        depth = tifffile.imread(tmp_path / f"o_depth{ending}")
        assert depth.max() == pytest.approx(top, rel=1e-4)


def test_a_unit_that_is_no_length_is_said(tmp_path, capsys):
    source = write(tmp_path / "s.tif", DEEP[:, None].repeat(2, 1), "ZCYX", unit="furlongs")
    assert fuse(source, tmp_path / "o.tif", "--depth-map") == 0
    assert "'furlongs' is no length" in capsys.readouterr().err


def test_a_table_of_colours_stays(tmp_path):
    fire = np.linspace(0, 255, 256)[None] ** np.array([[1.0], [0.8], [0.3]])
    fire = (fire / fire.max(1, keepdims=True) * 255).astype(np.uint8)
    source = write(tmp_path / "s.tif", LUTs=[fire])
    assert fuse(source, tmp_path / "o.tif") == 0
    kept = np.reshape(imagej_of(tmp_path / "o.tif")[0]["LUTs"], (3, 256))
    np.testing.assert_array_equal(kept, fire)
    two = write(tmp_path / "t.tif", DEEP[:, None].repeat(2, 1), "ZCYX", mode="composite",
                LUTs=[fire, fire[::-1]])  # fmt: skip
    assert fuse(two, tmp_path / "p.tif") == 0
    np.testing.assert_array_equal(imagej_of(tmp_path / "p.tif")[0]["LUTs"][1], fire[::-1])


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize("imagej", [True, False])
def test_numbers_that_no_photograph_has_are_fused_and_kept(tmp_path, dtype, imagej):
    if imagej and dtype != np.float32:
        pytest.skip("ImageJ has no signed numbers")
    stack = (DEEP / 4095.0 if dtype == np.float32 else DEEP.astype(np.int32) - 900).astype(dtype)
    told = {"axes": "ZYX"} if imagej else None
    tifffile.imwrite(tmp_path / "s.tif", stack, imagej=imagej, metadata=told)
    for out in ("o.tif", "o.ome.tif"):
        assert fuse(tmp_path / "s.tif", tmp_path / out) == 0
        assert tifffile.imread(tmp_path / out).dtype == dtype


def test_floats_into_a_png_become_sixteen_bits_and_are_told(tmp_path, capsys):
    tifffile.imwrite(
        tmp_path / "s.tif", (DEEP / 4095).astype(np.float32), imagej=True, metadata={"axes": "ZYX"}
    )
    assert fuse(tmp_path / "s.tif", tmp_path / "o.png") == 0
    assert "0 to 1 are read as 0 to 65535" in capsys.readouterr().err
    picture = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint16
    assert picture.max() > 40_000


def test_what_only_photographs_have_still_works_and_depth_is_a_length(tmp_path):
    source = write(tmp_path / "s.tif", FRAMES, "ZYXS")
    assert fuse(source, tmp_path / "o.tif", "--depth-map", "--bit-depth", "16") == 0
    assert tifffile.imread(tmp_path / "o.tif").dtype == np.uint16
    assert tifffile.imread(tmp_path / "o_depth.tif").max() == pytest.approx(8.0)
    assert fuse(source, tmp_path / "s2.tif", "--height-map", str(tmp_path / "h.png")) == 0


def test_the_library_counts_depth_by_the_files_step(tmp_path):
    result = panfocus.fuse(write(tmp_path / "s.tif"), system="guided")
    assert result.depth.max() == pytest.approx(8.0)
    assert any("2 µm" in warning for warning in result.report.warnings)
    told = panfocus.fuse(tmp_path / "s.tif", system="guided", z_step_um=1.0)
    assert told.depth.max() == pytest.approx(4.0)


def test_photographs_and_times_are_no_such_stacks(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", GREY)
    assert fuse(tmp_path / "plain.tif", tmp_path / "o.tif", "--depth-map") == 0
    assert tifffile.imread(tmp_path / "o_depth.tif").max() == pytest.approx(4.0)
    write(tmp_path / "times.tif", axes="TYX")
    assert fuse(tmp_path / "times.tif", tmp_path / "p.tif", "--depth-map") == 0
    assert tifffile.imread(tmp_path / "p_depth.tif").max() == pytest.approx(4.0)


def test_a_batch_keeps_the_step_too(tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.tif")
    tifffile.imwrite(
        tmp_path / "in" / "f.tif",
        (DEEP / 4095).astype(np.float32),
        imagej=True,
        metadata={"axes": "ZYX"},
    )
    for ending, files in (("tif", ("a_depth.ome.tif",)), ("png", ("a_depth.tif",))):
        out = tmp_path / ending
        words = ["batch", str(tmp_path / "in"), str(out), "-s", "guided", "--workers", "0",
                 "--format", ending, "--depth-map"]  # fmt: skip
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        for name in files:
            assert tifffile.imread(out / name).max() == pytest.approx(8.0)
        assert json.loads((out / "report.json").read_text())
