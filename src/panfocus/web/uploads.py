"""Files that are dropped onto the page: streamed into a folder that goes with the server."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from panfocus.errors import InputError, UsageError
from panfocus.io.formats import SUFFIXES
from panfocus.io.ome_set import set_files
from panfocus.io.volumes.olympus import FOLDER
from panfocus.io.volumes.open import ZARR, is_ome_tiff, is_vendors, is_volume
from panfocus.io.volumes.plug_ins import PLUG_INS
from panfocus.web.places import Places

#: Bytes of one file, and of all files together, at most; and how many files.
MOST_FILE = 2 * 2**30
MOST_TOGETHER = 32 * 2**30
MOST_FILES = 200_000
#: Folders within each other, and bytes of a name, at most.
_DEEPEST = 12
_LONGEST = 200
#: Bytes of the disk that are left free.
_SPARE = 2**30
#: Endings of files that are taken: pictures, and volumes that are one file.
TAKEN = frozenset({*SUFFIXES, *PLUG_INS})
#: What tells of planes in a folder, and of the files of a set.
_BESIDE = ("metadata.txt", ".companion.ome")
_PLAIN = re.compile(r"[^\w\-. ()\[\]+,@]")
#: What no name of a file may hold: strokes are kept in one that is named after the stack.
_NO_NAME = re.compile(r"[/\\\x00-\x1f:*?\"<>|]")
_ID = re.compile(r"[0-9a-f]{12}")


def _plain_path(name: str) -> Path:
    """Return where a file goes in the folder of its drop.

    Raises:
        UsageError: no picture, and not in a Zarr; or a name that is none.
    """
    parts = [_PLAIN.sub("_", part) for part in name.split("/")]
    in_zarr = any(part.lower().endswith(ZARR) for part in parts[:-1])
    # what a Zarr consists of begins with a dot, other hidden files are nobody's frames
    parts = [part if in_zarr else part.lstrip(".") for part in parts]
    is_path = all(part.strip(". ") and len(part.encode()) <= _LONGEST for part in parts)
    if not is_path or len(parts) > _DEEPEST:
        raise UsageError("this is no name for a file", where=name[:120])
    plain = parts[-1].lower()
    if not in_zarr and not plain.endswith(_BESIDE) and Path(plain).suffix not in TAKEN:
        raise UsageError(
            "this is not a picture that panfocus reads",
            where=name[:120],
            expected=", ".join(sorted(TAKEN)),
        )
    return Path(*parts)


def stacks_in(folder: Path) -> Iterator[list[Path]]:
    """Yield what can be opened of a folder and those in it: paths for each stack.

    Planes and Zarrs are volumes, and so is each file of a microscope's maker and each OME-TIFF
    with the files of its set; all other files that lie together are one stack.
    """
    if is_volume(folder):
        yield [folder]
        return
    entries = sorted(folder.iterdir(), key=lambda path: path.name)
    files = [path for path in entries if path.is_file() and path.suffix.lower() in TAKEN]
    others: set[Path] = set()
    rest: list[Path] = []
    for path in files:
        if not is_vendors(path) and not is_ome_tiff(path):
            rest.append(path)
        elif path not in others:
            others.update(set_files(path) if is_ome_tiff(path) else ())
            yield [path]
    if rest:
        yield [folder] if len(rest) == len(files) > 1 else rest
    for path in entries:
        if path.is_dir() and not path.name.lower().endswith(".oif" + FOLDER):
            yield from stacks_in(path)


class Uploads:
    """What was dropped, one folder for every drop.

    Args:
        places: whose folder for dropped files is used.
        most_file: bytes of one file at most.
        most_together: of all.
        most_files: how many files.
    """

    def __init__(
        self,
        places: Places,
        most_file: int = MOST_FILE,
        most_together: int = MOST_TOGETHER,
        most_files: int = MOST_FILES,
    ) -> None:
        self._places = places
        self._most_file = most_file
        self._left = most_together
        self._files_left = most_files

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

    def stacks(self, id_: str) -> list[list[Path]]:
        """Return what to open of a drop, a list of paths for each stack.

        Raises:
            UsageError: there is no such drop, or nothing in it.
        """
        found = list(stacks_in(self.folder(id_)))
        if not found:
            raise UsageError("nothing was dropped that can be opened")
        return found

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
            name: of the file, with the folders that it is in by slashes; letters that mean
                something in a path are replaced.
            pieces: of its content.
            told: how many bytes it will be, if that is said: too many are refused unread.

        Raises:
            UsageError: no picture by its name, or one of that name is there.
            InputError: too large, too many, or no room for it.
        """
        folder = self.folder(id_)
        if told is not None and told > min(self._most_file, self._left):
            raise self._too_large(name)
        path = folder / _plain_path(name)
        if self._files_left < 1:
            raise InputError("these are more files than the page takes", where=name[:120])
        size, is_begun = 0, False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                is_begun = True
                self._files_left -= 1
                async for piece in pieces:
                    size += len(piece)
                    self._check(name, size, len(piece), folder)
                    file.write(piece)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise UsageError("two files have one name", where=path.name) from error
        except BaseException:
            path.unlink(missing_ok=True)
            self._left += size
            self._files_left += is_begun
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
