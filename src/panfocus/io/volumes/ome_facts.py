"""What OME-XML tells of a picture: its channels, and the distances of its pixels and planes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from panfocus.io.units import micrometres
from panfocus.io.volumes.ome import Element, images_of, parse, size_of, tag, whole
from panfocus.io.volumes.volume import Channel

_CHANNEL_FACTS = (
    "Color", "EmissionWavelength", "EmissionWavelengthUnit", "ExcitationWavelength",
    "ExcitationWavelengthUnit", "Fluor", "ContrastMethod", "AcquisitionMode", "IlluminationType",
)  # fmt: skip
_PIXEL_FACTS = ("TimeIncrement", "TimeIncrementUnit", "SignificantBits")
_UNEVEN = 0.02  # of the step: stages repeat better


def describe(xml: str, number: int) -> dict[str, Any]:
    """Return what the OME-XML says of an Image.

    Returns:
        "channels", "voxel" (z, y, x) in µm, "z_um" where planes are unevenly apart, "stage"
        where the first pixel lies, (y, x) in µm, "name", "notes" for the user, and facts by their
        OME names.
    """
    images = images_of(parse(xml))
    if number >= len(images):
        return {}
    image = images[number]
    pixels = next((e for e in image if tag(e) == "Pixels"), None)
    if pixels is None:
        return {}
    notes: list[str] = []
    voxel = [_length(pixels, axis, notes) for axis in "ZYX"]
    places = _places(pixels, notes)
    channels = [
        Channel(e.get("Name", ""), {k: e.attrib[k] for k in _CHANNEL_FACTS if k in e.attrib})
        for e in pixels
        if tag(e) == "Channel"
    ]
    about: dict[str, Any] = {"channels": channels, "name": image.get("Name"), "notes": notes}
    voxel[0], about["z_um"] = _step(voxel[0], places, notes)
    about["voxel"] = tuple(voxel)
    about["stage"] = _stage(pixels)
    about |= {k: pixels.attrib[k] for k in _PIXEL_FACTS if k in pixels.attrib}
    for element in image:
        if tag(element) in ("AcquisitionDate", "Description") and element.text:
            about[tag(element)] = element.text
    return about


def _length(pixels: Element, axis: str, notes: list[str]) -> float | None:
    name = f"PhysicalSize{axis}"
    text, unit = pixels.get(name), pixels.get(f"{name}Unit", "µm")
    length = micrometres(text, unit)
    if text is not None and length is None:
        lost = "depth is counted in planes" if axis == "Z" else "it is left out"
        notes.append(f"{name} is {text} {unit}, which is no length: {lost}")
    return length


def _stage(pixels: Element) -> tuple[float, float] | None:
    """Return where the first plane lies on the stage, (y, x) in µm; None where it does not say."""
    first = next((e for e in pixels if tag(e) == "Plane"), None)
    if first is None:
        return None
    told = [(first.get(f"Position{a}"), first.get(f"Position{a}Unit")) for a in "YX"]
    scales = [micrometres(1, unit) if unit is not None else None for _, unit in told]
    try:
        y, x = (
            float(text or "") * (scale or math.nan)
            for (text, _), scale in zip(told, scales, strict=True)
        )
    except ValueError:
        return None
    return (y, x) if math.isfinite(y) and math.isfinite(x) else None


def _places(pixels: Element, notes: list[str]) -> list[float]:
    """Return where the planes of the first T and C are along Z, µm; none unless all say it."""
    found: dict[int, float] = {}
    assumed = False
    for plane in pixels:
        first = plane.get("TheT", "0") == plane.get("TheC", "0") == "0"
        if tag(plane) != "Plane" or not first or plane.get("PositionZ") is None:
            continue
        unit = plane.get("PositionZUnit")
        assumed |= unit is None
        scale = micrometres(1, unit or "µm")
        try:
            place, z = float(plane.get("PositionZ", "")), whole(plane.get("TheZ", ""), "TheZ")
        except ValueError:
            return []
        if scale is None or not math.isfinite(place):
            return []
        found[z] = place * scale
    count = size_of(pixels, "Z")
    if count < 2 or set(found) != set(range(count)):
        return []
    if assumed:
        notes.append("PositionZ of the planes has no unit: micrometres are assumed")
    return [found[z] for z in range(count)]


def _step(
    size: float | None, places: Sequence[float], notes: list[str]
) -> tuple[float | None, tuple[float, ...] | None]:
    """Return the distance of planes in µm, and where each is if that differs along the stack."""
    if not places:
        return size, None
    steps = [b - a for a, b in pairwise(places)]
    low, high = min(map(abs, steps)), max(map(abs, steps))
    mean = abs(places[-1] - places[0]) / len(steps)
    if high == 0:
        return size, None
    if min(steps) * max(steps) <= 0:
        notes.append("PositionZ of the planes goes to and fro: depth does not heed it")
        return size, None
    said = f"{low:g} µm" if high - low <= _UNEVEN * mean else f"{low:g} to {high:g} µm"
    if size is not None:
        if abs(mean - size) > _UNEVEN * size or high - low > _UNEVEN * mean:
            notes.append(
                f"PhysicalSizeZ is {size:g} µm, which depth is counted by, and planes are "
                f"{said} apart by their PositionZ"
            )
        return size, None
    notes.append(f"depth by the PositionZ of the planes, which are {said} apart")
    if high - low <= _UNEVEN * mean:
        return float(f"{mean:.9g}"), None
    return float(f"{mean:.9g}"), tuple(abs(place - places[0]) for place in places)
