"""The files of a project: noted with size and hash, found again, and held against them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from panfocus.errors import InputError
from panfocus.io import FrameInfo
from panfocus.io.digest import digest_of
from panfocus.pipeline.project_content import ProjectInput, told_from
from panfocus.resources.paths import is_file, is_folder, shown

#: Changed files that are named one by one; of more only the number is told.
_NAMED = 5


def note_inputs(infos: Sequence[FrameInfo], folder: Path) -> tuple[ProjectInput, ...]:
    """Return the files of frames, told from a project's folder.

    Args:
        infos: frames in their order.
        folder: of the project file; need not be there yet.

    Raises:
        InputError: a file is gone, or not readable.
    """
    out: list[ProjectInput] = []
    for path, group in groupby(infos, key=lambda info: info.path):
        infos_there = list(group)
        is_whole = infos_there[0].file_frames == 1
        numbers = None if is_whole else tuple(info.page for info in infos_there)
        out.append(note_input(path, folder, numbers))
    return tuple(out)


def note_input(path: Path, folder: Path, pages: tuple[int, ...] | None = None) -> ProjectInput:
    """Return a file, or a volume's folder, with its hash.

    Args:
        path: of it.
        folder: of the project file; need not be there yet.
        pages: of a file of several frames, those that are taken.

    Raises:
        InputError: it is gone, or not readable.
    """
    try:
        return ProjectInput(told_from(path, folder), _size(path), digest_of(path), pages)
    except OSError as error:
        raise InputError("an input cannot be read", where=str(path), got=error.strerror) from error


def _size(path: Path) -> int:
    # what a folder tells depends on the disk
    return 0 if is_folder(path) else path.stat().st_size


def find_inputs(
    inputs: Sequence[ProjectInput], folder: Path, *, accept_changed: bool, folders: bool = False
) -> tuple[list[Path], list[str]]:
    """Return where a project's files are, and notes on those that have changed.

    Args:
        inputs: of the project.
        folder: of the project file.
        accept_changed: whether files that are not as they were are taken all the same.
        folders: whether an input may be a folder, as volumes are.

    Raises:
        InputError: a file is not there; or not as it was, and that is not accepted.
    """
    paths = [folder / each.path for each in inputs]
    gone = [
        shown(str(path)) for path in paths if not (is_file(path) or (folders and is_folder(path)))
    ]
    if gone:
        raise InputError(
            "an input of the project is not there",
            where=_some(gone),
            expected="the files where they were, seen from the project's folder",
            remedy="move the project together with its inputs, or bring them back",
        )
    changed = [p for each, p in zip(inputs, paths, strict=True) if not _is_as_noted(each, p)]
    if not changed:
        return paths, []
    named = _some([str(path) for path in changed])
    if not accept_changed:
        raise InputError(
            "an input is not the file that the project was made with",
            where=named,
            expected="a file of the same size and SHA-256",
            got="other content",
            remedy="bring the file back, or take it as it is now (`accept_changed=True`)",
        )
    return paths, [f"changed since the project was made, and taken as they are: {named}"]


def _is_as_noted(noted: ProjectInput, path: Path) -> bool:
    try:
        return _size(path) == noted.size and digest_of(path) == noted.sha256
    except OSError:
        return False


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def chosen_frames(infos: Sequence[FrameInfo], inputs: Sequence[ProjectInput]) -> list[FrameInfo]:
    """Return those frames of the files that the project has.

    Args:
        infos: all frames of the files, in the order of the inputs.
        inputs: of the project, one for each file.

    Raises:
        InputError: a file has no such page any more.
    """
    files = _by_file(infos)
    out: list[FrameInfo] = []
    for noted, pages in zip(inputs, files, strict=True):
        by_page = {info.page: info for info in pages}
        wanted = by_page if noted.pages is None else noted.pages
        for page in wanted:
            if page not in by_page:
                raise InputError(
                    "an input of the project lacks a page",
                    where=noted.path,
                    expected=f"page {page}",
                    got=f"{len(pages)} pages",
                )
            out.append(by_page[page])
    return out


def _by_file(infos: Sequence[FrameInfo]) -> list[list[FrameInfo]]:
    """Return the frames of each file; a file that is named again begins anew."""
    out: list[list[FrameInfo]] = []
    for info in infos:
        last = out[-1][-1] if out else None
        if last is None or info.path != last.path or info.page <= last.page:
            out.append([])
        out[-1].append(info)
    return out
