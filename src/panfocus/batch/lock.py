"""One batch at a time in an output folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from panfocus.batch.record import FOLDER
from panfocus.errors import UsageError
from panfocus.io.atomic import write_atomic


@contextmanager
def alone_in(out: Path, folders: set[Path]) -> Generator[str]:
    """Reserve the output folder for this run, clear away what a killed run left.

    Args:
        out: the output folder.
        folders: those that results go into.

    Raises:
        UsageError: another run is at work there.
    """
    path = out / FOLDER / "running.json"
    earlier = _running(path)
    host = socket.gethostname()
    if earlier and earlier.get("host") == host and _lives(int(earlier.get("pid", 0))):
        raise UsageError(
            "another batch is at work in this output folder",
            where=str(out),
            got=f"process {earlier['pid']}",
            remedy="wait for it, or choose another folder",
        )
    if earlier:
        _clear(out, folders, str(earlier.get("run")))
    run_id = secrets.token_hex(4)
    facts = {"run": run_id, "host": host, "pid": os.getpid()}
    write_atomic(path, [json.dumps(facts).encode()], overwrite=True)
    try:
        yield run_id
    finally:
        _clear(out, folders, run_id)
        path.unlink(missing_ok=True)


def _running(path: Path) -> dict[str, Any] | None:
    try:
        return cast("dict[str, Any]", json.loads(path.read_text()))
    except (OSError, ValueError):
        return None


def _lives(pid: int) -> bool:
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _clear(out: Path, folders: set[Path], run_id: str) -> None:
    """Delete folders on the way that workers of this run could not delete when they died."""
    if not run_id.isalnum():  # of a file that is not ours: no pattern to delete by
        return
    for path in [p for f in (out, *folders) for p in f.glob(f".panfocus-{run_id}-*")]:
        shutil.rmtree(path, ignore_errors=True)
    for path in (out / FOLDER).rglob(f"*.{run_id}"):
        path.unlink(missing_ok=True)
