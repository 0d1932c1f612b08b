"""An input is never an output, and no two outputs are one file: decided here, before any work.

Two names are of one file when they lead to the same place (links, ``..``), when they are hard
links, or when they differ in nothing but case or the spelling of accents, which many file systems
do not tell apart. What an input consists of counts as well: a Zarr with all that lies in it, and
the other files of an OME-TIFF.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from panfocus.errors import OutputError, UsageError
from panfocus.io.atomic import located
from panfocus.io.ome_set import set_files
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.io.stores import store_of
from panfocus.resources.paths import as_path, is_folder

#: What the user calls an output, such as its option, and where it goes.
Output = tuple[str, Path]
_Id = tuple[int, int]
_Key = tuple[_Id, str]


def check_apart(inputs: Iterable[Path], outputs: Sequence[Output]) -> None:
    """Refuse outputs that would replace an input, or each other.

    Args:
        inputs: files; folders of which every file counts, such as a Zarr.
        outputs: files, and folders that are written whole.

    Raises:
        OutputError: an output is an input, holds one, or lies in one that is a folder.
        UsageError: two outputs are one file, or one lies in the other.
    """
    check_distinct(outputs)
    known = Inputs(inputs, in_depth=any(os.path.lexists(located(path)) for _, path in outputs))
    for label, path in outputs:
        known.check(label, path)


def check_distinct(outputs: Sequence[Output]) -> None:
    """Refuse two outputs that are one file.

    Raises:
        UsageError: they are, or one lies in the other.
    """
    seen: dict[_Key | _Id, Output] = {}
    for label, path in outputs:
        names = _names(path)
        other = next((seen[name] for name in names if name in seen), None)
        if other is not None:
            raise _same(other, (label, path))
        seen |= dict.fromkeys(names, (label, path))
    # a folder that is written whole must not hold another output
    for parent, output in {_real(path).parent: (label, path) for label, path in outputs}.items():
        for folder in (parent, *parent.parents):
            other = next((seen[name] for name in _names(folder) if name in seen), None)
            if other is not None:
                raise _same(other, output)


def _same(first: Output, second: Output) -> UsageError:
    return UsageError(
        "two outputs have the same name",
        where=", ".join(_said(output) for output in (first, second)),
        expected="a file of its own for each",
        got=f"one file: {_real(first[1])}" if first[1] != second[1] else str(first[1]),
        remedy="give one of them another name",
    )


def _said(output: Output) -> str:
    label, path = output
    return f"{label} {path}" if label else str(path)


def earlier_results(paths: Iterable[Path]) -> list[Path]:
    """Return those that panfocus has made: no frames, wherever they lie.

    Whatever else has the name of an output may be a photograph, which `check_apart` then keeps.
    """
    return [path for path in paths if is_made_by_panfocus(path)]


class Inputs:
    """All that is read, to hold outputs against."""

    def __init__(self, paths: Iterable[Path], *, in_depth: bool = True) -> None:
        """Look at the inputs.

        Args:
            paths: files, and folders of which every file counts.
            in_depth: whether files are opened to see which others belong to them.
        """
        self._known: dict[_Key | _Id, Path] = {}
        self._holders: dict[_Id, Path] = {}
        self._folders: dict[_Id, Path] = {}
        for path in dict.fromkeys(paths):
            for member in _members(path, in_depth=in_depth):
                self._add(member)

    def _add(self, path: Path) -> None:
        real = _real(path)
        self._known |= dict.fromkeys(_names_of(real), path)
        self._add_holders(path, real)
        own = _identity(real) if is_folder(real) else None
        if own is not None:
            self._folders[own] = path

    def add_holders(self, path: Path) -> None:
        """Add an input of which only the folders that hold it count, and it itself if it is one."""
        self._add_holders(path, _real(path))

    def _add_holders(self, path: Path, real: Path) -> None:
        for parent in (real, *real.parents) if is_folder(real) else real.parents:
            identity = _identity(parent)
            if identity in self._holders:
                break
            if identity is not None:
                self._holders[identity] = path

    def check(self, label: str, path: Path) -> None:
        """Refuse an output that is one of the inputs.

        Args:
            label: what the user calls it, such as its option.
            path: where it goes.

        Raises:
            OutputError: it is.
        """
        got = self._clash(path)
        if got is not None:
            raise OutputError(
                "an output is one of the inputs",
                where=_said((label, path)),
                expected="a name that no input has: what is read is never replaced",
                got=got,
                remedy="give the output another name",
            )

    def holds(self, path: Path) -> bool:
        """Whether a path is one of the inputs."""
        return self._clash(path) is not None

    def _clash(self, path: Path) -> str | None:
        names = _names(path)
        same = next((self._known[name] for name in names if name in self._known), None)
        if same is not None:
            return f"the input {same}" + ("" if same == path else ", which is the same file")
        real = _real(path)
        own = _identity(real)
        if own is not None and own in self._holders:
            return f"a folder that holds the input {self._holders[own]}"
        for parent in real.parents:
            identity = _identity(parent)
            if identity is not None and identity in self._folders:
                return f"a place inside the input {self._folders[identity]}"
        return None


def _members(path: Path, *, in_depth: bool) -> list[Path]:
    if is_folder(path):
        return [store_of(path)]
    return [path, *set_files(path)] if in_depth else [path]


def _names(path: Path) -> list[_Key | _Id]:
    """Return all by which a path is the same as another one: its place, and its file if any."""
    return _names_of(_real(path))


def _names_of(real: Path) -> list[_Key | _Id]:
    """Return the same of where a path leads."""
    folder = real.parent
    while (identity := _identity(folder)) is None and folder != folder.parent:
        folder = folder.parent
    rest = str(real.relative_to(folder))
    key: _Key = (identity or (0, 0), unicodedata.normalize("NFC", rest).casefold())
    own = _identity(real)
    return [key] if own is None else [key, own]


def _real(path: Path) -> Path:
    """Return where a path leads, through links and ``..``; it need not exist."""
    return Path(os.path.realpath(as_path(path, OutputError)))


def _identity(path: Path) -> _Id | None:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_dev, stat.st_ino
