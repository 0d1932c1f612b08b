"""How far a fusion is, shown to people as a bar and to programs as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager

from panfocus.cli.request import Request
from panfocus.pipeline.journal import Progress as Tell

#: Parts of a bar that shows a percentage.
_PARTS = 1000


@contextmanager
def progress_of(request: Request, count: int | None) -> Generator[Tell | None]:
    """Yield how to tell progress: JSON lines, a bar on a terminal, or not at all.

    Args:
        request: what the user asked for.
        count: frames; None where messages count them.
    """
    if request.json_progress:

        def as_json(share: float, stage: str, message: str) -> None:
            line = {"share": round(share, 4), "stage": stage, "message": message}
            print(json.dumps(line), file=sys.stderr, flush=True)

        yield as_json
    elif request.quiet or not sys.stderr.isatty():
        yield None
    else:
        with _bar(count) as tell:
            yield tell


@contextmanager
def _bar(count: int | None) -> Generator[Tell]:
    from rich.console import Console  # noqa: PLC0415  slow to import, and only for a terminal
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn() if count is None else MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fusing", total=count or _PARTS)

        def tell(share: float, _stage: str, message: str) -> None:
            bar.update(task, completed=round(share * (count or _PARTS)), description=message)

        yield tell
