"""The option by which commands run files of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from panfocus.cli.files import FILE

plugin_option = click.option(
    "--plugin",
    "plugins",
    type=FILE,
    multiple=True,
    help="A file of Python that registers systems of your own; may be repeated.",
)


def load_plugins(files: Sequence[Path]) -> None:
    """Run the user's own files."""
    if files:
        from panfocus.plugins import load_all  # noqa: PLC0415  mostly none

        load_all(files)
