"""The writer of PNG: bands compressed apart are one stream, by ISA-L or without it."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from panfocus.frame import Metadata
from panfocus.io import deflate, png, png_write
from panfocus.resources.threads import opencv_threads


def picture(height, width, channels=3, dtype=np.uint8):
    rng = np.random.default_rng(0)
    shape = (height, width, channels) if channels > 1 else (height, width)
    smooth = np.cumsum(rng.integers(-2, 3, shape), axis=1)
    return np.ascontiguousarray(smooth % (np.iinfo(dtype).max + 1)).astype(dtype)


needs_isal = pytest.mark.skipif(not deflate.has_isal, reason="ISA-L is not built for this machine")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bands_on_any_number_of_threads_are_one_picture(threads, dtype):
    pixels = picture(1500, 700, dtype=dtype)
    with opencv_threads(threads):
        data = b"".join(png_write.encode(pixels, Metadata()))
    np.testing.assert_array_equal(png.decode(data), pixels)


def test_threads_do_not_change_the_file():
    pixels = picture(1500, 700)
    files = []
    for threads in (1, 2, 4):
        with opencv_threads(threads):
            files.append(b"".join(png_write.encode(pixels, Metadata())))
    assert files[0] == files[1] == files[2]


def test_without_isal_files_are_whole(monkeypatch):
    pixels = picture(300, 200, 4)
    monkeypatch.setattr(png_write, "has_isal", False)
    monkeypatch.setattr(deflate, "isal_zlib", None)
    data = b"".join(png_write.encode(pixels, Metadata()))
    np.testing.assert_array_equal(png.decode(data), pixels)


def test_a_stream_too_long_for_a_chunk_is_split(monkeypatch):
    pixels = picture(400, 300)
    monkeypatch.setattr(png_write, "_MOST_OF_A_CHUNK", 1000)
    data = b"".join(png_write.encode(pixels, Metadata()))
    assert data.count(b"IDAT") > 2
    np.testing.assert_array_equal(png.decode(data), pixels)
    assert struct.unpack(">I", data[33:37])[0] <= 1000


@needs_isal
def test_parts_join_to_one_stream_with_the_checksum_of_all():
    rows = picture(90, 200, 1)
    parts = [
        deflate.deflate_part(rows[:40], is_last=False),
        deflate.deflate_part(rows[40:41], is_last=False),
        deflate.deflate_part(rows[41:], is_last=True),
    ]
    adler = 1
    for _, own, length in parts:
        adler = deflate.joined_checksum(adler, own, length)
    assert adler == zlib.adler32(rows.tobytes())
    stream = deflate.HEADER + b"".join(p for p, _, _ in parts) + struct.pack(">I", adler)
    assert zlib.decompress(stream) == rows.tobytes()


def test_other_decoders_read_it():
    pixels = picture(700, 500)
    data = np.frombuffer(b"".join(png_write.encode(pixels, Metadata())), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), pixels)
