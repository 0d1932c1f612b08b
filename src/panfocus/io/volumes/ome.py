"""OME-XML: whether it is sound and fits the file's pages, and what it tells of a picture."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from panfocus.errors import InputError
from panfocus.io.units import micrometres
from panfocus.io.volumes.volume import Channel

Element = ElementTree.Element

_CHANNEL_FACTS = (
    "Color", "EmissionWavelength", "EmissionWavelengthUnit", "ExcitationWavelength",
    "ExcitationWavelengthUnit", "Fluor", "ContrastMethod", "AcquisitionMode", "IlluminationType",
)  # fmt: skip
_PIXEL_FACTS = ("TimeIncrement", "TimeIncrementUnit", "SignificantBits")
_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
_MOST_PLANES = 1_000_000
_MOST_LETTERS, _MOST_DEEP, _MOST_DIGITS = 2**28, 100, 12
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UNEVEN = 0.02  # of the step: stages repeat better


class OmeError(ValueError):
    """The OME-XML is damaged, or does not fit the file."""


def claims_ome(text: bytes) -> bool:
    """Whether a first page's description begins as OME-XML, sound or not."""
    head = text[:4096]
    return b"<OME" in head or b"www.openmicroscopy.org" in head


def refuse(path: Path, error: OmeError) -> InputError:
    """Return the error for OME-XML that cannot be believed."""
    return InputError(
        "the OME-XML cannot be believed",
        where=str(path),
        expected="sound OME-XML that fits the file's pages",
        got=str(error),
        remedy="copy or export the file again; if all its pages are one stack along Z, say so by "
        '`axes="ZYX"`',
    )


def check_ome(xml: str, pages: int, size: tuple[int, int]) -> None:
    """Refuse OME-XML that is damaged or tells of other pages than there are.

    Args:
        xml: the description of the first page.
        pages: in the file.
        size: (height, width) of the first page.

    Raises:
        OmeError: it is so.
    """
    root = _parse(xml)
    kinds = {_tag(element) for element in root}
    if "BinaryOnly" in kinds:
        other = next(e for e in root if _tag(e) == "BinaryOnly").get("MetadataFile", "another file")
        raise OmeError(f"a part of a set that is described in {other}: fuse that one")
    pictures = [pixels for image in _images(root) for pixels in image if _tag(pixels) == "Pixels"]
    if not pictures:
        raise OmeError("no Image with Pixels")
    used: list[int] = []
    is_alone = True
    for number, pixels in enumerate(pictures):
        parts = _check_pixels(pixels, number, pages, root.get("UUID"))
        is_alone = is_alone and all(part.is_here for part in parts)
        used += [part.page + k for part in parts if part.is_here for k in range(len(part.planes))]
    if len(set(used)) < len(used):
        raise OmeError("TiffData names a page twice")
    if is_alone and len(used) < pages:
        raise OmeError(f"the sizes are those of {len(used)} pages, and the file has {pages}")
    width, height = (_size(pictures[0], axis) for axis in "XY")
    if (height, width) != size:
        raise OmeError(f"SizeX {width} and SizeY {height} for pages of {size[1]} x {size[0]}")


def _parse(xml: str) -> Element:
    """Return the root of OME-XML, which needs no entities of its own.

    An entity may be a file of this machine, or a few letters that become gigabytes.
    """
    if _DOCTYPE.search(xml):
        raise OmeError("it declares entities, which OME-XML has none of")
    if len(xml) > _MOST_LETTERS:
        raise OmeError(f"it has more than {_MOST_LETTERS} letters")
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise OmeError(f"no sound XML: {error}") from error
    _check_depth(root)
    return root


