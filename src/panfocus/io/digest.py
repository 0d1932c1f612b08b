"""What a file or folder holds, in one number; and which files of a folder panfocus has written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from panfocus import schema
from panfocus.errors import OutputError
from panfocus.io.atomic import write_atomic
from panfocus.resources.paths import is_file, is_folder, is_there

#: Of a file that is kept up to date: what is longer is somebody else's.
_MOST_BYTES = 2**30


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content, or of all names and contents in a folder.

    Raises:
        OSError: gone, or not readable.
    """
    if not is_folder(path):
        return _of_file(path)
    whole = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if not is_folder(p)):
        whole.update(os.fsencode(file.relative_to(path)) + f"\0{_of_file(file)}\n".encode())
    return whole.hexdigest()


def _of_file(path: Path) -> str:
    if not is_file(path):  # a pipe would be waited for
        raise OSError(errno.EINVAL, "no ordinary file", str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ledger:
    """Tells files that panfocus keeps up to date in a folder from others of the same names."""

    def __init__(
        self, folder: Path, place: Path, is_ours: Callable[[Path], bool] = lambda _: False
    ) -> None:
        """Set up; nothing is written yet.

        Args:
            folder: of the files.
            place: where the ledger lies.
            is_ours: asked about a file that the ledger does not know, such as one of a version
                that kept none.
        """
        self._folder = folder
        self._path = place
        self._is_ours = is_ours

    def adopt(self, names: Iterable[str]) -> None:
        """Take files that are there for ours, as they are now, where no ledger was ever kept."""
        if not is_there(self._path):
            paths = {name: self._folder / name for name in names}
            self._note({n: [digest_of(path)] for n, path in paths.items() if is_file(path)})

    def check(self, name: str, *, overwrite: bool = False) -> None:
        """Refuse a name that is somebody else's, or that somebody has changed since.

        Raises:
            OutputError: it is so.
        """
        path = self._folder / name
        if not os.path.lexists(path):
            return
        if is_file(path) and (overwrite or self._owns(path, self._read().get(name))):
            return
        raise OutputError(
            "a file of this name is there, and is not as panfocus left it",
            where=str(path),
            expected="no such file, or one that panfocus wrote and nobody has changed",
            got="another file" if is_file(path) else "no ordinary file",
            remedy="give it another name or folder; `overwrite=True` replaces a file",
        )

    def write(self, name: str, data: bytes, *, overwrite: bool = False) -> None:
        """Write a file in place of an earlier one of ours.

        Raises:
            OutputError: see `check`; or it cannot be written.
        """
        self.check(name, overwrite=overwrite)
        path = self._folder / name
        known = self._read()
        is_there = is_file(path)
        is_short = is_there and path.stat().st_size <= _MOST_BYTES
        there = [digest_of(path)] if is_short else []  # stays ours if writing fails
        known[name] = [hashlib.sha256(data).hexdigest(), *there]
        self._note(known)
        write_atomic(path, [data], overwrite=is_there)

    def _owns(self, path: Path, hashes: object) -> bool:
        try:
            if path.stat().st_size > _MOST_BYTES:
                return False
            if isinstance(hashes, list):
                return digest_of(path) in hashes
            return self._is_ours(path)
        except (OSError, ValueError, RecursionError):
            return False

    def _note(self, known: dict[str, Any]) -> None:
        write_atomic(self._path, [json.dumps(known, indent=1).encode()], overwrite=True)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(schema.record(schema.read(self._path)))
        except (OSError, schema.SchemaError):
            return {}
