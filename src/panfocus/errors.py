"""The exceptions of panfocus: what failed, where, what was expected, what was got, what to do.

PanfocusError
|-- UsageError        the call itself is wrong; a ValueError too (exit code 2)
|-- InputError        a frame cannot be read or does not fit the others
|-- OutputError       the result cannot be written
|   `-- FormatError   its extension names no format; a UsageError too
|-- SystemError_      a system is unknown, damaged, or was given what it does not take
|   `-- UnknownSystemError   there is none of this name; a UsageError too
|-- DataError         training or evaluation data is missing or unfit
`-- Cancelled         the caller asked to stop
"""

from __future__ import annotations


def in_one_line(text: str) -> str:
    r"""Return a text with what is no letter told as in Python: a name may hold any character.

    One that ends a line, or that a terminal obeys, would make a message say what is not so.

    Example:
        >>> in_one_line("fly\n1 done\x1b[2J.png")
        'fly\\n1 done\\x1b[2J.png'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class PanfocusError(Exception):
    """Base of every error that panfocus raises on purpose.

    Args:
        what: one sentence, what went wrong.
        where: the file, frame or parameter it concerns; the command line turns the names of
            parameters into its flags, here and where they stand in backticks.
        expected: what would have been right.
        got: what was found instead.
        remedy: what the user can do.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.remedy = remedy
        super().__init__(self.text())

    def text(self) -> str:
        """Return the whole message, one fact a line, absent facts left out."""
        lines = [self.what]
        facts = (
            ("where", self.where),
            ("expected", self.expected),
            ("got", self.got),
            ("remedy", self.remedy),
        )
        lines += [f"  {name}: {in_one_line(value)}" for name, value in facts if value is not None]
        return "\n".join(lines)


class UsageError(PanfocusError, ValueError):
    """The call is wrong: an unknown option value, a combination that cannot be."""

    exit_code = 2


class InputError(PanfocusError):
    """A frame is missing, unreadable, truncated, or does not fit the others."""


class OutputError(PanfocusError):
    """The output exists already, cannot be written, or has an unknown kind."""


class SystemError_(PanfocusError):
    """A system is unknown, its weights are damaged, or it does not take these frames."""


class FormatError(OutputError, UsageError):
    """The output's extension names no format, or none that can hold it."""


class UnknownSystemError(SystemError_, UsageError):
    """There is no system of this name."""


class DataError(PanfocusError):
    """Training or evaluation data is missing, too little, or of the wrong layout."""


class Cancelled(PanfocusError):
    """The caller's cancel function answered yes."""

    exit_code = 130
