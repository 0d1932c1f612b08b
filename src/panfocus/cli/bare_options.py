"""Options whose value may be left out, which ``--depth-map [F]`` is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from panfocus.cli.options import GroupedCommand

#: What an option that stands alone is given; no file can be called so by accident.
BARE = "\0"

#: Where a command's context keeps the words that were read as inputs behind such options.
BEHIND = "panfocus.behind"


class BareOption(click.Option):
    """An option that takes a file name or stands alone.

    The next word is its value only if it ends like a file that it could write, and if no picture
    is there: ``--depth-map a.jpg b.jpg`` must not take a photograph away.
    """

    def __init__(self, *args: Any, endings: tuple[str, ...], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, is_flag=False, flag_value=BARE, metavar="[F]", **kwargs)
        self.endings = endings


class FuseCommand(GroupedCommand):
    """Gives bare options their value before click would take an input for it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, those behind options that stand alone with them."""
        bare = {
            name: option.endings
            for option in self.params
            if isinstance(option, BareOption)
            for name in option.opts
        }
        filled = fill_bare_options(args, bare)
        ctx.meta[BEHIND] = [
            (option, args[n + 1])
            for n, option in enumerate(args[:-1])
            if option in bare and filled[n] != option and not args[n + 1].startswith("-")
        ]
        return super().parse_args(ctx, filled)


def fill_bare_options(args: list[str], bare: dict[str, tuple[str, ...]]) -> list[str]:
    """Give every option that stands alone the value `BARE`.

    Args:
        args: words of the command line.
        bare: option name to the endings of files that it writes.

    Returns:
        The words, ``--option=BARE`` in place of ``--option`` where no file to write follows. A
        picture that exists is an input, `--overwrite` or not; only a map that panfocus wrote is
        a map's name again. ``--option=FILE`` names any file.
    """
    out: list[str] = []
    for n, word in enumerate(args):
        out.append(word)
        if word not in bare:
            continue
        following = args[n + 1] if n + 1 < len(args) else "-"
        writes = following.lower().endswith(bare[word]) and not following.startswith("-")
        if not writes or _may_be_input(following):
            out[-1] = f"{word}={BARE}"
    return out


def _may_be_input(word: str) -> bool:
    """Whether a word may name frames: a pattern, or a picture that is there and no map."""
    path = Path(os.path.expanduser(word))  # noqa: PTH111  it leaves unknown users alone
    if word.lower().endswith(".json"):
        return False
    if not os.path.exists(path):  # noqa: PTH110  no for what cannot be a name
        return any(letter in word for letter in "*?[")
    from panfocus.io.provenance import is_map_of_panfocus  # noqa: PLC0415  few commands need it

    return not is_map_of_panfocus(path)
