"""A scale bar: its length in pixels, where it lies, what it says, and when it is refused."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import UsageError
from panfocus.pipeline.project import Project
from panfocus.surface import scale_bar
from panfocus.surface.scale_bar import fitting, in_words, length_of, with_scale_bar
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(4, 120, 160)


def longest_run(rows):
    """Return the longest run of True along any row."""
    best = 0
    for row in rows:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]]).astype(int)))
        best = max([best, *(edges[1::2] - edges[::2])])
    return best


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_bar_is_as_long_as_it_says(dtype, channels):
    shape = (200, 400, channels) if channels > 1 else (200, 400)
    top = np.iinfo(dtype).max
    dark = np.full(shape, top // 10 if dtype == np.uint16 else 20, dtype)
    dark.reshape(-1)[0] = top  # so that all of the range is used
    out = with_scale_bar(dark, 50, 0.5)
    assert (out.dtype, out.shape) == (dark.dtype, dark.shape)
    grey = out[..., 0] if channels > 1 else out
    assert longest_run(grey == top) == 100
    changed = np.argwhere(grey != (dark[..., 0] if channels > 1 else dark))
    assert changed.min(axis=0)[0] > 140  # at the bottom, and right
    assert changed.min(axis=0)[1] > 270
    assert changed.max(axis=0)[1] < 400


def test_it_is_dark_on_what_is_bright():
    out = with_scale_bar(np.full((200, 400), 230, np.uint8), 50, 0.5)
    assert longest_run(out == 0) == 100


def test_it_is_as_bright_as_what_is_shown_where_few_bits_are_used():
    twelve = np.full((200, 400), 300, np.uint16)
    twelve[0, 0] = 4095
    assert with_scale_bar(twelve, 50, 0.5).max() == 4095


def test_the_font_s_missing_letter_is_drawn():
    # a µ is a u whose first stem goes down
    with_stem, plain = (scale_bar._label(text, 40) for text in ("5 µm", "5 um"))
    added = with_stem.copy()
    added[: len(plain)] -= plain
    rows, columns = np.nonzero(added > 128)
    assert with_stem.shape[1] == plain.shape[1]
    assert len(with_stem) > len(plain) + 5
    assert np.ptp(columns) < 8
    assert rows.max() == len(with_stem) - 1


def test_lengths_are_told_with_their_units():
    assert [length_of(t) for t in ("100um", "5 µm", "0.5mm", "250nm", " AUTO ")] == [
        100, 5, 500, 0.25, None,
    ]  # fmt: skip
    for text in ("", "100", "um", "-5um", "0um", "5 bananas", "1e3um", "nan um", "9999999999um"):
        with pytest.raises(UsageError, match="no length of a scale bar"):
            length_of(text)
    assert [in_words(v) for v in (1000, 999, 0.5, 1e6, 0.0002)] == [
        "1 mm", "999 µm", "500 nm", "1 m", "0.2 nm",
    ]  # fmt: skip


@pytest.mark.parametrize("pixel", [0.001, 0.325, 7.3, 1000])
@pytest.mark.parametrize("width", [16, 500, 8000])
def test_a_round_one_fits_always(width, pixel):
    length = fitting(None, width, pixel)
    assert 0.09 * width * pixel <= length <= 0.25 * width * pixel
    assert f"{length:.3e}"[0] in "125"


def test_one_that_does_not_fit_is_refused():
    assert fitting(50, 400, 0.5) == 50
    for length in (0.5, 190):
        with pytest.raises(UsageError, match="does not fit"):
            fitting(length, 400, 0.5)


def test_small_pictures_are_painted_as_far_as_they_go():
    for shape in ((16, 16), (17, 300), (300, 17)):
        out = with_scale_bar(np.zeros(shape, np.uint8), 4, 1)
        assert out.max() == 255


def test_of_photographs_it_is_in_a_copy(tmp_path, capsys):
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"{n}.png")
    out = tmp_path / "o.png"
    words = ["fuse", str(folder), "-o", str(out), "-s", "guided", "--scale-bar", "20um"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "--scale-bar" in said
    assert "--pixel-size" in said
    assert not out.exists()
    assert main([*words, "--pixel-size", "0.5"]) == 0
    plain, barred = (cv2.imread(str(tmp_path / f"o{t}.png")) for t in ("", "_scalebar"))
    assert longest_run((barred != plain).any(axis=2)) >= 40
    np.testing.assert_array_equal(plain[:60], barred[:60])
    assert main([*words, "--pixel-size", "0.5"]) == 1  # both exist
    fusion = panfocus.fuse(folder, system="guided")
    fusion.save(tmp_path / "p.ome.tif", scale_bar="auto", pixel_um=0.5)
    with tifffile.TiffFile(tmp_path / "p_scalebar.ome.tif") as file:
        assert file.is_ome


def test_a_project_keeps_it(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"{n}.png")
    project = tmp_path / "p.panfocus.json"
    words = ["fuse", str(folder), "-o", str(tmp_path / "o.png"), "-s", "guided"]
    bar = ["--scale-bar", "20um", "--pixel-size", "0.5"]
    assert main([*words, *bar, "--save-project", str(project)]) == 0
    told = Project.read(project)
    assert told.outputs.scale_bar == "20um"
    assert "--scale-bar=20um" in told.command_line()


@pytest.mark.parametrize("guide", [None, "0"])
def test_of_volumes_there_is_a_picture_of_every_stack(tmp_path, guide, capsys):
    grey = FRAMES[..., 0].astype(np.uint16) * 16
    about = {"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    source = tmp_path / "s.ome.tif"
    tifffile.imwrite(source, np.stack([grey, grey // 2]), metadata=about, photometric="minisblack")
    words = ["fuse", str(source), "-s", "guided", "--scale-bar", "20um"]
    words += ["--guide-channel", guide] if guide else []
    assert main([*words, "-o", str(tmp_path / "o.ome.tif")]) == 0
    bars = sorted(path.name for path in tmp_path.glob("*scalebar*"))
    names = ["o_scalebar.png"] if guide else ["o_scalebar_c0.png", "o_scalebar_c1.png"]
    assert bars == names
    drawn = cv2.imread(str(tmp_path / bars[0]), cv2.IMREAD_UNCHANGED)
    assert drawn.ndim == (3 if guide else 2)
    assert drawn.dtype == np.uint8
    plain = tmp_path / "plain.ome.tif"
    tifffile.imwrite(plain, grey, metadata={"axes": "ZYX"}, photometric="minisblack")
    assert main(["fuse", str(plain), "-o", str(tmp_path / "q.ome.tif"), *words[2:6]]) == 2
    assert "size of a pixel is not known" in capsys.readouterr().err
    assert not (tmp_path / "q.ome.tif").exists()
    result = panfocus.fuse_volume(grey, axes="ZYX", system="guided", voxel_um=(1, 0.5, 0.5))
    files = result.save(tmp_path / "v.png", scale_bar="20um")
    assert files == [tmp_path / "v.png", tmp_path / "v_scalebar.png"]
