"""What the command line tells of an option of training, kept with the option's field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Under which heading ``--help`` shows an option, and how the heading reads.
TRAINING_HEADINGS = {
    "data": "Data",
    "recipe": "Recipe and weights to start from",
    "duration": "Duration",
    "machine": "Machine",
    "card": "Card of the system",
    "dualpath": "Dual-Path alone",
    "output": "Output",
}
_FLAG = "flag"


@dataclass(frozen=True)
class Flag:
    """What is told of an option on the command line.

    Attributes:
        group: a key of `TRAINING_HEADINGS`.
        help: what it does, in sentences.
        names: on the command line, where they are not ``--name-of-the-field``.
        metavar: how ``--help`` calls the value.
        choices: the values that there are; none where any of its type will do.
        least: the smallest number.
    """

    group: str
    help: str
    names: tuple[str, ...] = ()
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: int | None = None


def flag(default: Any, group: str, text: str, *names: str, **more: Any) -> Any:  # noqa: ANN401  a field of any type
    """Return a field of a class of options with what the command line tells of it.

    Args:
        default: its value where none is given; ``MISSING`` where one must be.
        group: a key of `TRAINING_HEADINGS`.
        text: what it does, in sentences.
        names: on the command line, where they are not ``--name-of-the-field``.
        more: further fields of `Flag`.
    """
    return field(default=default, metadata={_FLAG: Flag(group, text, names, **more)})


def flag_of(metadata: Any) -> Flag | None:  # noqa: ANN401  as dataclasses have it
    """Return what is told of a field with this metadata; None for what is no flag."""
    return metadata.get(_FLAG)
