"""A small sound file of every kind that is read, as other programs write it."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
from PIL import Image

from fuzz.made import Pixels, bytes_of, ome_tiff, stack


@dataclass(frozen=True)
class Sample:
    """A sound file.

    Attributes:
        ending: of its name.
        data: what it holds.
        is_stack: whether it holds all frames, and not one.
    """

    ending: str
    data: bytes
    is_stack: bool = False


@functools.cache
def samples() -> dict[str, Sample]:
    """Return one of every kind that can be made here, by a name of the kind."""
    found: dict[str, Sample] = {}
    for of in (_photographs, _stacks, _others):
        found |= of()
    for name, ending, make, is_stack in _EXTRAS:
        with contextlib.suppress(ImportError):
            found[name] = Sample(ending, make(), is_stack)
    return found


def _photographs() -> dict[str, Sample]:
    frame, deep = stack()[0], stack(dtype="uint16")[0]
    light = stack(dtype="float32", channels=1)[0]
    tiffs: dict[str, tuple[Pixels, dict[str, Any]]] = {
        "tiff": (frame, {}),
        "tiff-deflate": (deep, {"compression": "zlib", "predictor": True}),
        "tiff-lzw-tiles": (frame, {"compression": "lzw", "tile": (16, 16)}),
        "tiff-packbits": (frame, {"compression": "packbits"}),
        "tiff-zstd": (deep, {"compression": "zstd"}),
        "tiff-jpeg": (frame, {"compression": "jpeg"}),
        "tiff-planar": (frame.transpose(2, 0, 1), {"planarconfig": "separate",
                                                  "photometric": "rgb"}),
        "tiff-float": (light, {"compression": "zlib", "predictor": True}),
        "tiff-signed": (deep[..., 0].astype(np.int16), {}),
        "bigtiff": (frame, {"bigtiff": True}),
    }  # fmt: skip
    written = {name: bytes_of(one, ".tif", **how) for name, (one, how) in tiffs.items()}
    return {
        "jpeg": Sample(".jpg", bytes_of(frame, ".jpg")),
        "png": Sample(".png", bytes_of(frame, ".png")),
        "png16": Sample(".png", bytes_of(deep, ".png")),
        "webp": Sample(".webp", bytes_of(frame, ".webp")),
        **{name: Sample(".tif", data) for name, data in written.items()},
    }


def _stacks() -> dict[str, Sample]:
    planes = stack(3, channels=1, dtype="uint16")
    return {
        "pages": Sample(".tif", bytes_of(planes, ".tif", photometric="minisblack"), is_stack=True),
        "imagej": Sample(".tif", bytes_of(planes, ".tif", imagej=True), is_stack=True),
        "ome": Sample(".ome.tif", ome_tiff(planes), is_stack=True),
        "gif": Sample(".gif", _gif(), is_stack=True),
        "mp4": Sample(".mp4", _film(".mp4", "mp4v"), is_stack=True),
        "avi": Sample(".avi", _film(".avi", "MJPG"), is_stack=True),
    }


def _others() -> dict[str, Sample]:
    frame, deep = stack()[0], stack(dtype="uint16")[0]
    grey = frame[..., 0]
    twelve = (deep >> 4).astype(np.uint16)
    light = stack(dtype="float32")[0]
    return {
        "avif": Sample(".avif", _by_pillow(frame, "AVIF")),
        "avif12": Sample(".avif", imagecodecs.avif_encode(twelve, level=90, bitspersample=12)),
        "jxl": Sample(".jxl", imagecodecs.jpegxl_encode(frame, lossless=True)),
        "jxl16": Sample(".jxl", imagecodecs.jpegxl_encode(deep, lossless=True)),
        "jp2": Sample(".jp2", imagecodecs.jpeg2k_encode(deep, level=0)),
        "j2k": Sample(".j2k", imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k")),
        "bmp": Sample(".bmp", _by_pillow(frame, "BMP")),
        "bmp-palette": Sample(".bmp", _by_pillow(grey, "BMP")),
        "ppm": Sample(".ppm", bytes_of(frame, ".ppm")),
        "pgm16": Sample(".pgm", bytes_of(deep[..., 0], ".pgm")),
        "pgm-plain": Sample(".pgm", _plain_pgm(grey)),
        "tga": Sample(".tga", _by_pillow(frame, "TGA")),
        "tga-rle": Sample(".tga", _by_pillow(frame, "TGA", compression="tga_rle")),
        "hdr": Sample(".hdr", bytes_of(light, ".hdr")),
        "pfm": Sample(".pfm", bytes_of(light, ".pfm")),
        "pbm": Sample(".pbm", b"P4\n32 24\n" + np.packbits(grey > 127, axis=1).tobytes()),
    }


def _plain_pgm(grey: Pixels) -> bytes:
    rows = "\n".join(" ".join(map(str, row)) for row in grey.tolist())
    return f"P2 # by hand\n{grey.shape[1]} {grey.shape[0]}\n255\n{rows}\n".encode()


def _by_pillow(pixels: Pixels, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **how)
    return out.getvalue()


def _gif() -> bytes:
    first, *rest = [Image.fromarray(frame) for frame in stack()]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=rest, duration=40)
    return out.getvalue()


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    """Return what some library writes that knows files alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _film(ending: str, codec: str) -> bytes:
    os.environ.setdefault(
        "OPENCV_FFMPEG_LOGLEVEL", "-8"
    )  # read once in a process, as panfocus does

    def write(path: Path) -> None:
        out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (64, 48))
        for frame in stack(5, 48, 64):
            out.write(np.ascontiguousarray(frame[..., ::-1]))
        out.release()

    return _written("film" + ending, write)


def _heic() -> bytes:
    return bytes_of(stack()[0], ".heic")


def _exr(dtype: Any) -> bytes:
    import OpenEXR

    light = stack(dtype="float32")[0].astype(dtype)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    return _written("a.exr", lambda path: OpenEXR.File(header, {"RGB": light}).write(str(path)))


def _psd(dtype: str) -> bytes:
    import psd_tools  # noqa: F401  an extra

    from panfocus.frame import Metadata
    from panfocus.io.psd import write_psd
    from panfocus.io.psd_layers import LayeredPicture, PsdLayer

    frame = stack(dtype=dtype)[0]

    def write(path: Path) -> None:
        layers = iter([(frame, None)])
        write_psd(path, LayeredPicture(frame, [PsdLayer("f")], layers), Metadata())

    return _written("a.psd", write)


_EXTRAS: tuple[tuple[str, str, Callable[[], bytes], bool], ...] = (
    ("heic", ".heic", _heic, False),
    ("exr", ".exr", lambda: _exr(np.float32), False),
    ("exr-half", ".exr", lambda: _exr(np.float16), False),
    ("psd", ".psd", lambda: _psd("uint8"), False),
    ("psd16", ".psd", lambda: _psd("uint16"), False),
)
