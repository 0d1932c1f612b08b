"""What a run was: ``run.json`` beside its checkpoint, so that it can be told and done again."""

from __future__ import annotations

import datetime
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from panfocus import schema
from panfocus._version import __version__
from panfocus.io.digest import digest_of
from panfocus.resources.paths import is_file
from panfocus.train.checkpoint import write_bytes

NAME = "run.json"


def write(out: Path, facts: Mapping[str, Any], notes: Mapping[str, Any], *, seconds: float) -> None:
    """Write, or add a session to, the record of a run.

    Args:
        out: folder of the run.
        facts: recipe, seed, precision, processes.
        notes: what the command knows besides: data, splits.
        seconds: of training before this session; above 0 the earlier sessions are kept.
    """
    path = out / NAME
    earlier: list[Any] = []
    if seconds > 0 and is_file(path):
        earlier = _sessions(path)
    session = {
        "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": versions(),
        "machine": platform.machine(),
        "seconds_before": round(seconds, 1),
    }
    text = json.dumps({**facts, **notes, "sessions": [*earlier, session]}, indent=1) + "\n"
    write_bytes(path, text.encode())


def _sessions(path: Path) -> list[Any]:
    """Return the earlier sessions of a run; none where its record is damaged."""
    try:
        told = schema.record(schema.read(path)).get("sessions", [])
        return list(schema.items(told, "sessions"))
    except (OSError, schema.SchemaError):
        return []


def versions() -> dict[str, str]:
    """Return the versions that a run depends on."""
    return {
        "panfocus": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def digests(files: Iterable[Path]) -> dict[str, str]:
    """Return the sha256 of every file by its path."""
    return {str(path): digest_of(path) for path in files}


def flat(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    """Return nested mappings as one, keys joined by dots, tuples as the lists that JSON makes."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            out |= flat(cast("Mapping[str, Any]", value), f"{head}{name}.")
        else:
            out[f"{head}{name}"] = json.loads(json.dumps(value))
    return out
