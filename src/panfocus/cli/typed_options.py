"""Flags made from the fields of a class of options (`panfocus.train.options`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import click

from panfocus.cli.files import FILE
from panfocus.cli.options import AnyNumber, CommandT, ValueType, declared
from panfocus.train.flags import Flag, flag_of


def flags_of(options: type[Any]) -> Callable[[CommandT], CommandT]:
    """Declare a flag for every field of a dataclass that has one, in their order."""

    def declare(command: CommandT) -> CommandT:
        types = get_type_hints(options)
        for each in reversed(fields(options)):
            flag = flag_of(each.metadata)
            if flag is None:
                continue
            one = _one_of(types[each.name])
            command = declared(
                command,
                each.name,
                _names(each.name, one, flag),
                _kind(one, flag),
                each.default,
                group=flag.group,
                text=flag.help,
                choices=flag.choices,
                metavar=flag.metavar or (None if flag.choices else _CALLED.get(one)),
                is_many=get_origin(types[each.name]) is tuple,
            )
        return command

    return declare


#: How ``--help`` calls numbers.
_CALLED: dict[type[Any], str] = {int: "N", float: "NUMBER"}


def _names(name: str, one: type[Any], flag: Flag) -> tuple[str, ...]:
    dashed = name.replace("_", "-")
    return flag.names or ((f"--{dashed}/--no-{dashed}",) if one is bool else (f"--{dashed}",))


def _kind(one: type[Any], flag: Flag) -> ValueType:
    """Return what click takes for a value of a type."""
    whole = click.INT if flag.least is None else click.IntRange(flag.least)
    kinds = {Path: FILE, int: whole, float: AnyNumber(), str: click.STRING}
    return bool if one is bool else kinds[one]


def _one_of(kind: Any) -> type[Any]:  # noqa: ANN401  any annotation
    """Return the type of one value: of ``tuple[X, ...]`` and of ``X | None`` it is X."""
    inner = [arg for arg in get_args(kind) if arg not in (NoneType, Ellipsis)]
    return inner[0] if inner else kind
