"""Write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from panfocus.errors import OutputError


def exists_error(path: Path) -> OutputError:
    """Return the error for an output that is there already."""
    return OutputError(
        "The output exists already.",
        where=str(path),
        remedy="choose another name, or allow overwriting (--overwrite)",
    )


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for an output that the system refuses to write."""
    return OutputError(
        "The output cannot be written.",
        where=str(path),
        got=error.strerror or str(error),
        remedy="check the folder, its permissions and the free space, or choose another place",
    )


def write_atomic(path: Path, pieces: Iterable[bytes | memoryview], *, overwrite: bool) -> None:
    """Write the pieces beside ``path``, then put them in its place in one step.

    Missing parent folders are made. Whatever happens on the way, Ctrl-C included, no temporary
    file and no folder made for it stays behind. Without ``overwrite``, a file that appeared
    meanwhile is not touched.

    Raises:
        OutputError: the file exists, or the system refuses.
    """
    target = Path(os.path.realpath(path))  # through a symbolic link, not in its place
    made: list[Path] = []
    temporary = target.with_name(f".panfocus-{secrets.token_hex(8)}.part")
    try:
        try:
            _make_folders(target.parent, made)
            _write(temporary, pieces)
            if overwrite:
                temporary.replace(target)
            else:
                _place_new(temporary, target)
        except BaseException:
            _remove(temporary, made)
            raise
    except FileExistsError as error:
        raise exists_error(path) from error
    except OSError as error:
        raise cannot_write(path, error) from error


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _write(temporary: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with temporary.open("xb") as file:
        for piece in pieces:
            file.write(piece)


def _place_new(temporary: Path, target: Path) -> None:
    """Move without ever replacing a file.

    Raises:
        FileExistsError: the target exists.
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # file systems without hard links (FAT, some network shares)
        target.open("xb").close()  # reserve the name; ours from here on
        try:
            temporary.replace(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    else:
        temporary.unlink()


def _remove(temporary: Path, made: list[Path]) -> None:
    """Take back what was made; a folder that somebody has filled meanwhile stays."""
    try:
        temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
    except OSError:
        return
