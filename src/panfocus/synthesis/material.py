"""Pictures and depth maps that sets are made from: found, read, brought to one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from panfocus import io
from panfocus.arrays.types import Float
from panfocus.errors import InputError
from panfocus.synthesis.scene import Byte


@dataclass(frozen=True)
class SetMaterial:
    """A sharp picture file, and its depth map if there is one."""

    path: Path
    depth: Path | None = None


def find_material(inputs: Sequence[str | Path], depth_maps: Path | None) -> list[SetMaterial]:
    """Find pictures, and for each the depth map of the same stem.

    Raises:
        InputError: no pictures, or one without its depth map.
    """
    infos, _ = io.find_frames(inputs)
    paths = [info.path for info in infos]
    if depth_maps is None:
        return [SetMaterial(path) for path in paths]
    maps = {info.path.stem: info.path for info in io.find_frames([depth_maps])[0]}
    without = [path for path in paths if path.stem not in maps]
    if without:
        raise InputError(
            "a picture has no depth map",
            where=str(without[0]),
            expected=f"a file called {without[0].stem} in {depth_maps}",
        )
    return [SetMaterial(path, maps[path.stem]) for path in paths]


def read_rgb(path: Path) -> Byte:
    """Return ``(H, W, 3)`` uint8, whatever the file holds."""
    pixels = io.to_depth(_read(path), "uint8")
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    colour = planes[..., :3] if planes.shape[2] >= 3 else planes[..., :1].repeat(3, axis=2)
    return np.ascontiguousarray(colour, np.uint8)


def _read(path: Path) -> Any:  # noqa: ANN401  uint8 or uint16
    return io.read_frame(io.find_frames([path])[0][0]).pixels


def read_depth(path: Path, height: int, width: int) -> Float:
    """Return ``(H, W)`` from 0, the darkest and nearest, to 1; scaled to the picture's size."""
    pixels = _read(path)
    plane = (pixels if pixels.ndim == 2 else pixels[..., 0]).astype(np.float32)
    span = float(np.ptp(plane))
    plane = (plane - plane.min()) / np.float32(span or 1.0)
    scaled = cv2.resize(
        np.asarray(plane, np.float32), (width, height), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(scaled, np.float32)


def fit(picture: Byte, height: int, width: int) -> Byte:
    """Return the picture scaled to cover a size, what sticks out cut away evenly."""
    if picture.shape[:2] == (height, width):
        return picture
    share = max(height / picture.shape[0], width / picture.shape[1])
    size = (
        max(round(picture.shape[1] * share), width),
        max(round(picture.shape[0] * share), height),
    )
    way = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width], np.uint8)
