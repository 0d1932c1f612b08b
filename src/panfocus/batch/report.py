"""`report.json` and `report.csv`: how every stack of a batch went."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from panfocus import schema
from panfocus.batch.outcome import StackOutcome
from panfocus.batch.record import FOLDER
from panfocus.errors import OutputError
from panfocus.io.digest import Ledger

#: How a cell begins that a spreadsheet runs.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
JSON, CSV = "report.json", "report.csv"
_FIRST = ("name", "state", "frames", "seconds", "tries", "memory_bytes", "outputs", "error")
_COLUMNS = (*_FIRST, "aligned", "left_unaligned", "warnings")


def summary(outcomes: Sequence[StackOutcome], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that JSON can hold: counts, `facts` of the run, and every stack."""
    counts = {
        state: sum(o.state == state for o in outcomes) for state in ("done", "skipped", "failed")
    }
    return {**counts, **facts, "stacks": [asdict(outcome) for outcome in outcomes]}


def ledger(out: Path) -> Ledger:
    """Return what tells an output folder's reports from files of somebody else's."""
    return Ledger(out, out / FOLDER / "stacks" / ".written", _is_report)


def _is_report(path: Path) -> bool:
    """Whether a file looks like a report of a version that kept no ledger."""
    if path.name == CSV:
        text = schema.read_text(path)
        return next(csv.reader(io.StringIO(text, newline="")), None) in ([*_FIRST], [*_COLUMNS])
    found = schema.read(path)
    return isinstance(found, dict) and {"done", "skipped", "failed", "stacks", "crew"} <= {*found}  # pyright: ignore[reportUnknownArgumentType]


def write_reports(
    out: Path,
    outcomes: Sequence[StackOutcome],
    facts: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> list[str]:
    """Write both files into `out`, in place of earlier ones.

    Returns:
        Notes: which of them was left alone, since somebody has changed it meanwhile.
    """
    text = json.dumps(summary(outcomes, facts), indent=2, ensure_ascii=False) + "\n"
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    writer.writerows(_cells(outcome) for outcome in outcomes)
    notes: list[str] = []
    for name, data in ((JSON, text), (CSV, table.getvalue())):
        try:
            ledger(out).write(name, data.encode(errors="backslashreplace"), overwrite=overwrite)
        except OutputError as error:
            notes.append(f"{name} was not written: {error.what} {error.where}")
    return notes


def _cells(outcome: StackOutcome) -> list[object]:
    values = asdict(outcome)
    values["seconds"] = round(outcome.seconds, 3)
    values["outputs"] = ";".join(outcome.outputs)
    values["left_unaligned"] = ";".join(outcome.left_unaligned)
    values["warnings"] = " | ".join(outcome.warnings)
    values["error"] = " | ".join((outcome.error or "").split("\n  "))
    return [_plain(values[name]) for name in _COLUMNS]


def _plain(cell: object) -> object:
    """Keep a spreadsheet from taking a text for a formula: what begins like one gets a quote."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
