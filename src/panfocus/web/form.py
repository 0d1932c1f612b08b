"""The form of the page and what comes back from it: both from the one list of options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from panfocus.errors import UsageError
from panfocus.pipeline.options import ABOUT, FIELDS, FILES, Options, flag_of
from panfocus.pipeline.settings import make_settings
from panfocus.registration.options import KINDS
from panfocus.systems import list_systems
from panfocus.systems.uses import use_of
from panfocus.web.places import Places
from panfocus.web.requests import real

#: Options that the page decides itself: maps are always made, to be looked at.
_OWN = frozenset({"maps"})
#: Order of the groups on the page.
GROUPS = ("decision", "registration", "input", "maps", "output", "limits")

#: What leaves values as they were measured.
_MEASURED = {
    "align": "none",
    "exposure": "none",
    "banding": "off",
    "spread": "off",
    "void": "average",
}
#: What each kind of subject is best begun with; names are keys of the page's texts.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "macro": {},
    "landscape": {"reference": "first"},
    "product": {"exposure": "none"},
    "brightfield": _MEASURED,
    "fluorescence": {**_MEASURED, "void": "off"},
    "pcb": {"align": "auto", "mode": "select", "exposure": "none"},
}


def form() -> dict[str, Any]:
    """Return the options by group with a line of help each, their defaults and choices."""
    fields = [_field(name) for name in FIELDS if name not in _OWN]
    return {
        "groups": [
            {"name": group, "options": [f for f in fields if f["group"] == group]}
            for group in GROUPS
        ],
        "presets": {name: dict(values) for name, values in PRESETS.items()},
        "systems": [_system(card) for card in list_systems()],
    }


def _field(name: str) -> dict[str, Any]:
    about = ABOUT[name]
    return {
        "name": name,
        "group": about.group,
        "flag": flag_of(name),
        "help": about.help,
        "kind": about.kind,
        "choices": list(KINDS if name == "align" else about.choices),
        "default": FIELDS[name].default,
    }


def _system(card: Any) -> dict[str, Any]:  # noqa: ANN401  a card
    use = use_of(card)
    return {"name": card.name, "use": use[:1].upper() + use[1:], "kind": card.kind}


def read_options(given: object, places: Places) -> Options:
    """Return checked options from what a page has sent.

    Args:
        given: names and values.
        places: that files must lie in.

    Raises:
        UsageError: no such option or value, or a file or system from elsewhere.

    Example:
        >>> read_options({"system": "guided", "mode": "select"}, Places([])).mode
        'select'
    """
    if not isinstance(given, dict):
        raise UsageError("the options are none", expected="names and values", got=repr(given)[:80])
    chosen: dict[str, Any] = {}
    for name, value in cast("dict[str, object]", given).items():
        if name in _OWN or value is None or value == "":
            continue
        chosen[str(name)] = _value(str(name), value, places)
    return make_settings(**chosen, maps=True)


def _value(name: str, value: object, places: Places) -> Any:  # noqa: ANN401
    if not isinstance(value, (str, int, float, bool)):
        raise UsageError(f"unknown value of {name}", where=name, got=repr(value)[:80])
    if name in FILES:  # a path of the browser's, to be looked at first
        return str(places.resolve(value))
    if name == "system" and value not in {card.name for card in list_systems()}:
        return str(places.resolve(value))  # the folder of a system of the user's own
    kind = ABOUT[name].kind if name in ABOUT else "text"
    if kind == "length" and isinstance(value, int) and not isinstance(value, bool):
        return real(name, value)
    return str(value) if kind == "text" else value


def changed(options: Options) -> dict[str, Any]:
    """Return the options that are not at their defaults.

    Example:
        >>> changed(Options(mode="select"))
        {'mode': 'select'}
    """
    return {
        name: value
        for name, value in asdict(options).items()
        if name not in _OWN and value != FIELDS[name].default
    }
