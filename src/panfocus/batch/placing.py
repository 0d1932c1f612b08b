"""Put the files of a stack in their places: nothing that panfocus did not leave so makes way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from panfocus.batch.record import Record, file_facts, read_record, write_record
from panfocus.batch.task import StackTask
from panfocus.errors import OutputError
from panfocus.io.atomic import cannot_write, exists_error, place
from panfocus.io.digest import digest_of
from panfocus.resources.paths import is_there


def foreign_among(task: StackTask, earlier: Record | None) -> list[Path]:
    """Return the outputs that are there and may not be replaced.

    What an earlier run left, and nobody has touched, may be by a run that resumes, and by a try
    that goes on where one died while it put its files in place.
    """
    if task.overwrite:
        return []
    taken = [path for path in task.job.outputs.values() if os.path.lexists(path)]
    goes_on = earlier is not None and earlier.state == "placing" and earlier.key == task.key
    if earlier is None or not (task.renew or goes_on):
        return taken
    return [path for path in taken if not earlier.owns(path)]


def is_complete(task: StackTask, earlier: Record) -> bool:
    """Whether all is there of the same inputs and settings: there is nothing to be renewed."""
    is_same = earlier.state == "done" and earlier.key == task.key
    return (
        task.renew
        and not task.overwrite
        and is_same
        and all(is_there(path) for path in task.job.outputs.values())
    )


def not_ours(path: Path, earlier: Record | None) -> OutputError:
    """Return the error for an output that is there and was not left so by an earlier run."""
    if earlier is None or not earlier.knows(path):
        return exists_error(path)
    return OutputError(
        "the result was changed, or replaced by another file, since it was fused",
        where=str(path),
        expected="what the earlier run wrote",
        got="other content",
        remedy="move it away to fuse the stack anew, or allow overwriting (--overwrite)",
    )


def place_all(task: StackTask, folder: Path, tries: int) -> None:
    """Move a stack's finished files to their places, and keep the record true on the way.

    Args:
        task: whose files they are.
        folder: where they lie, under the names of the outputs.
        tries: for the record.

    Raises:
        OutputError: an output is there and may not be replaced, or cannot be written.
    """
    outputs = list(task.job.outputs.values())
    earlier = read_record(task.record)
    foreign = foreign_among(task, earlier)
    if foreign:
        raise not_ours(foreign[0], earlier)
    # hashes first: a try that dies below has placed some of its files, and they are ours
    new = {str(path): [0, 0, digest_of(folder / path.name)] for path in outputs}
    before = {} if earlier is None else {**earlier.before, **earlier.files}
    record = Record(task.key, "placing", new, task.frames, tries, before)
    write_record(task.record, record)
    placed: list[Path] = []
    try:
        for path in outputs:
            _place_one(task, record, folder / path.name, path)
            placed.append(path)
    except (OSError, OutputError) as error:
        _forget(task.record, placed, record)
        path = outputs[len(placed)]
        if isinstance(error, OutputError):
            raise
        if isinstance(error, FileExistsError):
            raise exists_error(path) from error
        raise cannot_write(path, error) from error
    files = {str(p): [*file_facts(p)[1:], new[str(p)][2]] for p in outputs}
    write_record(task.record, replace(record, state="done", files=files, before={}))


def _place_one(task: StackTask, record: Record, temporary: Path, path: Path) -> None:
    """Put a file in its place, unless somebody has touched what is there."""
    is_there = os.path.lexists(path)
    if is_there and not (task.overwrite or record.owns(path)):
        raise not_ours(path, record)
    place(temporary, path, overwrite=is_there or task.overwrite)


def _forget(path: Path, placed: Sequence[Path], record: Record) -> None:
    """Keep of the new files only those in the record that were placed."""
    files = {str(p): record.files[str(p)] for p in placed}
    write_record(path, replace(record, files=files))
