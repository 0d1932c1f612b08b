"""Single values of a frozen recipe, changed by the command line: ``--set loss.gradient=0``.

A recipe is seen as the plain values that its ``to_dict`` gives; keys are joined by dots as in
``run.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

from panfocus import schema
from panfocus.errors import UsageError
from panfocus.resources.paths import shown

RecipeT = TypeVar("RecipeT")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


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
                where=f"--set {shown(setting)}",
                expected=f"KEY=VALUE with one of {', '.join(known)}",
                got=shown(key),
            )
        place, name = known[key]
        place[name] = _as(place[name], text, setting)
    return out


def rebuilt(make: Callable[[Mapping[str, Any]], RecipeT], values: Mapping[str, Any]) -> RecipeT:
    """Return the recipe that changed values tell.

    Args:
        make: builds it (`panfocus.train.fields.built`).
        values: see `changed`.

    Raises:
        UsageError: a value is out of its bounds.
    """
    try:
        return make(values)
    except schema.SchemaError as error:
        raise UsageError(
            "a value of a recipe is not what it can be",
            where=f"--set {error.where}",
            expected=error.expected,
            got=error.got,
        ) from None


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
        value: Any = schema.parse(text)
    except schema.SchemaError:
        value = text
    if isinstance(before, tuple) and isinstance(value, str):
        value = value.split(",")
    elif isinstance(before, float) and isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)  # as people write it and JSON does not: .5
    fits = before is None or (
        _kind(value) == _kind(before) or (_kind(before), _kind(value)) == ("float", "int")
    )
    if not fits:
        raise UsageError(
            "a value of a recipe is of another kind",
            where=f"--set {shown(setting)}",
            expected=f"such as {json.dumps(before)}",
            got=shown(text),
        )
    return value


def _kind(value: Any) -> str:  # noqa: ANN401  whatever JSON holds
    """Return the name of a value's type, a tuple being what JSON calls a list."""
    return "list" if isinstance(value, tuple) else str(type(value).__name__)
