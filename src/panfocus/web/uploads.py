"""Files that are dropped onto the page: streamed into a folder that goes with the server."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from panfocus.errors import InputError, UsageError
from panfocus.io.formats import SUFFIXES
from panfocus.io.volumes.plug_ins import PLUG_INS
from panfocus.web.places import Places

#: Bytes of one file, and of all files together, at most.
MOST_FILE = 2 * 2**30
MOST_TOGETHER = 32 * 2**30
#: Bytes of the disk that are left free.
_SPARE = 2**30
#: Endings of files that are taken: pictures, and volumes that are one file.
TAKEN = frozenset({*SUFFIXES, *PLUG_INS})
_PLAIN = re.compile(r"[^\w\-. ()\[\]+,@]", re.ASCII)
#: What no name of a file may hold: strokes are kept in one that is named after the stack.
_NO_NAME = re.compile(r"[/\\\x00-\x1f:*?\"<>|]")
_ID = re.compile(r"[0-9a-f]{12}")


class Uploads:
    """What was dropped, one folder for every drop.

    Args:
        places: whose folder for dropped files is used.
        most_file: bytes of one file at most.
        most_together: of all.
    """

    def __init__(
        self, places: Places, most_file: int = MOST_FILE, most_together: int = MOST_TOGETHER
    ) -> None:
        self._places = places
        self._most_file = most_file
        self._left = most_together

    def begin(self) -> str:
        """Return the name of a new folder."""
        id_ = secrets.token_hex(6)
        (self._places.dropped() / id_).mkdir()
        return id_

    def folder(self, id_: str) -> Path:
        """Return the folder of a drop.

        Raises:
            UsageError: there is none.
        """
        folder = self._places.dropped() / id_
        if not _ID.fullmatch(id_) or not folder.is_dir():
            raise UsageError("there is no such drop", got=id_[:40])
        return folder

    def dropped(self, id_: str) -> Path:
        """Return what to open of a drop: its folder, or the one file that is in it.

        Raises:
            UsageError: there is none.
        """
        folder = self.folder(id_)
        files = sorted(folder.iterdir())
        return files[0] if len(files) == 1 else folder

    @staticmethod
    def title(text: object) -> str | None:
        """Return a name for a drop from what the page tells; None for none."""
        plain = _NO_NAME.sub("_", text).strip(" .")[:60] if isinstance(text, str) else ""
        return plain or None

    async def take(
        self, id_: str, name: str, pieces: AsyncIterator[bytes], told: int | None = None
    ) -> Path:
        """Write one file.

        Args:
            id_: of the drop.
            name: of the file; letters that mean something in a path are replaced.
            pieces: of its content.
            told: how many bytes it will be, if that is said: too many are refused unread.

        Raises:
            UsageError: no picture by its name, or one of that name is there.
            InputError: too large, or no room for it.
        """
        folder = self.folder(id_)
        if told is not None and told > min(self._most_file, self._left):
            raise self._too_large(name)
        plain = _PLAIN.sub("_", name).lstrip(".")[-120:]
        if Path(plain).suffix.lower() not in TAKEN:
            raise UsageError(
                "this is not a picture that panfocus reads",
                where=name[:120],
                expected=", ".join(sorted(TAKEN)),
            )
        path = folder / plain
        size = 0
        try:
            with path.open("xb") as file:
                async for piece in pieces:
                    size += len(piece)
                    self._check(name, size, len(piece), folder)
                    file.write(piece)
        except FileExistsError as error:
            raise UsageError("two files have one name", where=plain) from error
        except BaseException:
            path.unlink(missing_ok=True)
            self._left += size
            raise
        return path

    def _check(self, name: str, size: int, more: int, folder: Path) -> None:
        self._left -= more
        if size > self._most_file or self._left < 0:
            raise self._too_large(name)
        if shutil.disk_usage(folder).free < _SPARE:
            raise InputError("there is no room on the disk for more files", where=name[:120])

    def _too_large(self, name: str) -> InputError:
        return InputError(
            "this is more than the page takes",
            where=name[:120],
            expected=f"at most {self._most_file >> 20} MiB a file",
            remedy="start `panfocus view` with the folder that holds it",
        )
