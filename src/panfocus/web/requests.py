"""What pages ask: each group of parameters a small class, read from a request and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, cast

from starlette.requests import Request

from panfocus.errors import UsageError
from panfocus.web.levels import PLAIN, ScreenLevels

#: Bytes of a request that is not an upload: ten thousand strokes fit.
MOST_BYTES = 32 * 2**20


async def body_of(request: Request) -> dict[str, Any]:
    """Return a request's JSON.

    Raises:
        UsageError: too large, or no JSON of an object.
    """
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise UsageError("the request is too large", expected=f"{MOST_BYTES >> 20} MiB at most")
    try:
        found = json.loads(bytes(data) or b"{}")
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is no JSON", got=str(error)[:80]) from error
    if not isinstance(found, dict):
        raise UsageError("the request is no object of JSON")
    return cast("dict[str, Any]", found)


def list_of(value: object) -> list[object]:
    """Return a list of JSON; an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def whole(name: str, value: object, *, least: int = 0, most: int = 10**7) -> int:
    """Return a whole number within bounds.

    Raises:
        UsageError: it is none.

    Example:
        >>> whole("level", "3")
        3
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _no_number(name, value, least, most)
    try:
        number = int(value)
        exact = float(value) == number
    except (ValueError, OverflowError) as error:
        raise _no_number(name, value, least, most) from error
    if not exact or not least <= number <= most:
        raise _no_number(name, value, least, most)
    return number


def real(name: str, value: object) -> float:
    """Return a number that a float can hold.

    Raises:
        UsageError: it is none; JSON has whole numbers of any length.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    raise UsageError(f"this cannot be {name}", where=name, expected="a number", got=str(value)[:40])


def one_of(name: str, value: Any, choices: Sequence[Any]) -> Any:  # noqa: ANN401  of the choices
    """Return a value that is one of some.

    Raises:
        UsageError: it is none.

    Example:
        >>> one_of("pyramid", "on", ("auto", "on"))
        'on'
    """
    if value not in choices:
        told = " or ".join(str(each) for each in choices if each is not None)
        raise UsageError(f"this cannot be {name}", where=name, expected=told, got=str(value)[:40])
    return value


def _no_number(name: str, value: object, least: int, most: int) -> UsageError:
    return UsageError(
        f"this cannot be {name}",
        where=name,
        expected=f"a whole number from {least} to {most}",
        got=str(value)[:40],
    )


@dataclass(frozen=True)
class TileRequest:
    """A tile of a picture.

    Attributes:
        picture: its name in addresses.
        level: 0 for full scale, each further one half of that.
        column: from the left.
        row: from the top.
        fades: whether a map is let through where it is not sure.
        version: of the picture that is meant; empty for that which is there.
    """

    picture: str
    level: int
    column: int
    row: int
    fades: bool = False
    version: str = ""

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read it.

        Raises:
            UsageError: no such numbers.
        """
        found = request.path_params
        return cls(
            str(found["picture"]),
            whole("level", found["level"], most=24),
            whole("column", found["column"], most=10**5),
            whole("row", found["row"], most=10**5),
            request.query_params.get("fade") == "1",
            request.query_params.get("v", ""),
        )


@dataclass(frozen=True)
class PointRequest:
    """A pixel of a result."""

    result: str
    x: int
    y: int

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read it.

        Raises:
            UsageError: no such numbers.
        """
        found = request.query_params
        return cls(
            str(request.path_params["result"]),
            whole("x", found.get("x")),
            whole("y", found.get("y")),
        )


@dataclass(frozen=True)
class BoxRequest:
    """A rectangle of the frames: left, top, width, height in pixels."""

    box: tuple[int, int, int, int]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read it.

        Raises:
            UsageError: it is none.
        """
        found = list_of(body.get("box"))
        if len(found) != 4:
            raise UsageError("this is no rectangle", expected="left, top, width, height")
        left, top, width, height = (whole("box", n) for n in found)
        return cls((left, top, width, height))


@dataclass(frozen=True)
class LevelsRequest:
    """Levels by which a stack is looked at."""

    levels: ScreenLevels

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read it.

        Raises:
            UsageError: no such levels.
        """
        given = {name: body.get(name, default) for name, default in PLAIN.facts().items()}
        return cls(ScreenLevels(**{name: real(name, value) for name, value in given.items()}))
