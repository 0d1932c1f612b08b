"""The jobs of a manifest: a row a stack."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from panfocus import schema
from panfocus.batch.job import Job, ending_of, is_volume_job, output_in
from panfocus.errors import InputError, UsageError
from panfocus.io.atomic import located
from panfocus.io.volumes.open import is_vendors
from panfocus.pipeline.options import FIELDS, name_of
from panfocus.pipeline.settings import from_text, make_settings
from panfocus.resources.paths import as_path, shown

#: Stacks of one batch, at most: what is known of each takes a kilobyte.
_MOST_ROWS, _MOST_BYTES = 200_000, 2**28
_COLUMNS = ("name", "inputs", "output", "options")


def read_manifest(path: Path, out: Path, *, ending: str, template: Job) -> list[Job]:
    """Read a csv with the columns name, inputs and, if wanted, output and options.

    Args:
        path: relative inputs are relative to its folder.
        out: folder for results without an output of their own.
        ending: of such results.
        template: settings, maps and quality; ``options`` of a row (``mode=select system=guided``)
            go before its settings.

    Raises:
        UsageError: columns, names or options that are unknown; the message has the line.
        InputError: unreadable.
    """
    try:
        reader = csv.DictReader(io.StringIO(schema.read_text(path, _MOST_BYTES), newline=""))
        columns = [c.strip() for c in reader.fieldnames or []]
        reader.fieldnames = columns
        _check_columns(path, columns)
        rows = [(reader.line_num, row) for row in islice(reader, _MOST_ROWS + 1)]
    except schema.SchemaError as error:
        raise InputError(
            "the manifest is no text in UTF-8, or too much of it",
            where=str(path),
            expected=error.expected,
            got=error.got,
            remedy="save it as CSV in UTF-8",
        ) from None
    except (OSError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError("the manifest cannot be read", where=str(path), got=said) from error
    if len(rows) > _MOST_ROWS:
        raise UsageError(
            "the manifest has more stacks than a batch takes",
            where=str(path),
            expected=f"at most {_MOST_ROWS} rows",
            got="more",
            remedy="split it, and run a batch for each part, with an output folder each",
        )
    base = path.absolute().parent
    settings: dict[str, Mapping[str, Any]] = {}  # rows that say the same share them
    return [
        _row(row, f"{path}, line {line}", base, settings, out=out, ending=ending, template=template)
        for line, row in rows
    ]


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if {"name", "inputs"} <= set(columns) <= set(_COLUMNS):
        return
    raise UsageError(
        "the manifest has the wrong columns",
        where=str(path),
        expected="name, inputs and, if wanted, output and options",
        got=", ".join(columns) or "no header",
    )


def _row(
    row: Mapping[str, str | None],
    where: str,
    base: Path,
    known: dict[str, Mapping[str, Any]],
    *,
    out: Path,
    ending: str,
    template: Job,
) -> Job:
    cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    name = cells["name"]
    pure = PurePosixPath(name)
    if not pure.name or pure.is_absolute() or ".." in pure.parts or not name.isprintable():
        raise UsageError(
            "a stack needs a name that can be a file's", where=where, got=shown(name) or "none"
        )
    inputs = [part.strip() for part in cells["inputs"].split(";") if part.strip()]
    if not inputs:
        raise UsageError("a stack without inputs", where=where, expected="files, globs, a folder")
    paths = [base / as_path(part) for part in inputs]
    volume = len(paths) == 1 and is_volume_job(paths[0], ending, template.axes)
    only = template.only if volume else None
    named = output_in(out, name, ending_of(ending, template, only) if volume else ending)
    output = as_path(named, UsageError)
    if cells["output"]:
        output = located(out.absolute() / as_path(cells["output"]))
    told = cells["options"]
    if told not in known:
        known[told] = {**template.settings, **_options(told, where)}
    inputs_ = tuple(map(str, paths))
    chosen = known[told]
    mosaic = template.mosaic if volume and is_vendors(paths[0]) else None
    job = replace(template, name=name, inputs=inputs_, output=output, settings=chosen)
    return replace(job, only=only, mosaic=mosaic)


def _options(text: str, where: str) -> dict[str, Any]:
    """Read ``mode=select z_step_um=2``; dashes may stand for underscores.

    Raises:
        UsageError: unknown, or a value that cannot be.
    """
    chosen: dict[str, Any] = {}
    try:
        for word in shlex.split(text.replace(";", " ")):
            key, _, value = word.removeprefix("--").partition("=")
            chosen[name_of(key)] = value
        if "maps" in chosen:
            raise ValueError("maps are asked for by --depth-map and so on, for all stacks")
        chosen = {name: from_text(name, value) for name, value in chosen.items()}
        make_settings(**chosen)
    except (UsageError, ValueError) as error:
        raise UsageError(
            "the options of a row are wrong",
            where=where,
            expected="name=value name=value, of " + ", ".join(FIELDS),
            got=f"{shown(text)}: {error}",
        ) from error
    return chosen
