"""What is told of an option: where it stands, in which words, which values it takes."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from panfocus.frozen import frozen

#: Under which heading ``--help`` shows an option.
Group = Literal["input", "registration", "decision", "maps", "output", "limits"]
#: What kind of value an option takes.
Kind = Literal["text", "file", "truth", "count", "length"]

#: Where a field keeps what is told of it.
ABOUT_KEY = "about"


@frozen
class About:
    """What is told of an option.

    Attributes:
        group: where ``--help`` shows it.
        help: the same in words.
        kind: of value.
        choices: the values that there are; none where any of its kind will do.
        flags: on the command line, where they are not ``--name-of-the-field``; none for an option
            that the command line has in another way.
        metavar: how ``--help`` calls the value.
        unset: what leaving it out means, where that depends on what is fused.
    """

    group: Group
    help: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    flags: tuple[str, ...] | None = None
    metavar: str | None = None
    unset: str | None = None


def option(
    default: Any,  # noqa: ANN401  of the field
    group: Group,
    text: str,
    kind: Kind = "text",
    choices: tuple[str, ...] = (),
    *,
    flags: tuple[str, ...] | None = None,
    metavar: str | None = None,
    unset: str | None = None,
) -> Any:  # noqa: ANN401  a field of any type
    """Return a field of `Options`; arguments as the attributes of `About`."""
    about = About(group, text, kind, choices, flags, metavar, unset)
    return field(default=default, metadata={ABOUT_KEY: about})
