"""Single values of a frozen recipe, changed by the command line: ``--set loss.gradient=0``.

A recipe is seen as the plain values that its ``to_dict`` gives; keys are joined by dots as in
``run.json``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from panfocus.errors import UsageError


def changed(
    values: Mapping[str, Any], settings: Sequence[str], *, whole: Collection[str] = ()
) -> dict[str, Any]:
    """Return the plain values of a recipe with single ones changed.

    Args:
        values: of a recipe, nested once at most where they can be changed.
        settings: ``KEY=VALUE`` each: ``odds.lights=0.2``, ``learning_rate=5e-4``,
            ``masking.guide=none``, ``masking.measures=sml,guided``; values as JSON, a bare word, or
            words with commas between them.
        whole: keys of what cannot be changed by parts, or at all: shapes, stages, the name.

    Raises:
        UsageError: no such key, or a value of another kind.
    """
    out = _copied(values)
    known = _places(out, whole)
    for setting in settings:
        key, _, text = setting.partition("=")
        if key not in known:
            raise UsageError(
                "a recipe has no such value",
                where=f"--set {setting}",
                expected=f"KEY=VALUE with one of {', '.join(known)}",
                got=key,
            )
        place, name = known[key]
        place[name] = _as(place[name], text, setting)
    return out


def frozen(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    """Return a tuple for the list that JSON made of one, anything else as it is."""
    if isinstance(value, list):
        return tuple(cast("list[Any]", value))
    return value


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copy nested mappings, so that the caller's are left alone."""
    return {
        name: _copied(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


def _places(
    values: dict[str, Any], whole: Collection[str]
) -> dict[str, tuple[dict[str, Any], str]]:
    """Return where every value that can be changed stands, by its key."""
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for name, value in values.items():
        if name in whole:
            continue
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            places |= {f"{name}.{part}": (inner, part) for part in inner}
        else:
            places[name] = (values, name)
    return places


def _as(before: Any, text: str, setting: str) -> Any:  # noqa: ANN401  whatever stood there
    """Read a value of the kind that stood there before."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    if isinstance(before, tuple) and isinstance(value, str):
        value = value.split(",")
    fits = before is None or (
        _kind(value) == _kind(before) or (_kind(before), _kind(value)) == ("float", "int")
    )
    if not fits:
        raise UsageError(
            "a value of a recipe is of another kind",
            where=f"--set {setting}",
            expected=f"such as {json.dumps(before)}",
            got=text,
        )
    return float(value) if isinstance(before, float) else value


def _kind(value: Any) -> str:  # noqa: ANN401  whatever JSON holds
    """Return the name of a value's type, a tuple being what JSON calls a list."""
    return "list" if isinstance(value, tuple) else str(type(value).__name__)
