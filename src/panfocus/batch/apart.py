"""What one stack of a batch writes is no input of another one, nor the manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from glob import glob, has_magic
from pathlib import Path

from panfocus.batch.job import Job
from panfocus.batch.report import CSV, JSON, ledger
from panfocus.io.outputs import Inputs, Output
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.io.stores import is_store
from panfocus.io.volumes.open import is_ome_tiff
from panfocus.resources.paths import is_file, is_folder, is_link, is_there


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
    named = [path for path in (*_named(jobs), source) if is_there(path)]
    volumes = Inputs(path for path in named if is_store(path) or is_ome_tiff(path))
    around = Inputs((), in_depth=False)
    for path in named:
        around.add_holders(path)
    files = Inputs(_alike(outputs, named), in_depth=False)
    # what lies beside the stacks, such as an earlier report, is read by nobody
    stacks = [path for path in named if path != source]
    implied = Inputs(_alike(outputs, _in_folders(stacks)), in_depth=False)
    for label, path in outputs:
        volumes.check(label, path)
        files.check(label, path)
        if is_folder(path):
            around.check(label, path)
        if not is_made_by_panfocus(path):  # an earlier result in a folder is no frame
            implied.check(label, path)
    for _, path in reports:
        ledger(out).check(path.name, overwrite=overwrite)


def _named(jobs: Iterable[Job]) -> Iterator[Path]:
    """Yield what the jobs name: files and folders, and what matches their patterns."""
    for text in dict.fromkeys(text for job in jobs for text in job.inputs):
        if is_there(Path(text)) or not has_magic(text):
            yield Path(text)
        else:
            yield from (Path(match) for match in glob(text, recursive=True))  # noqa: PTH207


def _in_folders(named: Iterable[Path]) -> Iterator[os.DirEntry[str]]:
    for folder in named:
        if is_folder(folder) and not is_store(folder):
            with suppress(PermissionError), os.scandir(folder) as entries:
                yield from entries  # what may not be listed fails as a stack, with its reason


def _number(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _alike(outputs: Sequence[Output], paths: Iterable[Path | os.DirEntry[str]]) -> Iterator[Path]:
    """Yield the files that may be one of the outputs, by name or number, without opening any.

    A folder's listing tells the number of a file: thousands need not be asked for theirs.
    """
    names = {path.name.casefold() for _, path in outputs}
    numbers = {path.stat().st_ino for _, path in outputs if is_there(path)}
    for path in paths:
        number = path.inode() if isinstance(path, os.DirEntry) else _number(path)
        is_alike = path.name.casefold() in names or number in numbers or is_link(Path(path))
        if is_alike and is_file(Path(path)):
            yield Path(path)
