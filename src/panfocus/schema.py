"""What others have written is what it must be, or the message says where it is not.

    from panfocus import schema

Small checks instead of a library of them: they cost nothing at start-up, and speak plainly. Each
takes a value and the place where it stands (``frames[3].matrix``), and returns it typed.
`panfocus.io.checked_json` asks the same of values that know their place.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import NoReturn, TypeVar, cast

ItemT = TypeVar("ItemT")

#: Bytes of a text that people or programs write; damaged or foreign files may be of any size.
MOST_BYTES = 64 * 2**20
_LONGEST = 60


class SchemaError(ValueError):
    """A value is not what it must be.

    Args:
        where: the place in the file; empty for all of it.
        expected: what would have been right.
        got: what is there.
    """

    def __init__(self, where: str, expected: str, got: str) -> None:
        super().__init__(f"{where}: {got}, not {expected}" if where else f"{got}, not {expected}")
        self.where = where
        self.expected = expected
        self.got = got

    def place(self, file: object) -> str:
        """Return the file, and the place in it."""
        return f"{file}, {self.where}" if self.where else str(file)


def read_text(path: Path, most: int = MOST_BYTES, *, errors: str = "strict") -> str:
    """Return what an ordinary file holds, as UTF-8.

    Args:
        path: of the file.
        most: bytes that it may have.
        errors: what becomes of other bytes, as `bytes.decode` takes it.

    Raises:
        SchemaError: no ordinary file, not text, or too much of it.
        OSError: it cannot be read.
    """
    # a pipe would be waited for, whatever opens it
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise SchemaError("", "an ordinary file", "no ordinary file: a folder, pipe or device")
    with os.fdopen(handle, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise SchemaError("", f"at most {most // 2**20} MiB of text", "more")
    try:
        return data.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise SchemaError("", "text in UTF-8", f"byte {error.start} that is none") from None


def parse(text: str, *, is_strict: bool = False) -> object:
    """Return what a JSON text says.

    Args:
        text: JSON.
        is_strict: whether NaN and Infinity, which Python writes, are refused: JSON has none.

    Raises:
        SchemaError: no JSON, or more deeply nested, or longer numbers, than anybody writes.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant if is_strict else None)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SchemaError(where, "JSON", "nothing" if not text.strip() else "other text") from None
    except SchemaError:
        raise
    except ValueError:
        raise SchemaError("", "numbers of at most 4300 digits", "a longer one") from None
    except RecursionError:
        raise SchemaError("", "JSON of a few levels", "thousands, one in the other") from None


def _refuse_constant(word: str) -> NoReturn:
    raise SchemaError("", "finite numbers", word)


def read(path: Path, most: int = MOST_BYTES) -> object:
    """Return what a file of JSON says; raises as `read_text` and `parse`."""
    return parse(read_text(path, most))


def record(value: object, where: str = "") -> Mapping[str, object]:
    """Return a mapping of names."""
    if not isinstance(value, Mapping):
        raise SchemaError(where, "named values, {...}", said(value))
    found = cast("Mapping[object, object]", value)
    if not all(isinstance(key, str) for key in found):
        raise SchemaError(where, "names that are text", said(found))
    return cast("Mapping[str, object]", found)


def item(of: Mapping[str, object], name: str, where: str = "") -> object:
    """Return a value that must be there."""
    if name not in of:
        raise SchemaError(where, f"a value called {name}", "none of this name")
    return of[name]


def items(value: object, where: str, least: int = 0, most: int = 10**6) -> Sequence[object]:
    """Return a list of so many."""
    if not isinstance(value, (list, tuple)):
        raise SchemaError(where, "a list", said(value))
    found = cast("Sequence[object]", value)
    if not least <= len(found) <= most:
        number = str(least) if least == most else f"{least} to {most}"
        raise SchemaError(where, f"a list of {number}", f"one of {len(found)}")
    return found


def text(value: object, where: str, *, is_empty: bool = True, most: int = 10**5) -> str:
    """Return a text without control characters that nobody types."""
    if not isinstance(value, str):
        raise SchemaError(where, "text", said(value))
    if "\0" in value or len(value) > most or not (is_empty or value.strip()):
        raise SchemaError(
            where, f"text of {'0' if is_empty else '1'} to {most} letters", said(value)
        )
    return value


def whole(value: object, where: str, low: int, high: int) -> int:
    """Return a whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SchemaError(where, f"a whole number from {low} to {high}", said(value))
    return value


def number(value: object, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number within bounds."""
    bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
    expected = f"a finite number{bounds}"
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise SchemaError(where, expected, said(value))
    try:
        found = float(value)
    except OverflowError:
        raise SchemaError(where, expected, said(value)) from None
    if not math.isfinite(found) or not low <= found <= high:
        raise SchemaError(where, expected, said(value))
    return found


def is_between(value: object, low: float, high: float) -> bool:
    """Whether a value that a program may have handed over is a number within bounds."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return bool(low <= cast("float", value) <= high)


def truth(value: object, where: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise SchemaError(where, "true or false", said(value))
    return value


def choice(value: object, where: str, of: Sequence[str]) -> str:
    """Return one of several words."""
    if not isinstance(value, str) or value not in of:
        raise SchemaError(where, " or ".join(of), said(value))
    return value


def file_name(value: object, where: str) -> str:
    """Return the name of a file in the same folder: no way leads out of it."""
    name = text(value, where, is_empty=False, most=255)
    if name in (".", "..") or any(sign in name for sign in "/\\:"):
        raise SchemaError(where, "the name of a file beside it", said(value))
    return name


def unless_none(check: Callable[[object, str], ItemT], value: object, where: str) -> ItemT | None:
    """Return a value that may be absent."""
    return None if value is None else check(value, where)


def said(value: object) -> str:
    """Return a value in words: what kind of thing it is, and its beginning.

    Examples:
        >>> said([1, 2]), said(None), said("x"), said(True)
        ('a list of 2', 'nothing', "the text 'x'", 'true')
    """
    if isinstance(value, str):
        return f"the text {_short(repr(value) if value.isprintable() else ascii(value))}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(cast('Sequence[object]', value))}"
    if isinstance(value, Mapping):
        names = [ascii(str(name))[1:-1] for name in cast("Mapping[object, object]", value)]
        return _short(f"named values ({', '.join(names[:5]) or 'none'})")
    return _plain(value)


def _plain(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) > 10**30:
        return "a whole number of more than 30 digits"
    return f"the number {value}" if isinstance(value, (int, float)) else type(value).__name__


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
