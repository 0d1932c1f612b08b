"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from panfocus.errors import OutputError
from panfocus.io.stores import check_replaceable
from panfocus.resources.paths import is_file, is_folder, is_there

#: What is being written at this moment, and goes if the process has to end at once.
_ON_THE_WAY: set[Path] = set()


def abandon() -> None:
    """Delete what is half-written, in a process that ends without coming back to it."""
    for path in list(_ON_THE_WAY):
        if is_folder(path):
            _remove_folder(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def located(path: Path) -> Path:
    """Return a path whose folder is told without links and ``..``.

    ``new/../old.tif`` is there once ``new`` is made, and is not said to be there before.
    """
    return Path(os.path.realpath(path.parent), path.name) if ".." in path.parts else path


def token(count: int) -> str:
    """Return a name that nobody else has: random bytes in hexadecimal digits."""
    return os.urandom(count).hex()  # what `secrets` does, which is slow to import


def _remove_folder(folder: Path, *, ignore_errors: bool = False) -> None:
    import shutil  # noqa: PLC0415 - slow to import, and few outputs are folders

    shutil.rmtree(folder, ignore_errors=ignore_errors)


def exists_error(path: Path) -> OutputError:
    """Return the error for an output that is there already."""
    return OutputError(
        "the output exists already",
        where=str(path),
        remedy="choose another name, or allow overwriting (`overwrite=True`)",
    )


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for an output that the system refuses to write."""
    said = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            "the output does not fit on the disk",
            where=str(path),
            expected="room for the output and, while it is written, for a copy of it",
            got=said + _room(path),
            remedy="free some space, or choose another place; what was there before is untouched",
        )
    return OutputError(
        "the output cannot be written",
        where=str(path),
        expected="a folder that this user may write to",
        got=said,
        remedy="check the folder and its permissions, or choose another place",
    )


def _room(path: Path) -> str:
    """Return how much of the disk is left, as words to go on with; nothing if it cannot be told."""
    with suppress(OSError):
        import shutil  # noqa: PLC0415 - slow to import

        nearest = next(p for p in path.absolute().parents if is_there(p))
        return f", {shutil.disk_usage(nearest).free / 2**20:.0f} MiB free"
    return ""


def write_atomic(
    path: Path, pieces: Iterable[bytes | memoryview], *, overwrite: bool, is_durable: bool = False
) -> None:
    """Write the pieces beside ``path``, then put them in its place in one step.

    Missing parent folders are made. Whatever happens on the way, Ctrl-C included, nothing that was
    made for it stays behind. Without ``overwrite``, a file that appeared meanwhile stays.

    Args:
        path: of the file.
        pieces: its content.
        overwrite: whether a file that is there is replaced.
        is_durable: whether they lie on the disk before they take the place.

    Raises:
        OutputError: the file exists, or is a folder, pipe or device; or the system refuses.
    """
    target = Path(os.path.realpath(path))  # through a symbolic link, not in its place
    made: list[Path] = []
    temporary = target.with_name(f".panfocus-{token(8)}.part")
    _ON_THE_WAY.add(temporary)
    try:
        try:
            _make_folders(target.parent, made)
            is_private = overwrite and is_there(target)
            _write(temporary, pieces, is_private=is_private, is_durable=is_durable)
            place(temporary, target, overwrite=overwrite)
        except BaseException:
            _remove(temporary, made)
            raise
    except FileExistsError as error:
        raise exists_error(path) from error
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        _ON_THE_WAY.discard(temporary)


def check_ordinary(path: Path) -> None:
    """Refuse to write to a folder, or in place of a pipe, a socket or a device.

    Raises:
        OutputError: it is one, or leads to one.
    """
    if is_folder(path):
        raise OutputError(
            "the output is a folder",
            where=str(path),
            remedy=f"add a file name, like fused{path.suffix or '.png'}",
        )
    if is_there(path) and not is_file(path):
        raise OutputError(
            "the output is not an ordinary file",
            where=str(path),
            remedy="choose a file name in an ordinary folder",
        )


def place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Move a finished file or folder to its place in one step; both on one file system.

    A folder that is replaced is moved aside first and deleted last, so that one of the two is
    always whole; and it is deleted only if nothing but a Zarr was in it. What replaces a file may
    be read by the same people as that file.

    Raises:
        FileExistsError: the target exists and may not be replaced.
        OutputError: the target is a folder that holds more than a Zarr, a pipe or a device.
        OSError: the system refuses.
    """
    if overwrite:
        keep_access(temporary, target)
    if is_folder(temporary):
        _place_folder(temporary, target, overwrite=overwrite)
    elif overwrite:
        check_ordinary(target)
        temporary.replace(target)
    else:
        _place_new(temporary, target)


def keep_access(temporary: Path, target: Path) -> None:
    """Give a file that will replace another one its mode and, where allowed, owner and group."""
    try:
        there = target.stat()
    except OSError:  # nothing to be replaced
        return
    if not hasattr(os, "chown"):  # Windows
        return
    mode = stat.S_IMODE(there.st_mode) & 0o777
    with suppress(OSError):  # only root may give a file away
        os.chown(temporary, there.st_uid, -1)
    try:
        os.chown(temporary, -1, there.st_gid)
    except OSError:  # what its group was allowed is not for another group
        mode &= ~0o070 | (mode & 0o007) << 3
    with suppress(OSError):  # file systems without modes
        temporary.chmod(mode)


def _place_folder(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(target):
        temporary.rename(target)
        return
    if not overwrite:
        raise FileExistsError(target)
    if not target.is_symlink():
        _check_is_folder(target)
        check_replaceable(target)
    aside = target.with_name(f".panfocus-{token(8)}.old")
    target.rename(aside)
    try:
        if not aside.is_symlink():
            check_replaceable(aside)  # again: until now somebody could put a file into it
        temporary.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    if aside.is_symlink():
        aside.unlink()
    else:
        _remove_folder(aside)


def _check_is_folder(target: Path) -> None:
    if not is_folder(target):
        raise OutputError(
            "the output is a folder, and a file of its name exists",
            where=str(target),
            remedy="choose another name, or move the file away first",
        )


@contextmanager
def staging(parent: Path, tag: str = "work") -> Generator[Path]:
    """Make a hidden folder beside an output, for files on their way; it goes with all in it.

    Args:
        parent: folder of the output; made if missing, and taken back if it stays empty.
        tag: part of the folder's name, by which a later run can find what a killed one left.

    Raises:
        OutputError: the folder cannot be made.
    """
    made: list[Path] = []
    folder = parent / f".panfocus-{tag}-{token(4)}"
    _ON_THE_WAY.add(folder)
    try:
        _make_folders(folder, made)
    except OSError as error:
        _ON_THE_WAY.discard(folder)
        raise cannot_write(folder, error) from error
    try:
        with suppress(OSError):  # what is in it may replace files that only this user may read
            folder.chmod(0o700)
        yield folder
    finally:
        _remove_folder(folder, ignore_errors=True)
        _ON_THE_WAY.discard(folder)
        with suppress(OSError):  # somebody else's file in it
            for path in reversed(made[:-1]):
                path.rmdir()


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [p for p in (folder, *folder.parents) if not is_there(p)]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)  # another process may have made it meanwhile
        made.append(path)


def _write(
    temporary: Path, pieces: Iterable[bytes | memoryview], *, is_private: bool, is_durable: bool
) -> None:
    with temporary.open("xb") as file:
        if is_private:  # until it has the mode of the file that it replaces
            temporary.chmod(0o600)
        for piece in pieces:
            file.write(piece)
        if is_durable:
            file.flush()
            os.fsync(file.fileno())


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
