"""Frames whose orientation tags differ are turned so that all show one scene, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

import panfocus
from panfocus.cli.app import app
from panfocus.errors import InputError
from panfocus.io import check_frames, find_frames, read_frame, settle_orientation, turned
from tests.io.test_jpeg_damage import scene
from tests.support.files import pillow, save

PICTURE = scene(11, 192, 256)
#: what brings stored pixels upright, so that its inverse stores upright ones
_STORE = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


def exif(tag):
    block = Image.Exif()
    block[0x0112] = tag
    return block.tobytes()


def write(folder, n, pixels, tag, kind):
    pixels = np.ascontiguousarray(pixels)
    if kind == "tif":
        extra = [(274, 3, 1, tag, True)]
        tifffile.imwrite(folder / f"{n}.tif", pixels, photometric="rgb", extratags=extra)
        return
    if kind == "heic":
        heif = pytest.importorskip("pillow_heif")
        out = heif.from_pillow(Image.fromarray(pixels))
        out.info["exif"] = exif(tag)
        out.save(folder / f"{n}.heic", quality=-1)
        return
    name = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[kind]
    options = {"jpg": {"quality": 95}, "png": {}, "webp": {"lossless": True}}[kind]
    save(folder, f"{n}.{kind}", pillow(pixels, name, exif=exif(tag), **options))


def stack(folder):
    infos, _ = find_frames([folder])
    infos, notes = settle_orientation(infos)
    check_frames(infos)
    return [read_frame(info).pixels.astype(int) for info in infos], notes


def assert_same(frames):
    for frame in frames[1:]:
        assert frame.shape == frames[0].shape
        assert np.abs(frame - frames[0]).mean() < 6


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize(
    "tags", [(1, 1, 3, 1), (6, 8, 6), (1, 6, 1), (3, 3, 1, 8), (1, 2), (5, 5, 1)]
)
def test_a_camera_that_looks_down_stands_still(tmp_path, kind, tags):
    """The pixels lie alike, and only the tags change."""
    for n, tag in enumerate(tags):
        write(tmp_path, n, PICTURE, tag, kind)
    frames, notes = stack(tmp_path)
    assert_same(frames)
    assert len(notes) == 1
    assert "they are turned like them" in notes[0]


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("tags", [(1, 1, 3, 1), (6, 8, 6), (1, 6, 1), (1, 2, 4), (1, 5, 7, 1)])
def test_pixels_that_a_viewer_has_turned_are_turned_by_their_own_tag(tmp_path, kind, tags):
    for n, tag in enumerate(tags):
        write(tmp_path, n, _STORE[tag](PICTURE), tag, kind)
    frames, notes = stack(tmp_path)
    assert_same(frames)
    assert len(notes) == 1
    assert "turned by its own tag" in notes[0]


def test_both_ways_in_one_stack(tmp_path):
    for n, (tag, stored) in enumerate([(1, 1), (3, 3), (1, 1), (3, 1), (1, 1)]):
        write(tmp_path, n, _STORE[stored](PICTURE), tag, "png")
    frames, notes = stack(tmp_path)
    assert_same(frames)
    assert [note.split(":")[0] for note in notes] == ["3.png", "1.png"]


def test_a_heic_is_turned_back_from_what_its_reader_did(tmp_path):
    for n, tag in enumerate((1, 6, 1)):
        write(tmp_path, n, PICTURE, tag, "heic")
    frames, notes = stack(tmp_path)
    assert_same(frames)
    assert len(notes) <= 1


def test_another_scene_is_refused(tmp_path):
    write(tmp_path, 0, PICTURE, 1, "png")
    write(tmp_path, 1, PICTURE, 1, "png")
    write(tmp_path, 2, scene(77, 192, 256), 6, "png")
    with pytest.raises(InputError, match="orientation tag") as caught:
        stack(tmp_path)
    assert "2.png" in str(caught.value)


def test_equal_tags_are_not_looked_into(tmp_path, monkeypatch):
    for n in range(3):
        write(tmp_path, n, PICTURE, 6, "jpg")
    monkeypatch.setattr(turned, "_small", None)
    frames, notes = stack(tmp_path)
    assert notes == []
    assert frames[0].shape == (256, 192, 3)


def test_fuse_tells_it_and_the_result_is_upright(tmp_path):
    for n, tag in enumerate((6, 6, 8)):
        write(tmp_path, n, PICTURE, tag, "jpg")
    out = tmp_path / "out.jpg"
    told = CliRunner().invoke(app, ["fuse", str(tmp_path), "-o", str(out), "-s", "guided"])
    assert told.exit_code == 0, told.output
    assert "2.jpg: another orientation tag" in told.stderr
    with Image.open(out) as image:
        assert image.size == (192, 256)
        assert image.getexif().get(274, 1) == 1
    aligned = panfocus.fuse(tmp_path, align="auto", system="guided")
    assert aligned.image.shape[0] > 240
