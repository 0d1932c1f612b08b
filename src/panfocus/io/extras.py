"""Formats whose decoders are not part of the core."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from panfocus.errors import InputError


def need(modules: Sequence[str], extra: str, what: str, path: Path) -> Any:  # noqa: ANN401
    """Import the first of some modules that is there; they ship no complete types.

    Args:
        modules: names, the preferred one first.
        extra: of panfocus, which brings the first.
        what: kind of file, for messages.
        path: the file.

    Raises:
        InputError: none is installed.
    """
    for name in modules:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise InputError(
        f"{what} needs what the core does without",
        where=str(path),
        expected=f"the extra `{extra}`, which brings {modules[0].replace('_', '-')}",
        got=f"no module {modules[0]}",
        remedy=f"pip install 'panfocus[{extra}]'",
    )
