"""Small stacks that the cases begin from."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[Any]


def stack(
    count: int = 3,
    height: int = 24,
    width: int = 32,
    channels: int = 3,
    dtype: str = "uint8",
    seed: int = 0,
) -> Pixels:
    """Return frames ``(N, H, W[, C])``, each sharp in a strip of its own."""
    rng = np.random.default_rng(seed)
    top = 1.0 if dtype == "float32" else float(np.iinfo(dtype).max)
    sharp = cv2.GaussianBlur(rng.random((height, width, channels), np.float32), (0, 0), 0.7)
    sharp = sharp.reshape(height, width, channels)
    soft = cv2.GaussianBlur(sharp, (0, 0), 2.5).reshape(sharp.shape)
    edges = np.linspace(0, width, count + 1).astype(int)
    frames = np.repeat(soft[None], count, axis=0)
    for n in range(count):
        frames[n, :, edges[n] : edges[n + 1]] = sharp[:, edges[n] : edges[n + 1]]
    frames = (frames * top).astype(dtype)
    return frames if channels > 1 else frames[..., 0]


def bytes_of(frame: Pixels, ending: str, **how: Any) -> bytes:
    """Return a picture as a file of another program than ours."""
    if ending in (".tif", ".tiff"):
        out = io.BytesIO()
        tifffile.imwrite(out, frame, **how)
        return out.getvalue()
    if ending in (".heic", ".heif"):
        import pillow_heif

        out = io.BytesIO()
        pillow_heif.from_bytes("RGB", frame.shape[1::-1], frame.tobytes()).save(out, quality=90)
        return out.getvalue()
    swapped = frame[..., ::-1] if frame.ndim == 3 else frame
    return cv2.imencode(ending, np.ascontiguousarray(swapped))[1].tobytes()


@functools.cache
def frames_as(ending: str, count: int = 3) -> tuple[bytes, ...]:
    """Return a small stack as files."""
    return tuple(bytes_of(frame, ending) for frame in stack(count))


def lay(folder: Path, ending: str = ".png", count: int = 3, name: str = "f{}") -> list[str]:
    """Write a small stack; return the names."""
    names = [name.format(n) + ending for n in range(count)]
    for one, data in zip(names, frames_as(ending, count), strict=True):
        (folder / one).write_bytes(data)
    return names


def lay_batch(folder: Path, stacks: int = 2) -> None:
    """Write folders of stacks below ``in``."""
    for n in range(stacks):
        inner = folder / "in" / f"s{n}"
        inner.mkdir(parents=True)
        lay(inner, count=2)


def ome_tiff(frames: Pixels) -> bytes:
    """Return a stack along Z as OME-TIFF."""
    out = io.BytesIO()
    tifffile.imwrite(out, frames, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    return out.getvalue()


def zarr_at(folder: Path, frames: Pixels, about: dict[str, Any] | None = None) -> None:
    """Write a stack along Z as OME-Zarr 0.4 by hand; `about` in place of its attributes."""
    inner = folder / "0"
    inner.mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    if about is None:
        axes = [{"name": a, "type": "space"} for a in "zyx"]
        about = {
            "multiscales": [
                {
                    "version": "0.4",
                    "axes": axes,
                    "datasets": [
                        {
                            "path": "0",
                            "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}],
                        }
                    ],
                }
            ]
        }
    (folder / ".zattrs").write_text(json.dumps(about))
    facts = {
        "zarr_format": 2,
        "shape": frames.shape,
        "chunks": [1, *frames.shape[1:]],
        "dtype": frames.dtype.str,
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": ".",
    }
    (inner / ".zarray").write_text(json.dumps(facts))
    for n, frame in enumerate(frames):
        (inner / f"{n}.0.0").write_bytes(frame.tobytes())


def fuse(names: Sequence[str], *more: str, out: str = "out.png") -> list[str]:
    """Return the words of a fusion by a system that starts at once."""
    return ["fuse", *names, "-o", out, "--system", "guided", *more]
