"""OME-XML as anybody may have written it: parsed within bounds, or refused."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from panfocus.errors import InputError

Element = ElementTree.Element

_MOST_LETTERS, _MOST_DEEP, _MOST_DIGITS = 2**28, 100, 12
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


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


def parse(xml: str) -> Element:
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


def whole(text: str, name: str, low: int = 0) -> int:
    """Return a whole number that an attribute says.

    Raises:
        OmeError: none, or one that no file has.
    """
    plain = text.strip()
    is_sound = plain.isascii() and plain.isdecimal() and len(plain) <= _MOST_DIGITS
    if not is_sound or int(plain) < low:
        raise OmeError(f"{name} is {plain[:20] or 'empty'}, and not a number from {low}")
    return int(plain)


def size_of(pixels: Element, axis: str) -> int:
    """Return how many values a picture has along one of X, Y, Z, C, T, which it must say."""
    return whole(pixels.get(f"Size{axis}", "nothing"), f"Size{axis}", 1)


def images_of(root: Element) -> list[Element]:
    """Return the pictures that are described, in order."""
    return [element for element in root.iter() if tag(element) == "Image"]


def tag(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
