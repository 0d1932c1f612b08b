"""Flags made from the fields of a class of options (`panfocus.train.options`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import click

from panfocus.cli.files import FILE
from panfocus.cli.options import CommandT, under
from panfocus.train.options import Flag, flag_of


def flags_of(options: type[Any]) -> Callable[[CommandT], CommandT]:
    """Declare a flag for every field of a dataclass that has one, in their order."""

    def declare(command: CommandT) -> CommandT:
        types = get_type_hints(options)
        for each in reversed(fields(options)):
            flag = flag_of(each.metadata)
            if flag is not None:
                names = _names(each.name, types[each.name], flag)
                command = under(flag.group, each.name, *names, **_how(each, types, flag))(command)
        return command

    return declare


def _names(name: str, kind: Any, flag: Flag) -> tuple[str, ...]:  # noqa: ANN401  any annotation
    dashed = name.replace("_", "-")
    return flag.names or ((f"--{dashed}/--no-{dashed}",) if kind is bool else (f"--{dashed}",))


def _how(each: Field[Any], types: dict[str, Any], flag: Flag) -> dict[str, Any]:
    """Return how click shall declare a field: by its type, its default and its flag."""
    one = _one_of(types[each.name])
    how: dict[str, Any] = {"help": flag.help}
    if each.default is MISSING:
        how["required"] = True
    else:
        how["default"] = each.default
        how["show_default"] = each.default is not None and each.default != ()
    if one is bool:
        return {**how, "is_flag": True, "show_default": not flag.names}
    how["multiple"] = get_origin(types[each.name]) is tuple
    if flag.choices:
        return {**how, "type": click.Choice(flag.choices)}
    how["metavar"] = flag.metavar or {int: "N", float: "NUMBER"}.get(one)
    how["type"] = {
        Path: FILE,
        int: click.INT if flag.least is None else click.IntRange(flag.least),
        float: click.FLOAT,
        str: click.STRING,
    }[one]
    return how


def _one_of(kind: Any) -> type[Any]:  # noqa: ANN401  any annotation
    """Return the type of one value: of ``tuple[X, ...]`` and of ``X | None`` it is X."""
    inner = [arg for arg in get_args(kind) if arg not in (NoneType, Ellipsis)]
    return inner[0] if inner else kind
