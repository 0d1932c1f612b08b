"""Options of the commands, made from the one list of them (`panfocus.pipeline.options`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeVar

import click

from panfocus.cli.files import FILE
from panfocus.pipeline.options import ABOUT, FIELDS, About

#: Headings of ``--help``, in their order, and what stands under each.
HEADINGS = {
    "input": "Input",
    "registration": "Registration",
    "decision": "Decision",
    "maps": "Maps and surfaces",
    "output": "Output",
    "limits": "Limits",
}
#: Where a parameter keeps its heading.
_GROUP = "panfocus_group"
CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A number within bounds that is a number: nan lies outside of none, inf within many."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  as click has it
        """Refuse what is not finite."""
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class GroupedCommand(click.Command):
    """Shows its options under headings.

    Attributes:
        headings: name of a group to how it reads, in their order.
    """

    headings: Mapping[str, str] = HEADINGS

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those without a heading last."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                rows.setdefault(getattr(parameter, _GROUP, ""), []).append(record)
        for group, title in (*self.headings.items(), ("", "Other options")):
            if group in rows:
                with formatter.section(title):
                    formatter.write_dl(rows[group])


def under(group: str, *names: str, **options: Any) -> Callable[[CommandT], CommandT]:  # noqa: ANN401  as click has them
    """Declare an option of one command under a heading; arguments as of `click.option`."""

    def declare(command: CommandT) -> CommandT:
        decorated = click.option(*names, **options)(command)
        setattr(decorated.__click_params__[-1], _GROUP, group)  # pyright: ignore[reportFunctionMemberAccess]
        return decorated

    return declare


def settings_options(command: CommandT) -> CommandT:
    """Declare every setting that the command line has, in the order of its field."""
    for name in reversed(settings_names()):
        about = ABOUT[name]
        command = under(about.group, *_flags(name, about), **_how(name, about))(command)
    return command


def settings_names() -> Sequence[str]:
    """Return the settings that are flags of their own."""
    return [name for name, about in ABOUT.items() if about.flags != ()]


def _flags(name: str, about: About) -> tuple[str, ...]:
    return (name, *(about.flags or (f"--{name.replace('_', '-')}",)))


def _how(name: str, about: About) -> dict[str, Any]:
    default = FIELDS[name].default
    how: dict[str, Any] = {"help": about.help, "default": default, "metavar": about.metavar}
    if about.kind == "truth":
        has_two = any("/" in flag for flag in about.flags or ())
        return {"help": about.help, "default": default, "is_flag": None if has_two else True}
    if about.choices:
        how["type"] = click.Choice(about.choices)
    elif about.kind == "count":
        how["type"] = click.IntRange(1)
    elif about.kind == "length":
        how["type"] = Number(0, min_open=True)
    elif about.kind == "file":
        how["type"] = FILE
    if about.unset:
        how["default"] = None
    return {**how, "show_default": about.unset or default is not None}