def _check_depth(root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _MOST_DEEP:
            raise OmeError(f"elements lie more than {_MOST_DEEP} deep in each other")
        level = [inner for element in level for inner in element]


def _whole(text: str, name: str, low: int = 0) -> int:
    """Return a whole number that an attribute says.

    Raises:
        OmeError: none, or one that no file has.
    """
    plain = text.strip()
    is_sound = plain.isascii() and plain.isdecimal() and len(plain) <= _MOST_DIGITS
    if not is_sound or int(plain) < low:
        raise OmeError(f"{name} is {plain[:20] or 'empty'}, and not a number from {low}")
    return int(plain)


def _size(pixels: Element, axis: str) -> int:
    return _whole(pixels.get(f"Size{axis}", "nothing"), f"Size{axis}", 1)


def _check_pixels(pixels: Element, number: int, pages: int, own: str | None) -> list[_Part]:
    """Check one picture's sizes, order, and the pages that it names; return these."""
    sizes = {axis: _size(pixels, axis) for axis in "XYZCT"}
    order = pixels.get("DimensionOrder", "nothing")
    if order not in _ORDERS:
        raise OmeError(f"DimensionOrder is {order}, and not one of {' '.join(_ORDERS)}")
    samples = [
        _whole(e.get("SamplesPerPixel", "1"), "SamplesPerPixel", 1)
        for e in pixels
        if _tag(e) == "Channel"
    ]
    several = samples[0] if samples else 1
    if several < 1 or sizes["C"] % several:
        raise OmeError(f"SizeC {sizes['C']} for {several} samples a pixel")
    sizes["C"] //= several
    planes = sizes["Z"] * sizes["C"] * sizes["T"]
    if planes > _MOST_PLANES:
        raise OmeError(f"T {sizes['T']}, C {sizes['C']}, Z {sizes['Z']} are {planes} planes")
    parts = [_Part.of(e, sizes, order, pages, own) for e in pixels if _tag(e) == "TiffData"]
    named: set[int] = set()
    for part in parts:
        named |= part.planes
        if part.is_here and part.page + len(part.planes) > pages:
            raise OmeError(
                f"Image {number}: TiffData names page {part.page + len(part.planes)} of {pages}"
            )
    if named != set(range(planes)):
        raise OmeError(
            f"Image {number}: T {sizes['T']}, C {sizes['C']}, Z {sizes['Z']} are {planes} planes, "
            f"and TiffData names {len(named)} of them"
        )
    return parts


@dataclass(frozen=True)
class _Part:
    """What one TiffData says: planes by their number in DimensionOrder, and the first page."""

    planes: frozenset[int]
    page: int
    is_here: bool

    @classmethod
    def of(
        cls, data: Element, sizes: dict[str, int], order: str, pages: int, own: str | None
    ) -> _Part:
        first = {axis: _number(data, f"First{axis}", 0) for axis in "ZCT"}
        beyond = [f"First{a} {k} of {sizes[a]}" for a, k in first.items() if k >= sizes[a]]
        if beyond:
            raise OmeError(f"TiffData: {', '.join(beyond)}")
        number, step = 0, 1
        for axis in order[2:]:  # the first one varies fastest
            number += first[axis] * step
            step *= sizes[axis]
        page = _number(data, "IFD", 0)
        files = [e for e in data if _tag(e) == "UUID"]
        is_here = not files or (own is not None and files[0].text == own)
        count = _number(data, "PlaneCount", _number(data, "NumPlanes", 0))
        if not count:
            count = 1 if "IFD" in data.attrib else min(pages - page, step - number)
        if number + count > step:
            raise OmeError(f"TiffData: {count} planes from number {number} on, of {step}")
        return cls(frozenset(range(number, number + count)), page, is_here)


def _number(data: Element, name: str, default: int) -> int:
    text = data.get(name)
    return default if text is None else _whole(text, f"TiffData: {name}")


def describe(xml: str, number: int) -> dict[str, Any]:
    """Return what the OME-XML says of an Image.

    Returns:
        "channels", "voxel" (z, y, x) in µm, "z_um" where planes are unevenly apart, "name",
        "notes" for the user, and facts by their OME names.
    """
    images = _images(_parse(xml))
    if number >= len(images):
        return {}
    image = images[number]
    pixels = next((e for e in image if _tag(e) == "Pixels"), None)
    if pixels is None:
        return {}
    notes: list[str] = []
    voxel = [_length(pixels, axis, notes) for axis in "ZYX"]
    places = _places(pixels, notes)
    channels = [
        Channel(e.get("Name", ""), {k: e.attrib[k] for k in _CHANNEL_FACTS if k in e.attrib})
        for e in pixels
        if _tag(e) == "Channel"
    ]
    about: dict[str, Any] = {"channels": channels, "name": image.get("Name"), "notes": notes}
    voxel[0], about["z_um"] = _step(voxel[0], places, notes)
    about["voxel"] = tuple(voxel)
    about |= {k: pixels.attrib[k] for k in _PIXEL_FACTS if k in pixels.attrib}
    for element in image:
        if _tag(element) in ("AcquisitionDate", "Description") and element.text:
            about[_tag(element)] = element.text
    return about


def _length(pixels: Element, axis: str, notes: list[str]) -> float | None:
    name = f"PhysicalSize{axis}"
    text, unit = pixels.get(name), pixels.get(f"{name}Unit", "µm")
    length = micrometres(text, unit)
    if text is not None and length is None:
        lost = "depth is counted in planes" if axis == "Z" else "it is left out"
        notes.append(f"{name} is {text} {unit}, which is no length: {lost}")
    return length


def _places(pixels: Element, notes: list[str]) -> list[float]:
    """Return where the planes of the first T and C are along Z, µm; none unless all say it."""
    found: dict[int, float] = {}
    assumed = False
    for plane in pixels:
        first = plane.get("TheT", "0") == plane.get("TheC", "0") == "0"
        if _tag(plane) != "Plane" or not first or plane.get("PositionZ") is None:
            continue
        unit = plane.get("PositionZUnit")
        assumed |= unit is None
        scale = micrometres(1, unit or "µm")
        try:
            place, z = float(plane.get("PositionZ", "")), _whole(plane.get("TheZ", ""), "TheZ")
        except ValueError:
            return []
        if scale is None or not math.isfinite(place):
            return []
        found[z] = place * scale
    count = _size(pixels, "Z")
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


def _images(root: Element) -> list[Element]:
    return [element for element in root.iter() if _tag(element) == "Image"]


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
