"""JSON from outside, looked at through a door: each fault is a sentence that says where it stands.

A `Value` knows its place in the file (``strokes[3].radius``); every question about it is answered,
or refused by an `InputError` that says what stood there and what was expected. The checks are those
of `panfocus.schema`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar, cast

from panfocus import schema
from panfocus.errors import InputError

#: Characters of wrong keys that are told.
_TOLD = 60

CheckedT = TypeVar("CheckedT")


@dataclass(frozen=True)
class Value:
    """A value of JSON and where it stands.

    Attributes:
        raw: as `json` has it.
        file: what it was read from, for messages.
        place: within that, such as ``strokes[3].radius``; empty for the whole.
        remedy: what the user can do about any fault.
    """

    raw: object
    file: str
    place: str = ""
    remedy: str | None = None

    def refuse(self, what: str, expected: str, got: str | None = None) -> NoReturn:
        """Raise the error for this value.

        Raises:
            InputError: always.
        """
        where = f"{self.file}: {self.place}" if self.place else self.file
        told = schema.said(self.raw) if got is None else got
        raise InputError(what, where=where, expected=expected, got=told, remedy=self.remedy)

    def item(self, key: str) -> Value:
        """Return what stands under a key that must be there."""
        fields = self._fields()
        if key not in fields:
            self.refuse(f"{key} is missing", f"{key}", f"only {', '.join(fields) or 'nothing'}")
        return self._inside(fields[key], f".{key}")

    def get(self, key: str) -> Value | None:
        """Return what stands under a key; None where it is not there or null."""
        found = self._fields().get(key)
        return None if found is None else self._inside(found, f".{key}")

    def only(self, *keys: str) -> None:
        """Refuse keys beyond these."""
        unknown = [key for key in self._fields() if key not in keys]
        if unknown:
            self.refuse("a key is unknown", ", ".join(keys), ", ".join(unknown)[:_TOLD])

    def names(self) -> list[str]:
        """Return the keys of an object."""
        return list(self._fields())

    def items(self, most: int, least: int = 0) -> Iterator[Value]:
        """Yield the values of a list."""
        for n, each in enumerate(self.listed(most, least)):
            yield self._inside(each, f"[{n}]")

    def listed(self, most: int, least: int = 0) -> Sequence[object]:
        """Return the values of a list as they are, for those who check many at once."""
        if not isinstance(self.raw, list):
            self.refuse("this is no list", "a list")
        found = cast("list[object]", self.raw)
        if not least <= len(found) <= most:
            self.refuse(
                "a list is too long" if len(found) > most else "a list is too short",
                f"{least} to {most} entries",
                f"{len(found)} entries",
            )
        return found

    def number(self, low: float, high: float) -> float:
        """Return a finite number within bounds."""
        what = "a number is not what it can be"
        return self._checked(what, lambda raw, at: schema.number(raw, at, low, high))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number within bounds."""
        what = "a number is not what it can be"
        return self._checked(what, lambda raw, at: schema.whole(raw, at, low, high))

    def truth(self) -> bool:
        """Return true or false."""
        return self._checked("this is neither true nor false", schema.truth)

    def text(self, most: int = 4096) -> str:
        """Return text that is not empty, of at most `most` characters, without control ones."""
        raw = self.raw
        if not isinstance(raw, str) or not raw or len(raw) > most or not raw.isprintable():
            self.refuse("this cannot be read as text", f"1 to {most} printable characters")
        return raw

    def path(self, most: int = 4096) -> str:
        """Return the name of a file, in which a system allows what no letter is."""
        raw = self.raw
        if not isinstance(raw, str) or not 0 < len(raw) <= most or not _is_name(raw):
            self.refuse("this can be no file's name", f"1 to {most} characters of a name")
        return raw

    def choice(self, *choices: str) -> str:
        """Return one of some words."""
        return self._checked("a word is unknown", lambda raw, at: schema.choice(raw, at, choices))

    def _fields(self) -> Mapping[str, object]:
        return self._checked("this is no object", schema.record)

    def _checked(self, what: str, check: Callable[[object, str], CheckedT]) -> CheckedT:
        try:
            return check(self.raw, self.place)
        except schema.SchemaError as error:
            self.refuse(what, error.expected, error.got)

    def _inside(self, raw: object, step: str) -> Value:
        place = f"{self.place}{step}" if self.place else step.removeprefix(".")
        return Value(raw, self.file, place, self.remedy)


def _is_name(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def is_number(raw: object) -> bool:
    """Whether this is a finite number, which a truth is not."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return abs(raw) < 1 << 53
    return isinstance(raw, float) and math.isfinite(raw)


def read_json(path: Path, most_bytes: int, remedy: str | None = None) -> Value:
    """Read a file of JSON that anybody may have written.

    Args:
        path: of the file.
        most_bytes: that it may have.
        remedy: told with every fault.

    Raises:
        InputError: not there, no ordinary file, too large, or no JSON.
    """
    whole = Value(None, str(path))
    try:
        text = schema.read_text(path, most_bytes)
    except schema.SchemaError as error:
        whole.refuse("a file cannot be read", error.expected, error.got)
    except OSError as error:
        expected = f"a JSON file of at most {most_bytes // 2**20} MB"
        whole.refuse("a file cannot be read", expected, error.strerror or str(error))
    return parse_json(text, str(path), remedy)


def parse_json(text: str, file: str, remedy: str | None = None) -> Value:
    """Return the value of a text that anybody may have written.

    Args:
        text: JSON.
        file: what it is called in messages.
        remedy: told with every fault.

    Raises:
        InputError: it is no JSON; NaN and Infinity are none.
    """
    try:
        return Value(schema.parse(text, is_strict=True), file, remedy=remedy)
    except schema.SchemaError as error:
        Value(None, file, error.where, remedy).refuse("this is no JSON", error.expected, error.got)
