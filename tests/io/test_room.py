"""Small files that tell of huge pictures are refused before room is made for them."""

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import time
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.errors import InputError, UsageError
from panfocus.io import find_frames, jpeg_xl, read_frame, room
from panfocus.io.volumes.unpacked import holds_more
from panfocus.resources import memory
from tests.support.files import photo, save

SIDE = 60_000


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Little memory, whatever this machine has."""
    monkeypatch.setattr(room, "available_memory", lambda: 2**30)
    monkeypatch.setattr(memory, "free_memory", lambda: 2**30)


def jxl_of(side):
    """A bare codestream of a square: sizes of 30 bits, all else by default."""
    bits = 0b11 << 1 | (side - 1) << 3 | 1 << 33 | 1 << 36 | 1 << 37
    return b"\xff\x0a" + bits.to_bytes(8, "little") + bytes(50)


@pytest.mark.parametrize(
    "shape",
    [(8, 8), (16, 256), (37, 53), (40, 60), (300, 400), (9, 16), (1, 1), (700, 3), (72, 64)],
)
@pytest.mark.parametrize("boxed", [False, True])
def test_the_size_of_a_jpeg_xl_is_read_from_its_first_bytes(shape, boxed):
    pixels = np.zeros((*shape, 3), np.uint8)
    data = imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=boxed)
    assert data.startswith(b"\0\0\0\x0cJXL ") == boxed
    assert jpeg_xl._size(data) == shape


def test_a_jpeg_xl_of_a_huge_picture_is_not_decoded(tmp_path, monkeypatch):
    assert jpeg_xl._size(jxl_of(SIDE)) == (SIDE, SIDE)
    monkeypatch.setattr(imagecodecs, "jpegxl_decode", None)
    with pytest.raises(InputError, match="memory ran out") as caught:
        find_frames([save(tmp_path, "a.jxl", jxl_of(SIDE))])
    assert f"{SIDE} x {SIDE}" in str(caught.value)
    for data in (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)):
        with pytest.raises(InputError):
            find_frames([save(tmp_path, "b.jxl", data)])


def test_an_exr_of_a_huge_picture_is_not_opened(tmp_path):
    exr = pytest.importorskip("OpenEXR")
    light = np.ones((20, 30, 3), np.float32)
    exr.File({"type": exr.scanlineimage}, {"RGB": light}).write(str(tmp_path / "a.exr"))
    data = (tmp_path / "a.exr").read_bytes()
    assert len(find_frames([tmp_path / "a.exr"])[0]) == 1
    at = data.index(b"dataWindow\0box2i\0") + 21
    for window, words in (((0, 0, SIDE, SIDE), "memory ran out"), ((5, 5, 1, 1), "without pixels")):
        huge = data[:at] + struct.pack("<4i", *window) + data[at + 16 :]
        with pytest.raises(InputError, match=words):
            find_frames([save(tmp_path, "b.exr", huge)])
    with pytest.raises(InputError, match="cannot be read"):
        find_frames([save(tmp_path, "c.exr", data[:30])])


def test_frames_of_a_film_that_are_huge_are_not_asked_for(tmp_path, monkeypatch):
    out = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(3):
        out.write(np.zeros((48, 64, 3), np.uint8))
    out.release()
    assert len(find_frames([tmp_path / "a.avi"])[0]) == 3
    monkeypatch.setattr(room, "_LITTLE", 100)
    monkeypatch.setattr(room, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="64 x 48 pixels"):
        find_frames([tmp_path / "a.avi"])


def tiff_of_zeros(side, dtype):
    """A sound TIFF, all of whose strips are one and the same."""
    rows, kind = 256, np.dtype(dtype)
    strip = zlib.compress(bytes(rows * side * kind.itemsize), 9)
    count = -(-side // rows)
    start = 8 + len(strip)
    tables = struct.pack(f"<{2 * count}I", *[8] * count, *[len(strip)] * count)
    sign = {"u": 1, "i": 2, "f": 3}[kind.kind]
    entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8 * kind.itemsize), (259, 3, 1, 8),
               (262, 3, 1, 1), (273, 4, count, start), (277, 3, 1, 1), (278, 4, 1, rows),
               (279, 4, count, start + 4 * count), (339, 3, 1, sign)]  # fmt: skip
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = struct.pack("<2sHI", b"II", 42, start + len(tables))
    return head + strip + tables + struct.pack("<H", len(entries)) + packed + bytes(4)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_memory_is_counted_before_the_range_of_numbers_is_looked_for(tmp_path, monkeypatch, dtype):
    names = [save(tmp_path, f"{n}.tif", tiff_of_zeros(12_000, dtype)) for n in range(2)]
    monkeypatch.setattr("panfocus.io.alike.stored_values", None)
    with pytest.raises(UsageError, match="more memory than is allowed"):
        panfocus.fuse(names, system="guided", max_memory="300M")


def test_a_psd_that_is_packed_as_nobody_does_is_not_unpacked(tmp_path):
    pytest.importorskip("psd_tools")
    from panfocus.frame import Metadata
    from panfocus.io.psd import write_psd
    from panfocus.io.psd_layers import LayeredPicture, PsdLayer

    pixels = photo()
    layers = iter([(pixels, None)])
    path = tmp_path / "a.psd"
    write_psd(path, LayeredPicture(pixels, [PsdLayer("f")], layers), Metadata())
    data = path.read_bytes()
    at = 26
    for _ in range(3):
        at += 4 + struct.unpack_from(">I", data, at)[0]
    packed = data[:at] + struct.pack(">H", 2) + zlib.compress(bytes(10**6))
    (info,), _ = find_frames([save(tmp_path, "b.psd", packed)])
    with pytest.raises(InputError, match="kind that is not read") as caught:
        read_frame(info)
    assert "packed" in str(caught.value)
    spoilt = re.sub(b"8BIM", b"8BIX", data, count=1)
    with pytest.raises(InputError, match="do not fit together"):
        find_frames([save(tmp_path, "c.psd", spoilt)])


def test_numbers_that_are_text_are_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("panfocus.io.pnm._PIECE", 7)
    values = np.arange(60, dtype=np.uint16).reshape(5, 12) * 1000
    rows = "\n".join(" ".join(map(str, row)) for row in values.tolist())
    data = f"P2\n12 5\n# of\n65535\n{rows}\n".encode()
    frame = read_frame(find_frames([save(tmp_path, "a.pgm", data)])[0][0])
    np.testing.assert_array_equal(frame.pixels, values)
    for spoilt in (data[:-8], data.replace(b"7000", b"7x00"), data.replace(b"7000", b"-7000")):
        with pytest.raises(InputError):
            read_frame(find_frames([save(tmp_path, "b.pgm", spoilt)])[0][0])
    bits = b"P1\n9 2\n" + b"0 1\n" * 9
    frame = read_frame(find_frames([save(tmp_path, "a.pbm", bits)])[0][0])
    assert frame.pixels.ravel().tolist() == [255, 0] * 9


def gif_of(count):
    pictures = [Image.fromarray(np.full((16, 16), n, np.uint8)) for n in range(count)]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=20)
    return out.getvalue()


def test_pictures_of_a_gif_are_read_one_from_the_other(tmp_path, monkeypatch):
    path = save(tmp_path, "a.gif", gif_of(200))
    infos, _ = find_frames([path])
    opened = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: opened.append(1) or real(*a, **k))
    for _ in range(2):
        assert [int(read_frame(i).pixels.mean()) for i in infos] == list(range(200))
    assert len(opened) == 2  # once for each time that all are read
    assert int(read_frame(infos[150]).pixels.mean()) == 150
    assert int(read_frame(infos[3]).pixels.mean()) == 3  # backwards, too
    time.sleep(0.01)
    save(tmp_path, "a.gif", gif_of(20))  # another file of the name
    assert int(read_frame(infos[4]).pixels.mean()) == 4
    with pytest.raises(InputError):
        read_frame(infos[150])


PACKERS = {
    "Zlib": zlib.compress, "GZip": gzip.compress, "GzipCodec": gzip.compress,
    "BZ2": bz2.compress, "LZMA": lzma.compress, "Zstd": imagecodecs.zstd_encode,
    "ZstdCodec": imagecodecs.zstd_encode,
    "LZ4": lambda data: struct.pack("<I", len(data)) + imagecodecs.lz4_encode(data),
}  # fmt: skip


@pytest.mark.parametrize("codec", PACKERS)
@pytest.mark.parametrize("size", [1, 255, 256, 1000, 100_000, 3_000_000])
def test_what_a_chunk_holds_is_known_without_unpacking_it(tmp_path, codec, size):
    data = np.random.default_rng(1).integers(0, 3, size, np.uint8).tobytes()
    path = save(tmp_path, "chunk", PACKERS[codec](data))
    assert not holds_more(codec, path, size)
    assert holds_more(codec, path, size - 1)
    assert not holds_more(codec, save(tmp_path, "cut", path.read_bytes()[:3]), size)
    assert not holds_more("Other", path, 0)


def test_chunks_of_several_members_count_as_one(tmp_path):
    for codec, pack in (("GZip", gzip.compress), ("BZ2", bz2.compress), ("LZMA", lzma.compress)):
        path = save(tmp_path, "chunk", pack(bytes(10)) + pack(bytes(1000)))
        assert holds_more(codec, path, 1009)
        assert not holds_more(codec, path, 1010)


@pytest.mark.parametrize("codec", ["zlib", "gzip", "zstd", "bz2"])
def test_a_chunk_of_a_zarr_that_would_unpack_to_more_is_refused(tmp_path, codec):
    zarr = pytest.importorskip("zarr")
    import numcodecs

    store = tmp_path / "a.zarr"
    group = zarr.open_group(str(store), mode="w", zarr_format=2)
    packer = numcodecs.get_codec({"id": codec})
    planes = np.random.default_rng(0).integers(0, 4000, (3, 32, 32), np.uint16)
    group.create_array("0", data=planes, chunks=(1, 32, 32), compressors=packer)
    axes = [{"name": a, "type": "space"} for a in "zyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    about = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    (store / ".zattrs").write_text(json.dumps(about))
    assert panfocus.fuse_volume(store, system="guided").image.shape == (1, 1, 32, 32)
    chunk = next(p for p in (store / "0").iterdir() if p.name.startswith("1"))
    chunk.write_bytes(packer.encode(bytes(10**6)))
    with pytest.raises(InputError, match="unpacks to more"):
        panfocus.fuse_volume(store, system="guided")
