"""Figures of Matplotlib, an extra: no window, and nothing in the file that differs by the day."""

from __future__ import annotations

import io as memory
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from panfocus.errors import UsageError
from panfocus.evaluate.run import EvaluationOptions
from panfocus.evaluate.store import ledger
from panfocus.resources.paths import shown

#: What figures would tell besides: the day, and the version of what has drawn them.
_BARE: Mapping[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def new_figure(width: float, height: float, rows: int = 1, across: int = 1) -> tuple[Any, Any]:
    """Return a figure and its axes, always a table of them; no window, no global state.

    Raises:
        UsageError: Matplotlib is not installed.
    """
    try:
        with _no_backend():
            figure_type = import_module("matplotlib.figure").Figure
    except ModuleNotFoundError as error:
        raise UsageError(
            "plots need Matplotlib",
            expected="the extra `evaluate`",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[evaluate]'",
        ) from error
    figure = figure_type(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, across, squeeze=False)


@contextmanager
def _no_backend() -> Generator[None]:
    """Have Matplotlib imported without the windows that somebody's notebook or shell asks for.

    No window is opened here, and a name that it does not know would end the import.
    """
    asked = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if asked is not None:
            os.environ["MPLBACKEND"] = asked


def plain_name(name: str) -> str:
    """Return a name as a plot shows it: in letters, and never taken for a formula."""
    return shown(name).replace("$", r"\$")


def save_figure(figure: Any, options: EvaluationOptions, stem: str) -> Path:  # noqa: ANN401  an extra
    """Write a figure in the format that is asked for, without what differs from day to day."""
    kind = options.plot_format
    data = memory.BytesIO()
    with import_module("matplotlib").rc_context(
        {"svg.hashsalt": "panfocus", "svg.fonttype": "none"}
    ):
        figure.savefig(data, format=kind, dpi=100, metadata=_BARE[kind])
    name = f"{stem}.{kind}"
    ledger(options.out).write(name, data.getvalue(), overwrite=options.overwrite)
    return options.out / name
