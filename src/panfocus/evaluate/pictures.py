"""Pictures for scoring: read from files, other people's results found by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import luminance, white
from panfocus.arrays.types import Pixels
from panfocus.errors import DataError, InputError
from panfocus.evaluate.samples import LAYOUTS, ScoredSample, pictures
from panfocus.pipeline.scene import SceneLikeness
from panfocus.resources.paths import is_folder


def read_picture(path: Path) -> Pixels:
    """Return the pixels of a file without opacity, ``(H, W)`` or ``(H, W, 3)``.

    Raises:
        InputError: unreadable, or a file of several pictures.
    """
    infos, _ = io.find_frames([path])
    if len(infos) != 1:
        raise InputError(
            "a picture to be scored must be alone in its file",
            where=str(path),
            expected="one picture",
            got=f"{len(infos)} pages",
        )
    return opaque(io.read_frame(infos[0]).pixels)


def opaque(pixels: Pixels) -> Pixels:
    """Drop opacity: metrics know nothing of it."""
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return np.ascontiguousarray(pixels)


def refuse_torn(sample: ScoredSample, frames: Sequence[Pixels]) -> None:
    """Refuse frames that a folder holds and that are not of one scene.

    Raises:
        DataError: they are certainly not.
    """
    scene = SceneLikeness()
    for frame in frames:
        scene.add(luminance(frame).astype(np.float32))
    if scene.is_torn():
        raise DataError(
            "the pictures of this folder are not frames of one scene",
            where=str(sample.frames[0].parent),
            expected=LAYOUTS,
            got=f"{len(frames)} pictures that look nothing like each other",
            remedy="call the folders of the frames A, B, ... and that of the truths GT",
        )


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Return a mask ``(H, W)``; above half counts."""
    pixels = read_picture(path)
    plane = pixels if pixels.ndim == 2 else pixels[..., 0]
    return np.asarray(plane > white(plane.dtype) / 2)


def find_result(folder: Path, name: str) -> Path:
    """Return the picture of a sample among other people's results.

    The stem equals the sample's name, or ends with it after a character that is neither letter
    nor digit (``fused_lytro-01`` for ``lytro-01``). A sample ``kind/name`` is looked for in
    ``kind/`` first.

    Raises:
        DataError: none, or several of which none is equal.
    """
    parent, _, stem = name.rpartition("/")
    place = folder / parent if is_folder(folder / parent) else folder
    files = pictures(place)
    equal = [p for p in files if p.stem == stem]
    ending = [p for p in files if _ends_with(p.stem, stem)]
    found = equal or ending
    if len(found) == 1:
        return found[0]
    raise DataError(
        "there is no fused picture for this sample"
        if not found
        else "several fused pictures could belong to this sample",
        where=str(place),
        expected=f"one file called {stem} or ending with it",
        got=", ".join(p.name for p in found[:5]) or f"{len(files)} pictures of other names",
        remedy="rename the results after the samples, or write a list of them: results.csv with "
        "the columns image and file",
    )


def _ends_with(stem: str, name: str) -> bool:
    head = stem.removesuffix(name)
    return head != stem and not head[-1:].isalnum()
