"""`panfocus train` and `panfocus export`, whose options are known where training is."""

from __future__ import annotations

from typing import Any

import click

_PASSED_ON: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def train(words: tuple[str, ...]) -> None:
    """Train a system on your own pictures (extra `train`)."""
    from panfocus.cli.training import run  # noqa: PLC0415  imports torch

    run("train", words)


@click.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def export(words: tuple[str, ...]) -> None:
    """Export a training run as a system (extra `train`)."""
    from panfocus.cli.training import run  # noqa: PLC0415  imports torch

    run("export", words)
