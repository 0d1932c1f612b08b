"""`Fusion.save`: every file of a fusion by one call."""

import json
import os

import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import OutputError, UsageError
from tests.conftest import focal_stack, texture


@pytest.fixture(scope="module")
def frames():
    import cv2

    sharp = texture(48, 64, 3)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    half = np.arange(64)[None, :, None] < 32
    return [np.where(half, sharp, soft), np.where(half, soft, sharp)]


@pytest.fixture
def fusion(frames):
    return panfocus.fuse(frames, system="guided", align="translation", z_step_um=2.0)


def test_all_files_are_written_where_they_belong(fusion, tmp_path):
    fusion.save(
        tmp_path / "out.tif",
        maps=("depth", "index"),
        height_map=tmp_path / "height.png",
        mesh=tmp_path / "surface.ply",
        pixel_um=1.0,
        transforms=tmp_path / "transforms.json",
        report=tmp_path / "report.json",
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "height.png",
        "out.tif",
        "out_depth.tif",
        "out_index.tif",
        "report.json",
        "surface.ply",
        "transforms.json",
    ]
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), fusion.image)
    assert np.array_equal(tifffile.imread(tmp_path / "out_depth.tif"), fusion.depth)
    assert json.loads((tmp_path / "report.json").read_text())["system"]["name"] == "guided"


def test_maps_go_where_they_are_told_to(fusion, tmp_path):
    notes = fusion.save(tmp_path / "a.png", maps={"confidence": tmp_path / "clear.png"})
    assert (tmp_path / "clear.png").is_file()
    assert any("clear.png" in note for note in notes)  # its scale


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"maps": ["height"]}, UsageError),
        ({"maps": {"depth": "out.tif"}}, UsageError),
        ({"mesh": "surface.stl"}, (OutputError, UsageError)),
    ],
)
def test_what_cannot_be_is_refused(fusion, tmp_path, monkeypatch, wanted, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        fusion.save("out.tif", **wanted)


def test_maps_that_were_not_made_cannot_be_saved(frames, tmp_path):
    bare = panfocus.fuse(frames, system="guided", maps=False)
    for wanted in ({"maps": ["depth"]}, {"height_map": tmp_path / "h.png"}):
        with pytest.raises(UsageError, match=r"maps=True|no depth"):
            bare.save(tmp_path / "out.tif", overwrite=True, **wanted)


def test_nothing_is_replaced_unless_asked(fusion, tmp_path):
    fusion.save(tmp_path / "out.tif", report=tmp_path / "r.json")
    with pytest.raises(OutputError):
        fusion.save(tmp_path / "out.tif")
    with pytest.raises(OutputError):
        fusion.save(tmp_path / "other.tif", report=tmp_path / "r.json")
    fusion.save(tmp_path / "out.tif", report=tmp_path / "r.json", overwrite=True)


def test_a_fusion_tells_of_itself_in_one_line(fusion):
    text = repr(fusion)
    assert "\n" not in text
    assert "64 x 48 uint8 from 2 frames by guided" in text
    assert "depth" in text


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_sixteen_bits_become_eight_where_a_format_holds_no_more(frames, tmp_path, ending):
    for n, frame in enumerate(frames):
        tifffile.imwrite(tmp_path / f"{n}.tif", frame.astype(np.uint16) * 257, photometric="rgb")
    deep = panfocus.fuse([tmp_path / "0.tif", tmp_path / "1.tif"], system="guided")
    files = {"stereo": tmp_path / f"s{ending}"}
    notes = deep.save(tmp_path / f"out{ending}", quality=100, **files)
    assert sum("16 bits per channel became 8" in note for note in notes) == 1
    shown = np.asarray(Image.open(tmp_path / f"out{ending}"))
    assert shown.dtype == np.uint8
    assert np.abs(shown - np.rint(deep.image / 257)).mean() < 2
    assert deep.image.dtype == np.uint16  # what is at hand keeps its bits
    assert deep.save(tmp_path / "out.tif") == []


def test_sixteen_bits_that_were_asked_for_are_not_cut(frames, tmp_path):
    deep = panfocus.fuse(frames, system="guided", bit_depth=16)
    with pytest.raises(OutputError, match="8 bits per channel"):
        deep.save(tmp_path / "out.jpg")
    for name in ("0.png", "1.png"):
        Image.fromarray(frames[int(name[0])]).save(tmp_path / name)
    words = ["fuse", str(tmp_path / "*.png"), "-o", str(tmp_path / "o.jpg"), "--bit-depth", "16"]
    assert main([*words, "-s", "guided"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
@pytest.mark.parametrize(
    "name",
    ["a.png", "a.tif", "map.png", "map.tif", "height.png", "mesh.ply", "t.json", "report.json"],
)
@pytest.mark.parametrize("is_link", [False, True])
def test_nothing_but_ordinary_files_is_replaced(fusion, tmp_path, name, is_link):
    """A pipe stands for what cannot be made again by its user: a socket, a device."""
    pipe = tmp_path / ("pipe" if is_link else name)
    os.mkfifo(pipe)
    if is_link:
        (tmp_path / name).symlink_to(pipe)
    beside = {
        "map": {"maps": {"depth": tmp_path / name}},
        "height": {"height_map": tmp_path / name},
        "mesh": {"mesh": tmp_path / name, "pixel_um": 1.0},
        "t": {"transforms": tmp_path / name},
        "report": {"report": tmp_path / name},
    }
    kind = name.split(".", maxsplit=1)[0]
    picture = name if kind == "a" else "fused.png"
    with pytest.raises(OutputError, match="not an ordinary file"):
        fusion.save(tmp_path / picture, **beside.get(kind, {}), overwrite=True)
    assert pipe.is_fifo()
    assert not list(tmp_path.glob(".panfocus-*"))


def test_what_lies_beside_an_ome_tiff_has_its_name_and_no_part_of_its_ending(tmp_path):
    stack, _ = focal_stack(4, 48, 64)
    (tmp_path / "in").mkdir()
    for n, frame in enumerate(stack):
        Image.fromarray(frame).save(tmp_path / "in" / f"{n}.png")
    out = tmp_path / "out" / "a.ome.tif"
    words = ["fuse", str(tmp_path / "in"), "-s", "guided", "-o", str(out)]
    words += ["--depth-map", "--slab", "3", "1", "--scale-bar", "10um", "--pixel-size", "1"]
    assert main(words) == 0
    assert {path.name for path in out.parent.iterdir()} == {
        "a.ome.tif",
        "a_depth.tif",
        "a_slab01.ome.tif",
        "a_slab02.ome.tif",
        "a_scalebar.ome.tif",
    }
