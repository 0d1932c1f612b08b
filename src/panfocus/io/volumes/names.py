"""What the name of a file says of its plane: Z, channel, time and position.

Microscopes write a folder with one plane a file, as ``img_z003_c1.tif``, ``t0001/z03.tif``,
``exp_w1DAPI_s2_t5.tif`` (MetaMorph) or ``img_channel000_position000_time000000000_z000.tif``
(Micro-Manager 2). Read as one stack of frames, channels and times would be fused with each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, cast

from panfocus.errors import UsageError
from panfocus.schema import said

Axis = Literal["P", "T", "C", "Z"]
#: From a name to what it says, by axis; None for a name that says nothing.
Parse = Callable[[str], Mapping[Axis, str] | None]

_WORDS: dict[str, Axis] = {
    "z": "Z", "slice": "Z", "plane": "Z",
    "c": "C", "ch": "C", "channel": "C", "w": "C",
    "t": "T", "time": "T",
    "p": "P", "pos": "P", "position": "P", "s": "P", "site": "P", "xy": "P",
}  # fmt: skip
_TOKEN = re.compile(
    rf"(?<![a-z])({'|'.join(sorted(_WORDS, key=len, reverse=True))})[-_ ]?(\d{{1,9}})(?!\d)",
    re.IGNORECASE,
)
# MetaMorph puts the channel's name behind its number
_NAMED_WAVE = re.compile(r"(?<![a-z])(w\d+)([a-z][a-z0-9 -]*)(?=_|/|\.|$)", re.IGNORECASE)
_MICRO_MANAGER_1 = re.compile(r"img_(?P<T>\d{9})_(?P<C>.+)_(?P<Z>\d{3})\.tiff?", re.IGNORECASE)
_FIELD = re.compile(r"\{([ptcz])\}")
_LONGEST = 500


def parsed(name: str) -> tuple[Mapping[Axis, str], str] | None:
    """Return what the words in a name say, and the rest of it; None if a word stands twice.

    What both a file and its folder say, as of Micro-Manager's ``Pos0/img_position000_z000.tif``,
    is the file's to say, and a folder that adds nothing to it does not count.

    Args:
        name: of a file, with its folder where that says something too.

    Example:
        >>> parsed("t0001/img_z03_c1.tif")
        ({'T': '0001', 'Z': '03', 'C': '1'}, '/img__.tif')
    """
    folder, slash, own = name.rpartition("/")
    if slash:
        inner, outer = parsed(own), parsed(folder)
        if inner is None or outer is None:
            return None
        if outer[0].keys() <= inner[0].keys():
            return inner
        return {**outer[0], **inner[0]}, f"{outer[1]}/{inner[1]}"
    known = _MICRO_MANAGER_1.fullmatch(name)
    if known is not None:
        return {"T": known["T"], "C": known["C"], "Z": known["Z"]}, "img"
    wave = _NAMED_WAVE.search(name)
    short = name if wave is None else name[: wave.end(1)] + name[wave.end() :]
    found: dict[Axis, str] = {}
    for word, number in _TOKEN.findall(short):
        axis = _WORDS[word.lower()]
        if axis in found:
            return None
        found[axis] = number
    if wave is not None and "C" in found:
        found["C"] = wave[2]
    return found, _TOKEN.sub("", short)


def parser_of(pattern: str) -> Parse:
    """Return how names are read by a pattern such as ``img_{t}_{c}_{z}.tif``.

    Args:
        pattern: a name with ``{z}`` and any of ``{c}``, ``{t}``, ``{p}`` where numbers or names
            stand; ``*`` stands for anything, ``/`` for a folder.

    Raises:
        UsageError: no ``{z}``, or a field that stands twice.

    Example:
        >>> parser_of("*_{c}_{z}.tif")("cells_DAPI_07.tif")
        {'C': 'DAPI', 'Z': '07'}
    """
    is_text = isinstance(cast("object", pattern), str)
    fields = _FIELD.findall(pattern) if is_text else []
    if "z" not in fields or len(set(fields)) < len(fields) or len(pattern) > _LONGEST:
        raise UsageError(
            "the pattern of names does not tell planes apart",
            where="pattern",
            expected="{z}, and any of {c}, {t} and {p}, once each, as in img_{t}_{c}_{z}.tif",
            got=pattern if is_text else said(pattern),
        )
    parts = re.split(r"(\{[pctz]\}|\*)", pattern)
    expression = re.compile("".join(map(_expression, parts)), re.IGNORECASE)
    axes: dict[str, Axis] = {"p": "P", "t": "T", "c": "C", "z": "Z"}

    def parse(name: str) -> Mapping[Axis, str] | None:
        match = expression.fullmatch(name)
        return None if match is None else {axes[k]: match[k] for k in axes if k in fields}

    return parse


def _expression(part: str) -> str:
    if part == "*":
        return "[^/]*"
    field = _FIELD.fullmatch(part)
    if field is None:
        return re.escape(part)
    inside = r"\d{1,9}" if field[1] in "tz" else r"[^/]+?"
    return f"(?P<{field[1]}>{inside})"
