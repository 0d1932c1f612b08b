"""`panfocus train` and `panfocus export`: what they take; the rest needs torch (`panfocus.train`).

Several processes or machines: ``torchrun --nproc-per-node 2 --no-python panfocus train drpl ...``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from panfocus.cli.examples import with_examples
from panfocus.cli.files import FILE
from panfocus.cli.options import GroupedCommand
from panfocus.cli.typed_options import flags_of
from panfocus.errors import UsageError
from panfocus.train.flags import TRAINING_HEADINGS
from panfocus.train.options import (
    AveragingOptions,
    DrplOptions,
    DualPathOptions,
    ExportOptions,
)

_HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class _TrainingCommand(GroupedCommand):
    """Shows its options under the headings of training."""

    headings = TRAINING_HEADINGS


@click.group(context_settings=_HELP, no_args_is_help=True)
def train() -> None:
    """Train a system on your own pictures."""


@train.command(cls=_TrainingCommand, short_help="Dual-Path, on unlabelled pairs and stacks.")
@flags_of(DualPathOptions)
def dualpath(**options: Any) -> None:  # noqa: ANN401  as the fields of the options
    """Train Dual-Path on unlabelled pairs and stacks, and export it to OUT/system.

    No sharp pictures and no masks are needed. Give --minutes or --steps.

    With --init a trained system is adapted to your material: panfocus measures on held-out scenes
    whether that helped, and keeps the old system if it did not.
    """
    from panfocus.train.dualpath import training  # noqa: PLC0415  imports torch

    training.train(DualPathOptions(**options))


@train.command(cls=_TrainingCommand, short_help="DRPL, on sharp pictures.")
@flags_of(DrplOptions)
def drpl(**options: Any) -> None:  # noqa: ANN401  as the fields of the options
    """Train DRPL on pairs made from sharp pictures, and export it to OUT/system.

    Each sharp picture is blurred in parts, so the right answer is known. Give --minutes or --steps.
    """
    from panfocus.train.drpl import training  # noqa: PLC0415  imports torch

    training.train(DrplOptions(**options))


@train.command(cls=_TrainingCommand, short_help="Average the weights of related runs.")
@flags_of(AveragingOptions)
def average(**options: Any) -> None:  # noqa: ANN401  as the fields of the options
    """Average the weights of related runs, and export the result as any run.

    The runs must have begun from one another; their weights are averaged by the given shares.
    """
    from panfocus.train import packing  # noqa: PLC0415  imports torch

    packing.average_runs(AveragingOptions(**options))


@click.command(cls=_TrainingCommand, context_settings=_HELP)
@click.argument("run", type=FILE, metavar="RUN")
@flags_of(ExportOptions)
def export(**options: Any) -> None:  # noqa: ANN401  as the fields of the options
    """Export a training run as a system that `panfocus fuse` can use.

    RUN is the --out folder of the training; its averaged weights are exported.
    """
    from panfocus.train import packing  # noqa: PLC0415  imports torch

    packing.export_run(ExportOptions(**options))


for command in (dualpath, drpl, average):
    with_examples(command, f"train {command.name}")
with_examples(export, "export")


def run(command: str, words: Sequence[str]) -> None:
    """Run one of these commands.

    Args:
        command: "train" or "export".
        words: what followed it on the command line.

    Raises:
        UsageError: the extra ``train`` is not installed.
    """
    try:
        import_module("torch")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"`panfocus {command}` needs what the core does without",
            expected="the extra `train`, which brings torch",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[train]'",
        ) from error
    commands: dict[str, click.Command] = {"train": train, "export": export}
    commands[command].main(args=list(words), prog_name=f"panfocus {command}")
