"""What the library says in the names of parameters, said in the flags of the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from panfocus.pipeline.options import ABOUT, FIELDS, flag_of

#: Parameters beside the settings whose flag has another name, and those whose flag has theirs.
_NAMED = {
    "path": "-o",
    "pixel_um": "--pixel-size",
    "report": "--json",
    "transforms": "--save-transforms",
}
_ALIKE = (
    *("axes", "guide_channel", "slab", "mesh", "height_map", "depth_map", "index_map"),
    *("confidence_map", "overwrite", "resume", "scheduler", "systems", "results", "metrics"),
    *("cut", "out", "depth_maps", "accept_changed", "workers"),
    *("layers", "animation", "stereo", "rocking", "animation_size", "parallax"),
    *("host", "port", "only", "pattern", "mosaic", "pyramid", "ome_zarr", "scale_bar"),
)
_WHERE = "  where: "
#: Compiled where they are needed: it takes a millisecond.
_QUOTED = r'`([a-z_]+)(?:=(?:"([^"`]*)"|(\w+)))?`'
_NAME = r"(^|, )([a-z_]+)(?=, | |$)"


def in_flags(text: str, given: Sequence[str] = ()) -> str:
    r"""Return a message of the library as the command line says it.

    Args:
        text: lines; parameters stand in backticks, or in the line that says where.
        given: words of the command line: a file of a parameter's name is one of these.

    Examples:
        >>> in_flags('align them by `align="auto"`')
        'align them by --align auto'
        >>> in_flags("no such file\n  where: out", ["fuse", "out"])
        'no such file\n  where: out'
    """
    return "\n".join(_line(line, given) for line in text.split("\n"))


def _line(line: str, given: Sequence[str]) -> str:
    line = re.sub(_QUOTED, _assignment, line)
    if not line.startswith(_WHERE):
        return line
    told = line.removeprefix(_WHERE)
    if told in given:
        return line
    return _WHERE + re.sub(_NAME, lambda m: m[1] + (_flag(m[2]) or m[2]), told)


def _assignment(found: re.Match[str]) -> str:
    name, text, word = found[1], found[2], found[3]
    flag = _flag(name)
    if flag is None:
        return found[0]
    if word in ("True", "False"):
        return flag if word == "True" else _opposite(name)
    value = text if text is not None else word
    return flag if value is None else f"{flag} {value}"


def _flag(name: str) -> str | None:
    if name in FIELDS:
        return flag_of(name)
    return _NAMED.get(name, f"--{name.replace('_', '-')}" if name in _ALIKE else None)


def _opposite(name: str) -> str:
    """Return the flag that says no: ``--crop`` for ``keep_size=False``."""
    flags = ABOUT[name].flags if name in ABOUT else None
    return flags[-1].rpartition("/")[2] if flags else f"--no-{name.replace('_', '-')}"
