"""Options of the commands, made from the one list of them (`panfocus.pipeline.options`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from math import isfinite
from typing import Any, TypeAlias, TypeVar

import click

from panfocus.cli.files import FILE
from panfocus.pipeline.about import Kind
from panfocus.pipeline.options import ABOUT, FIELDS

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
#: What click takes for a kind of value; bool is a switch.
ValueType: TypeAlias = "click.ParamType[Any, Any] | type[bool]"
CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class AnyNumber(click.types.FloatParamType):
    """A number that is one: neither nan nor infinite."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  as click has it
        """Refuse what is not finite."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


class Number(click.FloatRange):
    """Such a number within bounds: nan lies outside of none, inf within many."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  as click has it
        """Refuse what is not finite."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


def _finite(
    kind: AnyNumber | Number,
    number: float,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> float:
    if not isfinite(number):
        kind.fail(f"{number} is not a finite number.", param, ctx)
    return number


_KINDS: Mapping[Kind, ValueType] = {
    "text": click.STRING,
    "file": FILE,
    "truth": bool,
    "count": click.IntRange(1),
    "length": Number(0, min_open=True),
}


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


def declared(
    command: CommandT,
    name: str,
    flags: Sequence[str],
    kind: ValueType,
    default: Any,  # noqa: ANN401  of any option; MISSING for none
    *,
    group: str,
    text: str,
    choices: Sequence[str] = (),
    metavar: str | None = None,
    unset: str | None = None,
    is_many: bool = False,
) -> CommandT:
    """Declare the option of a field.

    Args:
        command: that shall have it.
        name: of the field.
        flags: on the command line.
        kind: of value; bool for a switch.
        default: of the field.
        group: the heading it stands under.
        text: what it does.
        choices: the values that there are; none where any of its kind will do.
        metavar: how ``--help`` calls the value.
        unset: what leaving it out means, where that depends on what is given.
        is_many: whether it may be repeated.
    """
    how: dict[str, Any] = {"help": text, "required": default is MISSING}
    if default is not MISSING:
        how |= {"default": None if unset else default}
        how["show_default"] = unset or default not in (None, ())
    if kind is bool:
        how |= {"is_flag": True, "show_default": any("/--no-" in flag for flag in flags)}
    else:
        how |= {"type": click.Choice(choices) if choices else kind, "metavar": metavar}
        how["multiple"] = is_many
    return under(group, name, *flags, **how)(command)


def settings_options(command: CommandT) -> CommandT:
    """Declare every setting that the command line has, in the order of its field."""
    for name in reversed(settings_names()):
        about = ABOUT[name]
        command = declared(
            command,
            name,
            about.flags or (f"--{name.replace('_', '-')}",),
            _KINDS[about.kind],
            FIELDS[name].default,
            group=about.group,
            text=about.help,
            choices=about.choices,
            metavar=about.metavar,
            unset=about.unset,
        )
    return command


def settings_names() -> Sequence[str]:
    """Return the settings that are flags of their own."""
    return [name for name, about in ABOUT.items() if about.flags != ()]
