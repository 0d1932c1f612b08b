"""The files of a system, written together: none is in its place before all lie on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from panfocus.errors import DataError
from panfocus.io.atomic import cannot_write, check_ordinary, place, staging
from panfocus.resources.paths import is_file
from panfocus.systems.card import Card
from panfocus.train.checkpoint import write_bytes

#: Weights of a system folder, beside the network that runs; what ``--init`` starts from.
WEIGHTS = "model.safetensors"


def write_system(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a system, none before all of them lie on the disk.

    Args:
        out: folder, made if missing.
        files: what each holds, by its name; those of the same names are replaced.

    Raises:
        OutputError: they cannot be written; an earlier system stays as it was.
    """
    for name in files:
        check_ordinary(out / name)
    with staging(out) as folder:
        for name, data in files.items():
            write_bytes(folder / name, data)
        for name in files:
            try:
                place(folder / name, Path(os.path.realpath(out / name)), overwrite=True)
            except OSError as error:
                raise cannot_write(out / name, error) from error


def copy_system(start: Path, card: Card, out: Path) -> Path:
    """Copy the files of a system, and nothing else of its folder.

    Raises:
        OutputError: they cannot be written.
        DataError: one of them cannot be read.
    """
    restores = (card.restores or {}).get("model")
    names = [str(name) for name in (card.model, WEIGHTS, restores, "card.json") if name]
    try:
        files = {name: (start / name).read_bytes() for name in names if is_file(start / name)}
    except OSError as error:
        raise DataError(
            "a system cannot be copied",
            where=error.filename or str(start),
            expected="files that this user may read",
            got=error.strerror,
        ) from error
    write_system(out, files)
    return out
