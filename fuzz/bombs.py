"""Small files that tell of huge pictures, or of endless ones: refused before room is made.

The memory that is allowed is little, so that what is asked for first and checked later shows.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from fuzz.case import Case, How
from fuzz.made import fuse, stack, zarr_at
from fuzz.samples import samples

#: A side that no picture has: of RGB, 10 GB.
_SIDE = 60_000
_ALLOWED = "300M"


def _png(side: int) -> bytes:
    data = samples()["png"].data
    head = struct.pack(">II", side, side) + data[24:29]
    return data[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + data[33:]


def _gif(side: int) -> bytes:
    data = samples()["gif"].data
    return data[:6] + struct.pack("<HH", side, side) + data[10:]


def _bmp(side: int) -> bytes:
    data = samples()["bmp"].data
    return data[:18] + struct.pack("<ii", side, side) + data[26:]


def _pnm(head: str) -> Callable[[int], bytes]:
    return lambda side: f"{head}\n{side} {side}\n255\n".encode() + bytes(1000)


def _psd(side: int) -> bytes:
    data = samples()["psd"].data
    return data[:14] + struct.pack(">II", side, side) + data[22:]


def _jp2(side: int) -> bytes:
    data = samples()["j2k"].data
    return data[:8] + struct.pack(">II", side, side) + data[16:]


def _jxl(side: int) -> bytes:
    """Write a bare codestream: sizes of 30 bits, all else by default, and then nothing."""
    bits = 0b0 | (0b11 << 1) | ((side - 1) << 3) | (0b001 << 33) | (1 << 36) | (1 << 37)
    return b"\xff\x0a" + bits.to_bytes(8, "little") + bytes(200)


def _jxl_real(side: int) -> bytes:
    """Write a sound picture of one colour, of a few kilobytes."""
    import imagecodecs

    return imagecodecs.jpegxl_encode(np.zeros((side, side), np.uint8), lossless=True, effort=1)


def _exr(side: int) -> bytes:
    data = bytearray(samples()["exr"].data)
    for name in (b"dataWindow\0box2i\0", b"displayWindow\0box2i\0"):
        at = data.index(name) + len(name) + 4
        data[at : at + 16] = struct.pack("<iiii", 0, 0, side - 1, side - 1)
    return bytes(data)


def _avi(side: int) -> bytes:
    data = bytearray(samples()["avi"].data)
    at = data.index(b"avih") + 8 + 32
    data[at : at + 8] = struct.pack("<II", side, side)
    at = data.index(b"strf") + 8 + 4
    data[at : at + 8] = struct.pack("<ii", side, side)
    return bytes(data)


def _avi_frame(side: int) -> bytes:
    """Let every JPEG in it tell of the size, too."""
    data = bytearray(_avi(side))
    at = data.find(b"\xff\xc0")
    while at >= 0:
        data[at + 5 : at + 9] = struct.pack(">HH", side, side)
        at = data.find(b"\xff\xc0", at + 2)
    return bytes(data)


def _jpeg(side: int) -> bytes:
    data = samples()["jpeg"].data
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", side, side) + data[at + 4 :]


def _tiff(kind: str) -> Callable[[int], bytes]:
    """Let a TIFF's tags of width, length and rows a strip tell of another size."""

    def make(side: int) -> bytes:
        data = bytearray(samples()[kind].data)
        start = struct.unpack_from("<I", data, 4)[0]
        for n in range(struct.unpack_from("<H", data, start)[0]):
            at = start + 2 + 12 * n
            if struct.unpack_from("<H", data, at)[0] in (256, 257, 278):
                struct.pack_into("<HII", data, at + 2, 4, 1, side)
        return bytes(data)

    return make


def _tiff_whole(dtype: str) -> Callable[[int], bytes]:
    """Write a sound TIFF of zeros, all whose strips are one and the same, and small."""

    def make(side: int) -> bytes:
        rows, kind = 256, np.dtype(dtype)
        strip = zlib.compress(bytes(rows * side * kind.itemsize), 9)
        count = -(-side // rows)
        sign = {"u": 1, "i": 2, "f": 3}[kind.kind]
        start = 8 + len(strip)
        tables = struct.pack(f"<{count}I", *[8] * count)
        tables += struct.pack(f"<{count}I", *[len(strip)] * count)
        entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8 * kind.itemsize),
                   (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, count, start), (277, 3, 1, 1),
                   (278, 4, 1, rows), (279, 4, count, start + 4 * count),
                   (339, 3, 1, sign)]  # fmt: skip
        packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        head = struct.pack("<2sHI", b"II", 42, start + len(tables))
        return head + strip + tables + struct.pack("<H", len(entries)) + packed + bytes(4)

    return make


