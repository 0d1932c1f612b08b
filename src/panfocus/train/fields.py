"""Recipes that others have written: every value is of its field's type and within its bounds.

    from panfocus.train import fields

What a field may hold is its annotation: `built` reads it, so that a recipe says once what it takes,
wherever it comes from: ``--set``, ``--config``, a checkpoint, a card.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from panfocus import schema

RecipeT = TypeVar("RecipeT")
#: Entries of a list, at most.
_MOST_ENTRIES = 64


class Within(NamedTuple):
    """Bounds of a number, of each in a list."""

    low: float
    high: float


class AtLeast(NamedTuple):
    """How many entries a list has, at least."""

    least: int


class OneOf(NamedTuple):
    """Words of which a text is one."""

    words: Sequence[str]


#: A probability or a part of something.
Share = Annotated[float, Within(0, 1)]
#: How much a term of a loss counts.
Weight = Annotated[float, Within(0, 1e6)]
#: How many of something that takes memory or time.
Count = Annotated[int, Within(1, 4096)]
#: The same, of what there need not be any.
Some = Annotated[int, Within(0, 4096)]
#: Side of a square of pixels that is packed into channels.
Pack = Annotated[int, Within(1, 16)]
#: Height and width of a crop.
Side = Annotated[int, Within(16, 4096)]
#: A share that leaves something of the whole.
Part = Annotated[float, Within(0, 0.99)]
#: Peak of a learning rate; above, weights are thrown about.
Rate = Annotated[float, Within(1e-12, 10)]
#: Decay of weights.
Decay = Annotated[float, Within(0, 10)]
#: Largest norm of a gradient.
Norm = Annotated[float, Within(1e-6, 1e6)]


def built(kind: type[RecipeT], values: object, where: str = "") -> RecipeT:
    """Build a recipe, or a part of one, from plain values.

    Args:
        kind: a dataclass; its annotations say what its fields hold, `Within` and `OneOf` too.
        values: named as the fields; those with a default may be absent. Lists stand for tuples.
        where: the place of the values, for messages.

    Raises:
        SchemaError: a value is missing, unknown, of another type or out of bounds.

    Examples:
        >>> from panfocus.train.synthesis.odds import Odds
        >>> built(Odds, {"lights": 0.5}).lights
        0.5
    """
    told = schema.record(values, where)
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name: field for field in dataclasses.fields(cast("Any", kind))}
    for name in told:
        if name not in known:
            expected = f"one of {', '.join(known)}"
            raise schema.SchemaError(where, expected, f"a value called {schema.said(name)}")
    held: dict[str, Any] = {}
    for name, field in known.items():
        place = _joined(where, name)
        if name in told:
            held[name] = _read(hints[name], told[name], place, ())
        elif _is_needed(field):
            raise schema.SchemaError(place, "a value", "none")
    try:
        return kind(**held)
    except schema.SchemaError as error:  # what the parts say of each other
        raise schema.SchemaError(_joined(where, error.where), error.expected, error.got) from None


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where and name else where or name


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _read(hint: Any, value: object, where: str, bounds: tuple[Any, ...]) -> Any:  # noqa: ANN401
    """Return a value of the type that a hint tells."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind is Annotated:
        return _read(inner[0], value, where, inner[1:])
    if kind is types.UnionType:
        (other,) = (one for one in inner if one is not type(None))
        return None if value is None else _read(other, value, where, bounds)
    if kind is Literal:
        return schema.choice(value, where, inner)
    if kind is tuple:
        return _entries(inner, value, where, bounds)
    if dataclasses.is_dataclass(hint):
        return built(cast("type[Any]", hint), value, where)
    return _plain(hint, value, where, bounds)


def _entries(
    inner: tuple[Any, ...], value: object, where: str, bounds: tuple[Any, ...]
) -> tuple[Any, ...]:
    is_any = inner[-1] is ...
    fewest = next((one.least for one in bounds if isinstance(one, AtLeast)), 0)
    least, most = (fewest, _MOST_ENTRIES) if is_any else (len(inner), len(inner))
    entries = schema.items(value, where, least, most)
    hints = [inner[0]] * len(entries) if is_any else inner
    pairs = zip(hints, entries, strict=True)
    return tuple(_read(hint, one, f"{where}[{n}]", bounds) for n, (hint, one) in enumerate(pairs))


def _plain(hint: Any, value: object, where: str, bounds: tuple[Any, ...]) -> Any:  # noqa: ANN401
    within = next((one for one in bounds if isinstance(one, Within)), None)
    words = next((one for one in bounds if isinstance(one, OneOf)), None)
    if hint is bool:
        return schema.truth(value, where)
    if hint is str:
        return schema.text(value, where) if words is None else schema.choice(value, where, words[0])
    if within is None:
        raise TypeError(f"{where} is a number without bounds")
    if hint is int:
        return schema.whole(value, where, int(within.low), int(within.high))
    return schema.number(value, where, *within)
