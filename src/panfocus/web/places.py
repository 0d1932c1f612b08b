"""What may be read and written: what lies below the folders that were given, and nothing else.

Every path that comes from the browser goes through here. Links are followed before it is looked
where a path leads, so that a link out of a folder is no way out of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from panfocus.errors import UsageError
from panfocus.resources.paths import as_path


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
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._given = [Path(os.path.realpath(folder)) for folder in folders]
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

    def check(self, paths: Iterable[Path]) -> None:
        """Refuse files that were found in a folder and lie elsewhere, as links do.

        Raises:
            RefusedError: one does.
        """
        for path in paths:
            if not self.allows(path):
                raise _refused(str(path))

    def is_dropped(self, path: Path) -> bool:
        """Whether a path lies among what was dropped."""
        real = Path(os.path.realpath(path))
        return self._dropped is not None and self._dropped in real.parents
