"""Folders of pictures in memory, and where in them it is sharp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.errors import DataError
from panfocus.resources.paths import is_file, is_folder
from panfocus.train import own_data
from panfocus.train.found import SUFFIXES
from panfocus.train.levels import Picture, Range, colours_of, luminance
from panfocus.train.told import told_as_data
from panfocus.train.truths import below_mask

Byte = NDArray[np.uint8]
SampleT = TypeVar("SampleT", bound=np.uint8 | np.uint16)
#: Masks are read by OpenCV.
MASKS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
#: Pictures are kept in memory; larger ones are reduced to this many pixels first.
KEEP_PIXELS = 1_500_000
#: An edge keeps this share of its local contrast above 1 px; below, it was out of focus.
SHARP_RATIO = 0.2


@dataclass(frozen=True)
class Pictures:
    """Decoded pictures.

    Attributes:
        colour: RGB ``(H, W, 3)`` uint8 or uint16 each.
        soft: ``(H, W)`` uint8 each: 255 where there are edges and they are out of focus.
        names: file of each.
    """

    colour: list[Picture]
    soft: list[Byte]
    names: list[str]


def files_in(folders: Sequence[Path], *, masks: bool = False) -> list[Path]:
    """List the picture files below `folders`, sorted.

    Args:
        folders: searched with all below them.
        masks: whether masks are what is wanted; else what is called like one is left out.

    Raises:
        DataError: a folder is missing, or there is no picture in any.
    """
    found: list[Path] = []
    for folder in folders:
        if not is_folder(folder):
            raise DataError(
                "the data folder does not exist",
                where=str(folder),
                expected="a folder with pictures",
                remedy="check the path given to --data or --masks",
            )
        known = MASKS if masks else SUFFIXES
        files = [p for p in folder.rglob("*") if p.suffix.lower() in known and is_file(p)]
        found += [p for p in files if masks or not below_mask(p, folder)]
    if not found:
        raise DataError(
            "there are no pictures to train on",
            where=", ".join(map(str, folders)),
            expected=f"files ending in {', '.join(sorted(SUFFIXES))}",
            remedy="give a folder of photographs with --data",
        )
    return sorted(set(found))


def read_picture(path: Path) -> Picture:
    """Read a picture as for fusing, in the range that fusing decides in (`panfocus.train.levels`).

    Of a file with several, the first.

    Raises:
        DataError: not a picture, or damaged.
    """
    if path.suffix.lower() == ".bmp":  # which the product does not read
        return read_colour(path)
    with told_as_data(str(path)):
        infos, _ = io.find_frames([path])
        frame = io.read_frame(infos[0])
    pixels = colours_of(frame)
    return Range.of([pixels], 1).picture(pixels)


def read_colour(path: Path) -> Byte:
    """Read a mask or a bitmap as RGB ``(H, W, 3)`` uint8.

    Raises:
        DataError: not a picture.
    """
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(
            "a training picture cannot be read",
            where=str(path),
            remedy="remove the file or save it again",
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def load(folders: Sequence[Path], smallest: int, at_least: int = 4) -> Pictures:
    """Decode every picture below `folders` that is large enough.

    Args:
        folders: searched with all below them.
        smallest: shortest side that a picture must have, in pixels.
        at_least: how many such pictures there must be.

    Raises:
        DataError: no folder, unreadable, too few or too small.
    """
    held = Pictures([], [], [])
    count = 0
    for name, whole in _pictures_of(folders):
        picture = limited(whole)
        count += 1
        if min(picture.shape[:2]) >= smallest:
            held.colour.append(picture)
            held.soft.append(soft_areas(picture))
            held.names.append(name)
    if len(held.colour) < at_least:
        raise DataError(
            "too few pictures are large enough to train on",
            where=", ".join(map(str, folders)),
            expected=f"at least {at_least} pictures of {smallest} x {smallest} pixels or more",
            got=f"{len(held.colour)} of {count}",
            remedy="add larger photographs with another --data",
        )
    return held


def _pictures_of(folders: Sequence[Path]) -> Iterator[tuple[str, Picture]]:
    """Yield (name, picture) of files, and of readers of the user's own."""
    own = [folder for folder in folders if own_data.is_own(folder)]
    plain = [folder for folder in folders if folder not in own]
    for path in files_in(plain) if plain else []:
        yield str(path), read_picture(path)
    for folder in own:
        for name, frames in own_data.read(folder):
            yield from ((name, frame) for frame in frames)


def load_masks(folders: Sequence[Path], smallest: int = 32) -> list[Byte]:
    """Decode masks and mattes as grey ``(H, W)`` uint8; an empty list for no folders."""
    if not folders:
        return []
    masks = [
        np.ascontiguousarray(limited(read_colour(p))[..., 1]) for p in files_in(folders, masks=True)
    ]
    return [m for m in masks if min(m.shape) >= smallest]


def soft_areas(picture: Picture) -> Byte:
    """Mark edges that are out of focus: contrast within 6 px, but none of it finer than 1 px.

    Args:
        picture: RGB ``(H, W, 3)``.

    Returns:
        ``(H, W)``: 255 or 0.
    """
    grey = luminance(picture)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 0.8))
    coarse = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 4))
    around = np.ones((13, 13), np.uint8)
    fine, coarse = cv2.dilate(fine, around), cv2.dilate(coarse, around)
    soft = (coarse > 8) & (fine < SHARP_RATIO * coarse)
    return np.asarray(soft, np.uint8) * np.uint8(255)


def limited(picture: NDArray[SampleT]) -> NDArray[SampleT]:
    """Reduce a picture RGB ``(H, W, 3)`` of more than `KEEP_PIXELS` to so many."""
    pixels = picture.shape[0] * picture.shape[1]
    if pixels <= KEEP_PIXELS:
        return picture
    scale = (KEEP_PIXELS / pixels) ** 0.5
    smaller = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, picture.dtype)
