"""What may be read and written: what lies below the folders that were given, and nothing else.

Every path that comes from the browser goes through here. Links are followed before it is looked
where a path leads, so that a link out of a folder is no way out of it. The one exception is frames
that lay as links in a folder that was named on the command line, when it was named: who makes a
stack of links and names it wants those files read, as `panfocus fuse FOLDER` reads them. They are
read as frames of that folder alone; a path of the browser's that names one is refused as before.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from panfocus.errors import UsageError
from panfocus.io.formats import SUFFIXES
from panfocus.resources.paths import as_path, is_file, is_folder, is_link


class RefusedError(UsageError):
    """A path leads to where the page may not go."""


def _refused(text: str) -> RefusedError:
    return RefusedError(
        "this lies outside of the folders that the page may use",
        where=text,
        expected="a file or folder below those that `panfocus view` was given",
        remedy="start `panfocus view` with the folder, or drop the files onto the page",
    )


class Places:
    """The folders that the page may use.

    Args:
        folders: that the user has given.
        linked: files elsewhere that links among the user's frames lead to; see `linked_frames`.
    """

    def __init__(self, folders: Iterable[Path], linked: Iterable[Path] = ()) -> None:
        self._given = list(dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders))
        self._linked = frozenset(linked)
        self._lock = Lock()
        self._dropped: Path | None = None

    @property
    def given(self) -> list[Path]:
        """The folders of the user's own, without that of uploads."""
        return list(self._given)

    def grant(self, folder: Path) -> None:
        """Allow one more folder."""
        real = Path(os.path.realpath(folder))
        if real not in self._given:
            self._given.append(real)

    def dropped(self) -> Path:
        """Return the folder for files that are dropped onto the page; it goes with the server."""
        with self._lock:
            if self._dropped is None:
                self._dropped = Path(os.path.realpath(tempfile.mkdtemp(prefix="panfocus-view-")))
            return self._dropped

    def close(self) -> None:
        """Delete what was dropped."""
        if self._dropped is not None:
            shutil.rmtree(self._dropped, ignore_errors=True)

    def resolve(self, text: object) -> Path:
        """Return the path that a text of the browser's names.

        Args:
            text: an absolute path.

        Raises:
            UsageError: no file can be called so.
            RefusedError: it is none, has ``..`` in it, or leads out of the folders.

        Example:
            >>> Places([Path("/tmp")]).resolve("/tmp/a/../../etc")
            Traceback (most recent call last):
            ...
            panfocus.web.places.RefusedError: this lies outside of the folders that the page may use
              where: /tmp/a/../../etc
              expected: a file or folder below those that `panfocus view` was given
              remedy: start `panfocus view` with the folder, or drop the files onto the page
        """
        if not isinstance(text, str) or not text or "\0" in text:
            raise _refused(repr(text))
        path = Path(text)
        if not path.is_absolute() or ".." in path.parts:
            raise _refused(text)
        try:
            is_allowed = self.allows(path)
        except ValueError:  # half a letter, which no file's name can hold
            is_allowed = False
        if not is_allowed:
            raise _refused(text)
        return as_path(path, UsageError)

    def allows(self, path: Path) -> bool:
        """Whether a path lies below one of the folders, wherever its links lead."""
        real = Path(os.path.realpath(path))
        folders = [*self._given, *([self._dropped] if self._dropped else [])]
        return any(real == folder or folder in real.parents for folder in folders)

    def shows(self, path: Path) -> bool:
        """Whether a file that was found in a folder may be read as a frame."""
        return self.allows(path) or Path(os.path.realpath(path)) in self._linked

    def roots(self, folder: Path | None = None) -> list[Path]:
        """Return what projects may name: the folders, or one of them; and frames of the user's."""
        return [*(self._given if folder is None else [folder]), *self._linked]

    def check(self, paths: Iterable[Path]) -> None:
        """Refuse files that were found in a folder and lie elsewhere, as links do.

        Links that the user has named with their folder are none of these.

        Raises:
            RefusedError: one does.
        """
        for path in paths:
            if not self.shows(path):
                raise _refused(str(path))

    def is_dropped(self, path: Path) -> bool:
        """Whether a path lies among what was dropped."""
        real = Path(os.path.realpath(path))
        return self._dropped is not None and self._dropped in real.parents


def linked_frames(inputs: Iterable[Path]) -> frozenset[Path]:
    """Return the files that links lead to which the user has named, or whose folder he has.

    Args:
        inputs: files and folders of the command line; of folders, what lies directly in them.
    """
    found: set[Path] = set()
    for path in inputs:
        entries = (e for e in _entries(path) if e.suffix.lower() in SUFFIXES and is_link(e))
        found |= {Path(os.path.realpath(entry)) for entry in entries if is_file(entry)}
    return frozenset(found)


def _entries(path: Path) -> list[Path]:
    try:
        return list(path.iterdir()) if is_folder(path) else [path]
    except OSError:
        return []
