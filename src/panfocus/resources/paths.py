"""The door for names of files and folders: what no system can have is refused, in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import cast

from panfocus.errors import InputError, PanfocusError, UsageError, in_one_line

_MOST_NAME, _MOST_PATH = 255, 4095
#: What is wrong with a name, by the system's number for it; all others mean that it is not there.
_WHY = {
    errno.ENAMETOOLONG: (
        "a name is too long",
        f"at most {_MOST_NAME} bytes a name, and {_MOST_PATH} in all",
    ),
    errno.ELOOP: ("a link leads to itself", "a link that ends at a file or folder"),
    errno.EACCES: ("a folder may not be entered", "a folder that this user may enter"),
    errno.EPERM: ("a folder may not be entered", "a folder that this user may enter"),
}


def as_path(name: str | os.PathLike[str], error: type[PanfocusError] = InputError) -> Path:
    """Return a name that somebody has given as a path, with ``~`` followed.

    It need not exist.

    Args:
        name: of a file or folder.
        error: what is raised; in place of a `UsageError` an `InputError` where the name is sound
            and the folder is not.

    Raises:
        PanfocusError: `error`: it holds a zero byte or what no file's name can, is too long,
            leads in a circle or through a folder that may not be entered, names a user that is
            not there, or is told from a current folder that is gone.

    Examples:
        >>> as_path("frames/a.png").name
        'a.png'
    """
    text = _text(name, error)
    if "\0" in text:
        raise error(
            "a name holds a zero byte", where=shown(text), expected="a name that a file can have"
        )
    try:
        os.fsencode(text)
        path = Path(text).expanduser()
    except UnicodeEncodeError:
        raise error(
            "a name holds what no file's name can",
            where=shown(text),
            expected="letters, or the bytes of a name as the system gives them",
        ) from None
    except RuntimeError:
        raise error(
            "there is no such user",
            where=shown(text),
            expected="~ alone, or ~ and a user's name, for a home folder",
            got=text.partition("/")[0],
            remedy="write ./~... for a file whose name begins with ~",
        ) from None
    _check_length(path, error)
    _check_found(path, error)
    return path


def _text(name: object, error: type[PanfocusError]) -> str:
    """Return a name as text, whatever a program has handed over."""
    try:
        return os.fsdecode(cast("str", name))
    except (TypeError, UnicodeError):
        got = "nothing" if name is None else type(name).__name__
        raise error(
            "this is no name of a file or folder",
            expected="text, or a path of pathlib",
            got=got,
        ) from None


def _check_length(path: Path, error: type[PanfocusError]) -> None:
    """Refuse what is too long where its folder is not there yet, too."""
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > _MOST_NAME or len(os.fsencode(path)) > _MOST_PATH:
        what, expected = _WHY[errno.ENAMETOOLONG]
        raise error(
            what,
            where=shown(str(path)),
            expected=expected,
            got=f"{longest} bytes" if longest > _MOST_NAME else f"{len(os.fsencode(path))} in all",
            remedy="give it a shorter name, or another folder",
        )


def _check_found(path: Path, error: type[PanfocusError]) -> None:
    # where a folder is closed, or gone, the call is not to blame
    found = InputError if issubclass(error, UsageError) else error
    try:
        if not path.is_absolute():
            os.getcwd()  # noqa: PTH109  asked for what it raises
    except OSError:
        raise found(
            "the current folder is gone",
            where=shown(str(path)),
            expected="a folder that is there, for names that begin in it",
            remedy="go to another folder (cd), or give the whole name, from / on",
        ) from None
    try:
        path.stat()
    except OSError as refused:
        if refused.errno not in _WHY:
            return
        what, expected = _WHY[refused.errno]
        kind = error if refused.errno == errno.ENAMETOOLONG else found
        raise kind(
            what,
            where=shown(str(path)),
            expected=expected,
            got=refused.strerror,
            remedy="give another name, or mend the folder or link",
        ) from None


def is_file(path: Path) -> bool:
    """Whether an ordinary file is there that this user can see; never raises."""
    return os.path.isfile(path)  # noqa: PTH113  pathlib's raises where a folder is closed


def is_folder(path: Path) -> bool:
    """Whether a folder is there that this user can see; never raises."""
    return os.path.isdir(path)  # noqa: PTH112  as above


def is_link(path: Path) -> bool:
    """Whether a link is there that this user can see; never raises."""
    return os.path.islink(path)  # noqa: PTH114  as above


def is_there(path: Path) -> bool:
    """Whether anything is there that this user can see; never raises."""
    return os.path.exists(path)  # noqa: PTH110  as above


def listed(folder: Path, error: type[PanfocusError] = InputError) -> list[Path]:
    """Return what lies in a folder, by name.

    Args:
        folder: that may be anybody's.
        error: what is raised.

    Raises:
        PanfocusError: `error`: it may not be listed.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as refused:
        raise error(
            "a folder cannot be listed",
            where=shown(str(folder)),
            expected="a folder that this user may list",
            got=refused.strerror,
            remedy="mend its permissions, or leave it out",
        ) from refused


def shown(text: str, most: int = 200) -> str:
    r"""Return a name as a message shows it: in one line, in letters, and not too long.

    Examples:
        >>> shown("a\nb.png")
        'a\\nb.png'
    """
    plain = in_one_line(text)
    return plain if len(plain) <= most else f"{plain[:most]}... ({len(plain)} characters)"
