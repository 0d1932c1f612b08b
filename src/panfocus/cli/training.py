"""`panfocus train` and `panfocus export`: passed on to the part that needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from panfocus.errors import UsageError


def run(command: str, words: Sequence[str]) -> None:
    """Run a command of `panfocus.train.cli`.

    Args:
        command: "train" or "export".
        words: what followed it on the command line.

    Raises:
        UsageError: the extra ``train`` is not installed.
    """
    try:
        for name in ("torch", "typer"):
            import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"`panfocus {command}` needs what the core does without",
            expected="the extra `train`, which brings torch",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[train]'",
        ) from error
    from panfocus.train import cli  # noqa: PLC0415

    apps = {"train": cli.app, "export": cli.export_app}
    apps[command](args=list(words), prog_name=f"panfocus {command}")
