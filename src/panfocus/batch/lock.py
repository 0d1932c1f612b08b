"""One batch at a time in an output folder, on whichever machines batches run."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread

from panfocus import schema
from panfocus.batch.record import FOLDER
from panfocus.errors import OutputError, UsageError
from panfocus.io.atomic import write_atomic

#: A run says so often that it lives, and is taken for dead after so long a silence, in seconds.
_BEAT_S, _SILENCE_S = 10.0, 120.0
#: By how much the start of one process may seem to differ, as clocks are set, in seconds.
_SAME_START_S = 5.0
_MOST_BYTES = 2**16


@dataclass(frozen=True)
class _Running:
    """Who is at work in a folder: a run, its host and process, and when that process began."""

    run: str
    host: str
    pid: int
    started: float | None = None


@contextmanager
def alone_in(out: Path, folders: set[Path]) -> Generator[str]:
    """Reserve the output folder for this run, clear away what a killed run left.

    Args:
        out: the output folder.
        folders: those that results go into.

    Raises:
        UsageError: another run is at work there.
        OutputError: the folder cannot be written to.
    """
    path = _place(out)
    pid = os.getpid()
    own = _Running(secrets.token_hex(4), socket.gethostname(), pid, _start_of(pid))
    over = Event()
    try:
        _reserve(path, own, out, folders)
        Thread(target=_beat, args=(path, over), daemon=True).start()
        yield own.run
    finally:
        over.set()
        with suppress(OSError):  # a drive that is away: the next run clears it
            _clear(out, folders, own.run)
            if (there := _read(path)) is not None and there.run == own.run:
                path.unlink(missing_ok=True)


def holds(out: Path, run: str) -> bool:
    """Whether an output folder is still the one that a run has reserved.

    It is not where a drive is away, and the empty place is left that it was mounted on.
    """
    there = _read(_place(out))
    return there is not None and there.run == run


def _place(out: Path) -> Path:
    return out / FOLDER / "running.json"


def _reserve(path: Path, own: _Running, out: Path, folders: set[Path]) -> None:
    """Put this run's name into the folder, unless another one is there that lives."""
    data = json.dumps(asdict(own)).encode()
    for _ in range(2):
        there = _read(path)
        if there is not None and _lives(there, path):
            raise _taken(out, there)
        if there is not None:
            _clear(out, folders, there.run)
        if os.path.lexists(path):
            path.unlink(missing_ok=True)
        try:
            write_atomic(path, [data], overwrite=False)
        except OutputError:
            if not path.is_file():
                raise
            continue  # another run was quicker
        return
    raise _taken(out, _read(path))


def _taken(out: Path, by: _Running | None) -> UsageError:
    return UsageError(
        "another batch is at work in this output folder",
        where=str(out),
        got=f"process {by.pid} on {by.host}" if by else "another run",
        remedy="wait for it, or choose another folder",
    )


def _read(path: Path) -> _Running | None:
    """Return who is at work; None where nobody is, or what is there is no such file."""
    try:
        facts = schema.record(schema.read(path, _MOST_BYTES))
        started = facts.get("started")
        run = schema.text(schema.item(facts, "run"), "run", is_empty=False, most=64)
        return _Running(
            run,
            schema.text(schema.item(facts, "host"), "host", most=1000),
            schema.whole(schema.item(facts, "pid"), "pid", 0, 2**31 - 1),
            None if started is None else schema.number(started, "started"),
        )
    except (OSError, schema.SchemaError):
        return None


def _lives(there: _Running, path: Path) -> bool:
    if there.host != socket.gethostname():
        return _is_heard(path)
    if there.pid in (0, os.getpid()):
        return False
    started = _start_of(there.pid)
    if started is None:
        return False
    # its number may be another program's by now
    return there.started is None or abs(started - there.started) < _SAME_START_S


def _start_of(pid: int) -> float | None:
    """Return when a process of this machine began; None where there is none."""
    import psutil  # noqa: PLC0415  as `resources.memory`

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:  # another user's, of which nothing is told
        return 0.0


def _is_heard(path: Path) -> bool:
    """Whether a run on another machine has said lately that it lives, by the drive's own clock."""
    probe = path.with_name(f".panfocus-{secrets.token_hex(8)}.part")
    try:
        try:
            probe.open("xb").close()
            return probe.stat().st_mtime - path.stat().st_mtime < _SILENCE_S
        finally:
            probe.unlink(missing_ok=True)
    except OSError:
        return False


def _beat(path: Path, over: Event) -> None:
    while not over.wait(_BEAT_S):
        with suppress(OSError):
            os.utime(path)


def _clear(out: Path, folders: set[Path], run_id: str) -> None:
    """Delete folders on the way that workers of this run could not delete when they died."""
    if not run_id.isalnum():  # of a file that is not ours: no pattern to delete by
        return
    for path in [p for f in (out, *folders) for p in f.glob(f".panfocus-{run_id}-*")]:
        shutil.rmtree(path, ignore_errors=True)
    for path in (out / FOLDER).rglob(f"*.{run_id}"):
        path.unlink(missing_ok=True)
