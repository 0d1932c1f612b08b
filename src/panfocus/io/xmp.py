"""Keep an XMP packet true to the fused picture.

Dropped is what tells of other data in the old file (gain maps, motion, depth, previews), of edits
that the result has not seen or has behind it (crop, exposure, history), and of the old file itself
(sizes, digests, identifiers). Kept is what tells of the photograph: rights, creator, keywords,
rating, place, lens. Pieces are cut out of the packet, so what stays is as it was, byte for byte.
"""

from __future__ import annotations

import re

_ADOBE = "http://ns.adobe.com/"
#: Namespaces of which nothing is kept; their beginnings.
_STALE_NAMESPACES = (
    _ADOBE + "camera-raw", _ADOBE + "hdr-", _ADOBE + "dng", _ADOBE + "xap/1.0/mm/",
    _ADOBE + "xap/1.0/g/img/", _ADOBE + "xmp/1.0/DynamicMedia/", _ADOBE + "bwf/",
    _ADOBE + "ixml/", _ADOBE + "xmp/note/",
    "http://ns.google.com/photos/",
    "http://ns.apple.com/HDR", "http://ns.apple.com/pixeldatainfo", "http://ns.apple.com/depth",
    "http://ns.apple.com/adjustment-settings", "http://ns.apple.com/portrait",
    "http://ns.apple.com/semantic",
    "http://ns.samsung.com/", "http://ns.xdm.org/", "http://xdm.org/",
    "http://darktable.sf.net/", "http://ns.nikon.com/", "http://ns.dxo.com/",
)  # fmt: skip
#: Prefixes that packets use without saying what they stand for.
_USUAL = {
    "crs": _ADOBE + "camera-raw-settings/1.0/", "hdrgm": _ADOBE + "hdr-gain-map/1.0/",
    "xmpMM": _ADOBE + "xap/1.0/mm/", "xmpNote": _ADOBE + "xmp/note/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GContainer": "http://ns.google.com/photos/1.0/container/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "darktable": "http://darktable.sf.net/",
    "tiff": _ADOBE + "tiff/1.0/", "exif": _ADOBE + "exif/1.0/",
    "photoshop": _ADOBE + "photoshop/1.0/", "xmp": _ADOBE + "xap/1.0/",
    "dcterms": "http://purl.org/dc/terms/",
    "digiKam": "http://www.digikam.org/ns/1.0/", "lr": _ADOBE + "lightroom/1.0/",
    "photomechanic": "http://ns.camerabits.com/photomechanic/1.0/",
}  # fmt: skip
#: Single properties, by namespace.
_STALE_PROPERTIES = {
    _USUAL["tiff"]: re.compile(
        "ImageWidth|ImageLength|BitsPerSample|SamplesPerPixel|Compression|Planar.*|Photometric.*"
        "|YCbCr.*|NativeDigest"
    ),
    _USUAL["exif"]: re.compile(
        "PixelXDimension|PixelYDimension|NativeDigest|CompressedBitsPerPixel|MakerNote"
    ),
    _USUAL["photoshop"]: re.compile(
        "LegacyIPTCDigest|EmbeddedXMPDigest|DocumentAncestors|TextLayers|History|SidecarFor.*"
    ),
    _USUAL["xmp"]: re.compile("Thumbnails|PageInfo"),
    _USUAL["dcterms"]: re.compile("provenance"),
    _USUAL["digiKam"]: re.compile("ImageHistory|ImageUniqueID"),
    _USUAL["lr"]: re.compile("privateRTKInfo"),
    _USUAL["photomechanic"]: re.compile("Crop.*|Rotation"),
}
_TAG = re.compile(rb"""<[^\s/>]+((?:[^"'>]|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>\s*))[2-8](?=\s*["'<])""")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def clean_xmp(xmp: bytes | None) -> bytes | None:
    """Return a packet that tells nothing of the old file and its edits, and Orientation 1.

    A packet that is no XML is given up (None): what it says cannot be told apart.
    """
    if not xmp:
        return None
    data = xmp
    if data[:2] in _UTF_16:
        data = data.decode("utf-16", "replace").encode()
    data = data.strip(b"\0 \r\n\t")
    cuts = _cuts(data)
    if cuts is None:
        return None
    kept, position = list[bytes](), 0
    for start, end in cuts:
        kept.append(data[position:start])
        position = end
    kept.append(data[position:])
    return _ORIENTATION.sub(rb"\g<1>1", b"".join(kept))


def _cuts(data: bytes) -> list[tuple[int, int]] | None:
    """Return what is to be cut out, in order; None when the packet is no XML."""
    from xml.parsers import expat  # noqa: PLC0415 - few files have XMP

    parser = expat.ParserCreate()
    walk = _Walk(data)

    def start(name: str, attributes: list[str]) -> None:
        walk.start(name, attributes, parser.CurrentByteIndex)

    def end(_name: str) -> None:
        walk.end(parser.CurrentByteIndex)

    def doctype(*_told: object) -> None:  # nothing of XMP has one, and entities can explode
        raise ValueError

    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError):
        return None
    return walk.cuts


class _Walk:
    """Goes through the elements and notes which bytes are stale."""

    def __init__(self, data: bytes) -> None:
        self.cuts: list[tuple[int, int]] = []
        self._data = data
        self._namespaces = dict(_USUAL)
        self._depth = 0  # below the element that is being dropped, from 1
        self._from = 0

    def start(self, name: str, attributes: list[str], at: int) -> None:
        """Look at an element's name and attributes."""
        if self._depth:
            self._depth += 1
            return
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        self._namespaces |= {n[6:]: uri for n, uri in pairs if n.startswith("xmlns:")}
        if self._is_stale(name):
            self._depth, self._from = 1, at
            return
        tag = _TAG.match(self._data, at)
        if tag is not None:
            for found in _ATTRIBUTE.finditer(self._data, tag.start(1), tag.end(1)):
                if self._is_stale(found[1].decode(errors="replace")):
                    self.cuts.append(found.span())

    def end(self, at: int) -> None:
        """End the element that is being dropped, if it is this one."""
        if not self._depth:
            return
        self._depth -= 1
        if not self._depth:
            whole = _TAG.match(self._data, self._from)
            is_empty = whole is not None and whole[0].endswith(b"/>")
            # of <a/> the parser tells its end behind it, of </a> in front
            until = whole.end() if whole and is_empty else self._data.index(b">", at) + 1
            self.cuts.append((self._from, until))

    def _is_stale(self, name: str) -> bool:
        """Whether nothing of this name is kept."""
        prefix, _, local = name.partition(":")
        if prefix == "xmlns":
            return self._namespaces.get(local, "").startswith(_STALE_NAMESPACES)
        namespace = self._namespaces.get(prefix, "")
        if namespace.startswith(_STALE_NAMESPACES):
            return True
        properties = _STALE_PROPERTIES.get(namespace)
        return properties is not None and properties.fullmatch(local) is not None
