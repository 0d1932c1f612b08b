"""Where training and exporting write: nothing that is read, or that somebody else made, goes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from panfocus.errors import OutputError, UsageError
from panfocus.io.atomic import check_ordinary
from panfocus.io.outputs import Inputs
from panfocus.resources.paths import is_file, is_folder, is_there
from panfocus.train.checkpoint import BEST, NAME
from panfocus.train.record import NAME as RECORD
from panfocus.train.shelf import NAME as MATERIAL
from panfocus.train.system_files import WEIGHTS

_SYSTEM = ("card.json", "model.onnx", WEIGHTS)
#: What else a run writes: files, and folders besides those of systems.
_FILES = (NAME, BEST, RECORD, "log.csv", "left_out.txt", "report.json")
_FOLDERS = ("pictures", "tensorboard", MATERIAL)
#: Folders of systems in a run's folder, and the file that tells which of them was better.
_SYSTEMS, _REPORT = ("system", "rejected"), "report.json"


def check_run(out: Path, data: Sequence[Path], start: Path | None, *, resume: bool) -> None:
    """Refuse a folder for a training run, before any work.

    Args:
        out: the folder.
        data: what is trained on.
        start: folder of the system that training goes on from.
        resume: whether what an earlier run left is gone on with, and its results renewed.

    Raises:
        UsageError: what an earlier run, or somebody, has put there would be replaced.
        OutputError: what is read would be.
    """
    systems = _systems_in(out)
    if not resume:
        # a checkpoint comes before all that follows from it: without one they are somebody's
        _refuse(
            [out / NAME, out / BEST, out / _REPORT, *systems],
            "go on with --resume, or name another --out",
        )
    read = Inputs([] if start is None else [start / name for name in _SYSTEM], in_depth=False)
    for folder in data:
        read.add_holders(folder)
    for path in (*systems, out / "pictures", out / MATERIAL):
        read.check("--out", path)
    _check_room(out)


def _check_room(out: Path) -> None:
    """Refuse files where folders are to be, and anything but files where files are to be.

    Raises:
        OutputError: it is so.
    """
    for folder in (out, *(out / name for name in (*_SYSTEMS, *_FOLDERS))):
        if os.path.lexists(folder) and not is_folder(folder):
            raise OutputError(
                "there is no folder, but something of its name",
                where=str(folder),
                expected="a folder, or nothing",
                got="a file" if is_file(folder) else "no ordinary file",
                remedy="move it away, or name another --out",
            )
    for path in (*(out / name for name in _FILES), *_systems_in(out)):
        check_ordinary(path)


def _systems_in(out: Path) -> list[Path]:
    return [out / folder / name for folder in _SYSTEMS for name in _SYSTEM]


def check_system(out: Path, run: Path, *, overwrite: bool) -> None:
    """Refuse a folder for an exported system, before any work.

    Raises:
        UsageError: a system is there, and may not be replaced.
        OutputError: it is what is exported from.
    """
    files = [out / name for name in _SYSTEM]
    for path in files:
        check_ordinary(path)
    read = Inputs([run / NAME, run / BEST], in_depth=False)
    for path in files:
        read.check("--out", path)
    if not overwrite:
        _refuse(files, "name another folder, or allow it by --overwrite")


def _refuse(paths: Iterable[Path], remedy: str) -> None:
    there = [path for path in paths if is_there(path)]
    if there:
        raise UsageError(
            f"there is a {_KINDS.get(there[0].name, 'system')} in the output folder already",
            where=str(there[0]),
            expected="a folder without one",
            got=", ".join(path.name for path in there),
            remedy=remedy,
        )


_KINDS = {NAME: "checkpoint", BEST: "checkpoint", _REPORT: "report"}