def _psd_zipped(side: int) -> bytes:
    """Let the flattened picture of a PSD be packed, a thousandfold."""
    data = samples()["psd"].data
    at = 26
    for _ in range(3):  # colours, resources, layers
        at += 4 + struct.unpack_from(">I", data, at)[0]
    packed = zlib.compress(bytes(3 * side * side), 1)
    head = data[:14] + struct.pack(">II", side, side) + data[22:at]
    return head + struct.pack(">H", 2) + packed


def _psd_small(side: int) -> bytes:
    """Let it tell of a small picture, and unpack to a large one."""
    data = _psd_zipped(side)
    return data[:14] + struct.pack(">II", 24, 32) + data[22:]


#: By name: how the file is made, its side, its ending.
_HUGE: dict[str, tuple[Callable[[int], bytes], int, str]] = {
    "png": (_png, _SIDE, ".png"), "gif": (_gif, _SIDE, ".gif"), "bmp": (_bmp, _SIDE, ".bmp"),
    "pgm": (_pnm("P5"), _SIDE, ".pgm"), "ppm plain": (_pnm("P3"), _SIDE, ".ppm"),
    "psd": (_psd, 30_000, ".psd"), "j2k": (_jp2, _SIDE, ".j2k"), "jxl": (_jxl, _SIDE, ".jxl"),
    "jxl whole": (_jxl_real, 12_000, ".jxl"), "exr": (_exr, _SIDE, ".exr"),
    "avi": (_avi, 16_000, ".avi"), "avi and frames": (_avi_frame, 16_000, ".avi"),
    "jpeg": (_jpeg, _SIDE, ".jpg"),
    **{name: (_tiff(name), _SIDE, ".tif") for name in
       ("tiff", "tiff-deflate", "tiff-lzw-tiles", "tiff-float", "tiff-signed", "tiff-zstd")},
    "tiff zeros": (_tiff_whole("uint8"), 40_000, ".tif"),
    "tiff zeros float": (_tiff_whole("float32"), 20_000, ".tif"),
    "tiff zeros signed": (_tiff_whole("int16"), 30_000, ".tif"),
    "psd packed": (_psd_zipped, 12_000, ".psd"),
    "psd packed small": (_psd_small, 20_000, ".psd"),
}  # fmt: skip


def _huge(name: str) -> Case:
    make, side, ending = _HUGE[name]

    def prepare(folder: Path) -> list[str]:
        data = make(side)
        for n in range(2):
            (folder / f"f{n}{ending}").write_bytes(data)
        names = [f"f{n}{ending}" for n in range(2)]
        return fuse(names, "--align", "none", "--max-memory", _ALLOWED, out="out.tif")

    return Case("bombs", name, prepare, codes=(1, 2), made=(), how=How(memory=600, seconds=30))


def _many_pictures(count: int) -> bytes:
    pictures = [Image.fromarray(np.full((64, 64), n % 256, np.uint8)) for n in range(count)]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=20)
    return out.getvalue()


def _gif_of(folder: Path) -> list[str]:
    (folder / "many.gif").write_bytes(_many_pictures(1500))
    return fuse(["many.gif"], "--align", "none", out="out.png")


def _plain_numbers(folder: Path) -> list[str]:
    """Write numbers as text, which take fifty times as much as objects."""
    for n in range(2):
        rows = (f"{n} 1 2 3 4 5 6 7\n" * 400_000).encode()
        (folder / f"f{n}.pgm").write_bytes(b"P2\n2000 1600\n9\n" + rows)
    return fuse(["f0.pgm", "f1.pgm"], "--align", "none", out="out.png")


def _chunk(folder: Path) -> list[str]:
    """Let a chunk of a Zarr unpack to a thousand times what its array tells of."""
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    about = folder / "a.zarr/0/.zarray"
    facts = json.loads(about.read_text())
    about.write_text(json.dumps({**facts, "compressor": {"id": "zlib", "level": 1}}))
    data = zlib.compress(bytes(2**30), 1)
    for chunk in (folder / "a.zarr/0").glob("?.0.0"):
        chunk.write_bytes(data)
    return fuse(["a.zarr"], "--max-memory", _ALLOWED, out="out.ome.tif")


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for name in _HUGE:
        yield _huge(name)
    yield Case("bombs", "1500 pictures in a GIF", _gif_of, codes=(0,), made=("out.png",),
               how=How(memory=400, seconds=60))  # fmt: skip
    yield Case("bombs", "a chunk of a Zarr", _chunk, codes=(1, 2), made=(),
               how=How(memory=600, seconds=60))  # fmt: skip
    yield Case("bombs", "numbers as text", _plain_numbers, codes=(0,), made=("out.png",),
               how=How(memory=500, seconds=60))  # fmt: skip
