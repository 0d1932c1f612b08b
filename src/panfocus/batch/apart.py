"""What one stack of a batch writes is no input of another one, nor the manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from panfocus.batch.jobs import Job
from panfocus.batch.report import CSV, JSON, ledger
from panfocus.io.outputs import Inputs, Output
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.science.open import is_volume


def check_batch(jobs: Sequence[Job], source: Path, out: Path, *, overwrite: bool) -> None:
    """Refuse outputs of the batch that would replace what any of its stacks is made from.

    Args:
        jobs: the stacks; their files are looked at by name, not opened.
        source: the manifest, folder or scientific stack that names them.
        out: folder for the results and the report.
        overwrite: whether a report that somebody else wrote may be replaced.

    Raises:
        OutputError: an output is an input, or a report of somebody else's is there.
    """
    reports = [("report", out / name) for name in (JSON, CSV)]
    written = [(f"stack {job.name}:", path) for job in jobs for path in job.outputs.values()]
    # what is not there yet cannot be lost
    outputs = [*reports, *(item for item in written if os.path.lexists(item[1]))]
    named = [*_named(jobs), source]
    stacks = [path for path in named if path.is_file() or is_volume(path)]
    known = Inputs(stacks)
    around = _Held(path for path in named if path.exists())
    implied = Inputs(_like(outputs, jobs), in_depth=False)
    for label, path in outputs:
        known.check(label, path)
        around.check(label, path)
        if not is_made_by_panfocus(path):  # an earlier result in a folder is no frame
            implied.check(label, path)
    for _, path in reports:
        ledger(out).check(path.name, overwrite=overwrite)


def _named(jobs: Iterable[Job]) -> Iterator[Path]:
    """Yield what the jobs name: files and folders, and what matches their patterns."""
    for text in dict.fromkeys(text for job in jobs for text in job.inputs):
        if Path(text).exists() or not has_magic(text):
            yield Path(text)
        else:
            yield from (Path(match) for match in glob(text, recursive=True))  # noqa: PTH207


class _Held:
    """Inputs by the folders that they lie in, to hold outputs that are folders against."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._inputs = Inputs((), in_depth=False)
        for path in paths:
            self._inputs.add_holders(path)

    def check(self, label: str, path: Path) -> None:
        if path.is_dir():
            self._inputs.check(label, path)


def _like(outputs: Sequence[Output], jobs: Iterable[Job]) -> Iterator[Path]:
    """Yield the files in the jobs' folders that may be one of the outputs, by name or number.

    A folder's listing tells the number of a file without asking for each.
    """
    names = {path.name.casefold() for _, path in outputs}
    numbers = {path.stat().st_ino for _, path in outputs if path.exists()}
    folders = {text for job in jobs for text in job.inputs if Path(text).is_dir()}
    for folder in sorted(folders):
        if is_volume(Path(folder)):
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                is_like = entry.name.casefold() in names or entry.inode() in numbers
                if (is_like or entry.is_symlink()) and entry.is_file():
                    yield Path(entry.path)
