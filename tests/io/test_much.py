"""Files of any length: what is no part of a picture is not read through to the end."""

import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus.errors import InputError
from panfocus.io import boxes, find_frames, png
from panfocus.io.room import check_file
from tests.support.files import photo

#: More than any memory here, and nothing on the disk.
HUGE = 2**36


def lengthened(path, start=None):
    """Leave the beginning of a file, or all of it, and a hole behind it."""
    data = path.read_bytes()[:start]
    with path.open("wb") as file:
        file.write(data)
        file.truncate(HUGE)
    return path


def written(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    Image.fromarray(photo(24, 32)).save(path)
    return path


@pytest.mark.parametrize("ending", [".png", ".gif"])
@pytest.mark.parametrize("start", [13, 64])
def test_a_hole_behind_the_beginning_is_not_looked_through(tmp_path, ending, start):
    with pytest.raises(InputError, match="cannot be read"):
        find_frames([lengthened(written(tmp_path, ending), start)])


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".gif", ".ppm", ".avif", ".jp2"])
def test_a_file_that_is_far_larger_than_its_picture_is_not_read(tmp_path, ending):
    with pytest.raises(InputError, match=f"a file of {HUGE // 2**20} MiB"):
        find_frames([lengthened(written(tmp_path, ending))])


def test_a_picture_may_carry_as_much_besides_as_cameras_write():
    check_file(64 * 2**20, 24 * 32 * 3)
    check_file(2 * 2**30, 200 * 2**20)
    with pytest.raises(ValueError, match="a file of 3072 MiB"):
        check_file(3 * 2**30, 24 * 32 * 3)
    with pytest.raises(ValueError, match="a file of 4096 MiB"):
        check_file(2**32)


def test_a_film_without_a_beginning_is_refused_at_once(tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF" + struct.pack("<I", 2**31) + b"AVI " + bytes(100))
    with pytest.raises(InputError, match="a film without a beginning"):
        find_frames([lengthened(path)])


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_part_of_a_png_has_a_name(tmp_path):
    written(tmp_path, ".png")
    data = (tmp_path / "a.png").read_bytes()
    for name, sound in ((b"\0\0\0\0", False), (b"1234", False), (b"teSt", True)):
        (tmp_path / "a.png").write_bytes(data[:33] + chunk(name) + data[33:])
        if sound:
            find_frames([tmp_path / "a.png"])
        else:
            with pytest.raises(InputError, match="a part of it has no name"):
                find_frames([tmp_path / "a.png"])


def test_parts_beyond_number_are_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(png, "_MOST_CHUNKS", 50)
    written(tmp_path, ".png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:33] + 60 * chunk(b"teSt") + data[33:])
    with pytest.raises(InputError, match="more than 50 parts"):
        find_frames([tmp_path / "a.png"])
    jpeg = tmp_path / "a.jpg"
    written(tmp_path, ".jpg")
    data = jpeg.read_bytes()
    for more in (b"\xff\xe5\0\x02" * 70_000, b"\xff" * 70_000):
        jpeg.write_bytes(data[:2] + more + data[2:])
        with pytest.raises(InputError, match=r"more than 65536 parts|damaged"):
            find_frames([jpeg])
    jpeg.write_bytes(data[:2] + b"\xff" * 9 + data[2:])  # as some cameras fill
    find_frames([jpeg])
    webp = tmp_path / "a.webp"
    written(tmp_path, ".webp")
    data = webp.read_bytes() + 70_000 * b"JUNK\0\0\0\0"
    webp.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    with pytest.raises(InputError, match="more than 65536 parts"):
        find_frames([webp])
    assert len(list(boxes.boxes(70_000 * b"\0\0\0\x08free"))) == 65_536


def test_bytes_between_the_pictures_of_a_gif_are_passed_over_if_few(tmp_path):
    frames = [Image.fromarray(photo(24, 32) + np.uint8(n)) for n in range(3)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes(100) + data[-1:])
    assert len(find_frames([path])[0]) == 3
    path.write_bytes(data[:-1] + bytes(5000) + data[-1:])
    with pytest.raises(InputError, match="no part of it"):
        find_frames([path])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes")
def test_a_pipe_in_place_of_a_file_that_is_looked_at_beside_frames_is_passed_over(tmp_path):
    planes = tmp_path / "planes"
    planes.mkdir()
    for c, z in np.ndindex(2, 3):
        tifffile.imwrite(planes / f"img_c{c}_z{z}.tif", np.full((24, 32), 9 * z, np.uint16))
    os.mkfifo(planes / "metadata.txt")
    fused = panfocus.fuse_volume(planes, system="guided")
    assert fused.save(tmp_path / "fused.ome.tif")
