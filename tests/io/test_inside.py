"""Damage behind a sound header of TIFF, PNG and WebP: refused by name, never another picture."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import tifffile

from panfocus.errors import InputError
from panfocus.io import find_frames, read_frame
from tests.io.test_jpeg_damage import scene
from tests.support.files import pillow, png_chunk, save, tiff_bytes

PICTURE = scene(5, 200, 264)


def read(folder, data, suffix, **how):
    (info,), _ = find_frames([save(folder, "frame" + suffix, data)])
    return read_frame(replace(info, **how))


def with_sizes(data, change):
    """A TIFF whose table of strip or tile sizes says something else."""
    with tifffile.TiffFile(BytesIO(data)) as tiff:
        tag = tiff.pages[0].tags.get(279) or tiff.pages[0].tags.get(325)
        sizes = tag.value if isinstance(tag.value, tuple) else (tag.value,)
        code, at = {2: "H", 4: "I"}[struct.calcsize(tag.dataformat[-1])], tag.valueoffset
    out = bytearray(data)
    for n, size in enumerate(sizes):
        struct.pack_into("<" + code, out, at + n * struct.calcsize(code), change(n, size))
    return bytes(out)


LAYOUTS = {"strips": {"rowsperstrip": 32}, "tiles": {"tile": (64, 64)}, "one": {}}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", [None, "lzw", "adobe_deflate", "packbits", "zstd", "jpeg"])
def test_strips_that_are_too_short_are_refused(tmp_path, layout, compression):
    data = tiff_bytes(PICTURE, compression=compression, **LAYOUTS[layout])
    for change in (lambda n, s: s // 2, lambda n, s: s - 9 if n == 0 else s):
        with pytest.raises(InputError, match="frame"):
            read(tmp_path, with_sizes(data, change), ".tif")


def test_short_strips_are_known_before_decoding(tmp_path):
    data = with_sizes(tiff_bytes(PICTURE, rowsperstrip=32), lambda n, s: s - (n == 3))
    with pytest.raises(InputError, match="strip or tile 4 has"):
        find_frames([save(tmp_path, "a.tif", data)])


def test_missing_strips_and_tiles_are_refused(tmp_path):
    for options in ({"rowsperstrip": 32}, {"tile": (64, 64), "compression": "zlib"}):
        data = bytearray(tiff_bytes(PICTURE, **options))
        with tifffile.TiffFile(BytesIO(bytes(data))) as tiff:
            tags = [t for t in tiff.pages[0].tags if t.code in (273, 279, 324, 325)]
            counts = [(t.offset + 4, t.count) for t in tags]
        for at, count in counts:
            struct.pack_into("<I", data, at, count - 1)
        with pytest.raises(InputError, match="in place of"):
            find_frames([save(tmp_path, "a.tif", bytes(data))])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_jpeg_in_a_tiff_is_refused_or_told(tmp_path, layout):
    data = tiff_bytes(PICTURE, compression="jpeg", **LAYOUTS[layout])
    with tifffile.TiffFile(BytesIO(data)) as tiff:
        at = tiff.pages[0].dataoffsets[0] + tiff.pages[0].databytecounts[0] // 2
    damaged = data[:at] + bytes(300) + data[at + 300 :]
    with pytest.raises(InputError, match="lenient=True"):
        read(tmp_path, damaged, ".tif")
    assert "JPEG in strip or tile 1" in read(tmp_path, damaged, ".tif", lenient=True).notes[-1]
    assert read(tmp_path, data, ".tif").notes == ()


def idat(data):
    """The parts of a PNG in front of, in, and behind its compressed pixels."""
    begin = data.index(b"IDAT") - 4
    out, at = b"", begin
    while data[at + 4 : at + 8] == b"IDAT":
        length = int.from_bytes(data[at : at + 4], "big")
        out += data[at + 8 : at + 8 + length]
        at += 12 + length
    return data[:begin], out, data[at:]


def test_png_data_that_end_early_or_fail_their_sum_are_refused(tmp_path):
    front, body, end = idat(pillow(PICTURE, "PNG"))
    rows = zlib.decompress(body)
    for wrong in (
        body[:-4] + b"1234",
        body[: len(body) // 2],
        zlib.compress(rows[: len(rows) // 2]),
        body[:5000] + bytes(512) + body[5512:],
    ):
        with pytest.raises(InputError, match="frame"):
            read(tmp_path, front + png_chunk(b"IDAT", wrong) + end, ".png")
    np.testing.assert_array_equal(
        read(tmp_path, front + png_chunk(b"IDAT", body) + end, ".png").pixels, PICTURE
    )


WEBP = {
    "lossy": {"quality": 90},
    "lossless": {"lossless": True},
}


@pytest.mark.parametrize("kind", WEBP)
def test_zeros_and_copies_in_webp_are_refused(tmp_path, kind):
    good = pillow(PICTURE, "WEBP", **WEBP[kind])
    begin = len(good) // 2 // 512 * 512
    for piece in (bytes(512), good[begin - 2048 : begin - 1024]):
        with pytest.raises(InputError, match="frame"):
            read(tmp_path, good[:begin] + piece + good[begin + len(piece) :], ".webp")
    assert read(tmp_path, good, ".webp").pixels.shape == PICTURE.shape


@pytest.mark.parametrize("kind", WEBP)
def test_flat_and_repeating_webp_are_read(tmp_path, kind):
    for picture in (
        np.zeros((900, 1200, 3), np.uint8),
        np.full((900, 1200, 3), 255, np.uint8),
        np.tile(PICTURE[:64, :64], (16, 16, 1)),
    ):
        data = pillow(picture, "WEBP", **WEBP[kind])
        assert read(tmp_path, data, ".webp").pixels.shape == picture.shape


def inks():
    out = BytesIO()
    tifffile.imwrite(out, PICTURE[..., [0, 1, 2, 0, 1]], photometric="separated")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "suffix", "remedy"),
    [
        (tiff_bytes(PICTURE[..., 0].astype(np.complex64)), ".tif", "magnitude"),
        (inks(), ".tif", "RGB"),
    ],
)
def test_what_is_sound_but_not_taken_is_not_called_damaged(tmp_path, data, suffix, remedy):
    path = save(tmp_path, "frame" + suffix, data)
    with pytest.raises(InputError, match=remedy) as caught:
        find_frames([path])
    assert "copy the file again" not in str(caught.value)


STACKS = {
    "tifffile": {},
    "tifffile-zlib": {"compression": "zlib"},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
}


@pytest.mark.parametrize("kind", STACKS)
@pytest.mark.parametrize("last", [2, 4])
def test_a_chain_of_pages_that_ends_early_is_refused(tmp_path, kind, last):
    """The file is as long as ever, and the pages behind are not reached."""
    path = tmp_path / "stack.tif"
    stack = np.stack([scene(n, 48, 64)[..., 0] for n in range(6)])
    tifffile.imwrite(path, stack, photometric="minisblack", **STACKS[kind])
    assert len(find_frames([path])[0]) == 6
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[last].offset
    data = bytearray(path.read_bytes())
    entries = struct.unpack_from("<H", data, at)[0]
    struct.pack_into("<I", data, at + 2 + 12 * entries, 0)
    path.write_bytes(data)
    with pytest.raises(InputError, match="tells of 6 pages"):
        find_frames([path])
