"""Whether OME-XML fits the pages of its file."""

from __future__ import annotations

from dataclasses import dataclass

from panfocus.io.volumes.ome import Element, OmeError, images_of, parse, size_of, tag, whole

_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
_MOST_PLANES = 1_000_000


def check_ome(xml: str, pages: int, size: tuple[int, int]) -> None:
    """Refuse OME-XML that is damaged or tells of other pages than there are.

    Args:
        xml: the description of the first page.
        pages: in the file.
        size: (height, width) of the first page.

    Raises:
        OmeError: it is so.
    """
    root = parse(xml)
    kinds = {tag(element) for element in root}
    if "BinaryOnly" in kinds:
        other = next(e for e in root if tag(e) == "BinaryOnly").get("MetadataFile", "another file")
        raise OmeError(f"a part of a set that is described in {other}: fuse that one")
    pictures = [pixels for image in images_of(root) for pixels in image if tag(pixels) == "Pixels"]
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
    width, height = (size_of(pictures[0], axis) for axis in "XY")
    if (height, width) != size:
        raise OmeError(f"SizeX {width} and SizeY {height} for pages of {size[1]} x {size[0]}")


def _check_pixels(pixels: Element, number: int, pages: int, own: str | None) -> list[_Part]:
    """Check one picture's sizes, order, and the pages that it names; return these."""
    sizes = {axis: size_of(pixels, axis) for axis in "XYZCT"}
    order = pixels.get("DimensionOrder", "nothing")
    if order not in _ORDERS:
        raise OmeError(f"DimensionOrder is {order}, and not one of {' '.join(_ORDERS)}")
    samples = [
        whole(e.get("SamplesPerPixel", "1"), "SamplesPerPixel", 1)
        for e in pixels
        if tag(e) == "Channel"
    ]
    several = samples[0] if samples else 1
    if several < 1 or sizes["C"] % several:
        raise OmeError(f"SizeC {sizes['C']} for {several} samples a pixel")
    sizes["C"] //= several
    planes = sizes["Z"] * sizes["C"] * sizes["T"]
    if planes > _MOST_PLANES:
        raise OmeError(f"T {sizes['T']}, C {sizes['C']}, Z {sizes['Z']} are {planes} planes")
    parts = [_Part.of(e, sizes, order, pages, own) for e in pixels if tag(e) == "TiffData"]
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
        files = [e for e in data if tag(e) == "UUID"]
        is_here = not files or (own is not None and files[0].text == own)
        count = _number(data, "PlaneCount", _number(data, "NumPlanes", 0))
        if not count:
            count = 1 if "IFD" in data.attrib else min(pages - page, step - number)
        if number + count > step:
            raise OmeError(f"TiffData: {count} planes from number {number} on, of {step}")
        return cls(frozenset(range(number, number + count)), page, is_here)


def _number(data: Element, name: str, default: int) -> int:
    text = data.get(name)
    return default if text is None else whole(text, f"TiffData: {name}")
