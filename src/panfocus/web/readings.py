"""How a volume is read, as a page asks for it: axes, names of planes, tiles of a mosaic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from panfocus.errors import UsageError
from panfocus.io.volumes.reading import VolumeReading, ways_of
from panfocus.io.volumes.vendors import MOSAICS
from panfocus.web.requests import one_of

#: Letters of what a page says.
_MOST = {"axes": 20, "pattern": 300}


def read_reading(given: object) -> VolumeReading:
    """Return what a page has sent; what is empty is not said.

    Raises:
        UsageError: it is none.

    Example:
        >>> read_reading({"axes": "ZYX", "pattern": ""})
        VolumeReading(axes='ZYX', pattern=None, mosaic=None)
    """
    if given is None:
        return VolumeReading()
    told = cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {"": given}
    if set(told) - {"axes", "pattern", "mosaic"}:
        raise UsageError(
            "this is no way to read a volume",
            where="reading",
            expected="axes, pattern or mosaic, and their values",
            got=repr(told)[:80],
        )
    mosaic = one_of("mosaic", _said(told, "mosaic"), (None, *MOSAICS))
    return VolumeReading(_text(told, "axes"), _text(told, "pattern"), mosaic)


def _text(told: Mapping[str, object], name: str) -> str | None:
    value = _said(told, name)
    if value is not None and (not isinstance(value, str) or len(value) > _MOST[name]):
        raise UsageError(
            f"unknown value of {name}",
            where=name,
            expected=f"at most {_MOST[name]} letters",
            got=repr(value)[:80],
        )
    return value


def _said(told: Mapping[str, object], name: str) -> object:
    value = told.get(name)
    return None if value == "" else value


def reading_facts(inputs: Sequence[Path], reading: VolumeReading) -> dict[str, Any]:
    """Return what a page is told: what can be said of a stack's files, and what is."""
    ways = ways_of(inputs[0]) if len(inputs) == 1 else ()
    return {"ways": list(ways), "told": reading.told}
