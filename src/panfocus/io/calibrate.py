"""Make the calibration of a stack from a flat field, a dark frame, and the frames themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from panfocus.arrays.hot_pixels import MOST_SHARE, SpoiltPixels, find_spoilt, join
from panfocus.arrays.types import Float
from panfocus.errors import InputError
from panfocus.io.calibration import Calibration, is_encoded, light_of_numbers
from panfocus.io.find import find_frames
from panfocus.io.frames import FrameInfo, Pixels
from panfocus.io.orient import undone, upright_shape
from panfocus.io.read import look, read_sensed

#: A place that is so much darker than the mean of a flat field is no vignette, but no light.
_MOST_GAIN = 16.0
#: Frames that are looked at for hot pixels, at most.
_LOOKED_AT = 8
#: Of two frames both may show a hair or a light sharply.
_FEWEST = 3


def calibrated(
    infos: Sequence[FrameInfo],
    flat_field: str | None = None,
    dark: str | None = None,
    hot_pixels: str = "off",
) -> tuple[Sequence[FrameInfo], list[str], int]:
    """Let frames be calibrated when they are read.

    Args:
        infos: the frames, developed alike.
        flat_field: a picture of an empty, evenly lit field, or a folder of several to be averaged.
        dark: a picture with the lens covered, or a folder of several.
        hot_pixels: "auto" looks at up to 8 frames, and at the dark one.

    Returns:
        The frames; notes for the user; and bytes that are held.

    Raises:
        InputError: a picture is missing, damaged, of another size or kind than the frames, or
            without light.
    """
    if flat_field is None and dark is None and hot_pixels == "off":
        return infos, [], 0
    notes: list[str] = []
    covered = None if dark is None else _averaged(Path(dark), infos[0], "dark")
    light = None if flat_field is None else _averaged(Path(flat_field), infos[0], "flat_field")
    spoilt = None if hot_pixels == "off" else _spoilt(infos, covered, notes)
    for each in (covered, light):  # what is mended of a frame is not taken away once more
        if each is not None and spoilt is not None:
            spoilt.mend(each)
    gain = None
    if light is not None:
        gain = _gain(light if covered is None else light - covered, str(flat_field))
    found = Calibration(covered, gain, spoilt)
    first = infos[0]
    if covered is not None or gain is not None:
        header = next(header for page, header in look(first.path)[1] if page == first.page)
        encoded = is_encoded(first.format, first.dtype, first.channels, header.metadata)
        linear = first.develop is not None and first.develop.tone == "linear"
        kind = "encoded as sRGB" if encoded and not linear else "proportional to light"
        parts = (("dark frame", covered), ("flat field", gain))
        done = " and ".join(word for word, part in parts if part is not None)
        notes.insert(0, f"{done} taken away from values that are {kind}")
    copy = first.height * first.width * first.channels * np.dtype(first.dtype).itemsize
    made = [replace(info, calibration=found) for info in infos]
    return made, notes, found.memory_bytes + copy


def _averaged(path: Path, like: FrameInfo, what: str) -> Float:
    """Return the mean light ``(H, W, C)`` of a picture, or of a folder of them."""
    infos, _ = find_frames([path])
    total: Float | None = None
    for each in infos:
        info = replace(each, develop=like.develop, span=like.span)
        _check_alike(info, like, what)
        pixels, metadata = read_sensed(info)
        colours = pixels if pixels.ndim == 3 else pixels[..., None]
        encoded = is_encoded(info.format, info.dtype, info.channels, metadata)
        colours = colours[..., : colours.shape[2] - info.has_alpha]
        light = light_of_numbers(str(colours.dtype), encoded)[colours]
        total = light if total is None else np.add(total, light, out=total)
    assert total is not None  # `find_frames` finds at least one
    total /= np.float32(len(infos))
    return total


def _check_alike(info: FrameInfo, like: FrameInfo, what: str) -> None:
    """Refuse a picture that does not show what the frames' sensor has."""
    expected, got = (_described(each) for each in (like, info))
    if expected != got or (info.span is not None and info.span.low != 0):
        raise InputError(
            f"the {what.replace('_', ' ')} does not fit the frames",
            where=f"{what}, {info.path}",
            expected=f"{expected}, as {like.name} has",
            got=got if expected != got else f"numbers from {info.span.low if info.span else 0:g}",
            remedy="take it with the same camera, size and format as the frames",
        )


def _described(info: FrameInfo) -> str:
    height, width = upright_shape(info.height, info.width, undone(info.tag))
    colours = info.channels - info.has_alpha
    return f"{width} x {height}, {'grey' if colours == 1 else 'colour'}"


def _gain(light: Float, told: str) -> Float:
    """Return by what every place is multiplied, so that the mean of every colour stays."""
    mean = light.mean(axis=(0, 1), dtype=np.float64)
    if mean.min() <= 1e-4:
        raise InputError(
            "the flat field shows no light",
            where=f"flat_field, {told}",
            expected="a picture of an empty, evenly lit field, brighter than the dark frame",
            got=f"a mean of {mean.min():.4f} of white",
        )
    least = (mean / _MOST_GAIN).astype(np.float32)
    return np.where(light > least, mean / np.maximum(light, least), 1).astype(np.float32)


def _spoilt(
    infos: Sequence[FrameInfo], covered: Float | None, notes: list[str]
) -> SpoiltPixels | None:
    """Return the samples that stand out in all frames, or in the dark one."""
    looked = [] if covered is None else [_in_numbers(covered)]
    parts = [find_spoilt([picture]) for picture in looked]
    if len(infos) >= _FEWEST:
        step = max(-(-len(infos) // _LOOKED_AT), 1)
        parts.append(find_spoilt(_colours_of(infos[::step])))
    elif covered is None:
        notes.append(f"hot pixels are not told from detail in {len(infos)} frames: none mended")
        return None
    found = parts[0] if len(parts) == 1 else join(*parts)
    if found.count > MOST_SHARE * np.prod(found.shape):
        notes.append("so many pixels stand out in every frame that none is taken for a hot one")
        return None
    mended = " and mended" if found.count else ""
    notes.append(f"{found.count or 'no'} hot or dead samples found{mended}")
    return found if found.count else None


def _in_numbers(light: Float) -> Pixels:
    """Return light as uint16."""
    return np.rint(light.clip(0, 1) * 65_535).astype(np.uint16)


def _colours_of(infos: Sequence[FrameInfo]) -> Iterator[Pixels]:
    for info in infos:
        pixels = read_sensed(info)[0]
        yield pixels[..., :-1] if info.has_alpha else pixels
