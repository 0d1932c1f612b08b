"""`report.json` and `report.csv`: how every stack of a batch went."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from panfocus.batch.work import Outcome
from panfocus.io.atomic import write_atomic

JSON, CSV = "report.json", "report.csv"
_COLUMNS = ("name", "state", "frames", "seconds", "tries", "memory_bytes", "outputs", "error")


def summary(outcomes: Sequence[Outcome], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that JSON can hold: counts, `facts` of the run, and every stack."""
    counts = {
        state: sum(o.state == state for o in outcomes) for state in ("done", "skipped", "failed")
    }
    return {**counts, **facts, "stacks": [asdict(outcome) for outcome in outcomes]}


def write_reports(out: Path, outcomes: Sequence[Outcome], facts: Mapping[str, Any]) -> None:
    """Write both files into `out`, in place of earlier ones."""
    text = json.dumps(summary(outcomes, facts), indent=2, ensure_ascii=False) + "\n"
    write_atomic(out / JSON, [text.encode()], overwrite=True)
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    writer.writerows(_cells(outcome) for outcome in outcomes)
    write_atomic(out / CSV, [table.getvalue().encode()], overwrite=True)


def _cells(outcome: Outcome) -> list[object]:
    values = asdict(outcome)
    values["seconds"] = round(outcome.seconds, 3)
    values["outputs"] = ";".join(outcome.outputs)
    values["error"] = " | ".join((outcome.error or "").split("\n  "))
    return [values[name] for name in _COLUMNS]
