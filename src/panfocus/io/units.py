"""Lengths of microscopes' files in micrometres."""

from __future__ import annotations

import math
import re

_PREFIXES = {
    "y": 1e-24, "z": 1e-21, "a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "u": 1e-6,
    "m": 1e-3, "c": 1e-2, "d": 1e-1, "": 1.0, "da": 1e1, "h": 1e2, "k": 1e3, "M": 1e6, "G": 1e9,
    "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21, "Y": 1e24,
}  # fmt: skip
_SPELLED = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ",
    "milli": "m", "centi": "c", "deci": "d", "": "", "deca": "da", "hecto": "h", "kilo": "k",
    "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y",
}  # fmt: skip
#: Metres of what is no metre with a prefix; OME's symbols, and words without a plural.
_OTHERS = {
    "å": 1e-10, "angstrom": 1e-10, "ångström": 1e-10, "micron": 1e-6, "thou": 2.54e-5,
    "mil": 2.54e-5, "li": 2.54e-2 / 12, "line": 2.54e-2 / 12, "in": 0.0254, "inch": 0.0254,
    '"': 0.0254, "ft": 0.3048, "foot": 0.3048, "yd": 0.9144, "yard": 0.9144, "mi": 1609.344,
    "mile": 1609.344, "pt": 0.0254 / 72, "point": 0.0254 / 72, "parsec": 3.0856775814913673e16,
    "pc": 3.0856775814913673e16, "ua": 149_597_870_700.0, "au": 149_597_870_700.0,
    "ly": 9_460_730_472_580_800.0,
}  # fmt: skip
_PLURALS = {"inches": "inch", "feet": "foot", "microns": "micron"}
_METRE = re.compile(r"(\w*?)met(?:er|re)s?", re.IGNORECASE)


def metres(unit: str) -> float | None:
    """Return the metres of a unit as OME, OME-Zarr or ImageJ write it; None if it is no length."""
    name = unit.replace("\\u00B5", "µ").replace("μ", "µ").strip()
    spelled = _METRE.fullmatch(name)
    if spelled is not None:
        symbol = _SPELLED.get(spelled[1].lower())
        return None if symbol is None else _PREFIXES[symbol]
    if name.endswith("m") and name[:-1] in _PREFIXES:
        return _PREFIXES[name[:-1]]
    lower = _PLURALS.get(name.lower(), name.lower())
    return _OTHERS.get(lower, _OTHERS.get(lower.removesuffix("s")))


def micrometres(value: object, unit: object) -> float | None:
    """Return a length in micrometres; None when it is not one."""
    scale = metres(str(unit))
    try:
        length = float(str(value))
    except ValueError:
        return None
    if scale is None or not length > 0:
        return None
    # a power of ten first: 2 nm are then 0.002 µm to the last digit
    micro = scale * 1e6
    size = length / (1 / micro) if micro < 1 else length * micro
    size = float(f"{size:.15g}")
    return size if 0 < size < math.inf else None
