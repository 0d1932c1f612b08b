"""The command line: its commands, and what all of them refuse.

Plain click: it starts in half the time of what is built on top of it, and knows options whose
value may be left out, which ``--depth-map [F]`` is.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from panfocus._version import __version__
from panfocus.cli.commands.batch import batch
from panfocus.cli.commands.devices import devices
from panfocus.cli.commands.evaluate import evaluate
from panfocus.cli.commands.fuse import fuse
from panfocus.cli.commands.metrics import metrics
from panfocus.cli.commands.synthesize import synthesize
from panfocus.cli.commands.systems import systems
from panfocus.cli.commands.train import export, train
from panfocus.cli.commands.view import view
from panfocus.cli.examples import with_examples


class _App(click.Group):
    """Refuses empty words, which a shell makes of variables that are not set.

    An empty name would mean the folder that one happens to be in.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        refuse_empty(args)
        return super().parse_args(ctx, args)


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse a command line with an empty word, or a long option with an empty value.

    Raises:
        UsageError: there is one.
    """
    for n, word in enumerate(words):
        is_option = word.startswith("--") and word.endswith("=")
        if is_option or not word.strip():
            from panfocus.errors import UsageError  # noqa: PLC0415  mostly not needed

            where = word if is_option else f"after {words[n - 1]}" if n else "the first word"
            raise UsageError(
                "a word of the command line is empty",
                where=where,
                expected="a name or a value",
                got="nothing",
                remedy='check the shell variable that it came from ("$DIR"); . is the folder here',
            )


@click.group(
    cls=_App,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`panfocus COMMAND --help` has the options of each, and examples.",
)
@click.version_option(__version__, prog_name="panfocus", message="%(prog)s %(version)s")
def app() -> None:
    """Fuse photographs focused at different depths into one that is sharp everywhere."""


for command in (fuse, view, batch, systems, devices, train, export, metrics, evaluate, synthesize):
    app.add_command(command)
    if command not in (train, export):  # what they pass on has its own
        with_examples(command, str(command.name))
