"""From what the user names to a list of frames, and the check that they fit together."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from panfocus.errors import InputError, UsageError
from panfocus.frozen import frozen
from panfocus.io.folder import is_result, of_one_kind, sift, some, what_else
from panfocus.io.formats import PACKED, READABLE, SUFFIXES
from panfocus.io.frames import FrameInfo, Header
from panfocus.io.order import Moment, disagree, in_natural_order, in_order, moment_of
from panfocus.io.read import describe, look
from panfocus.resources.paths import as_path, is_file, is_folder
from panfocus.resources.wording import counted


def find_frames(
    inputs: Sequence[str | Path], *, exclude: Iterable[Path] = (), prefer_raw: bool = False
) -> tuple[list[FrameInfo], list[str]]:
    """Find the frames that the user names.

    Args:
        inputs: files in the order given; globs and folders, each in natural order (2 before 10),
            or in order of the times at which the frames were taken where these say otherwise. In
            a folder, files with another extension than those of pictures, what is named like a
            picture and is none, and what panfocus has made itself are left out with a note;
            folders below it and hidden files are not looked at. A multi-page TIFF gives one frame
            per page.
        exclude: files to leave out of globs and folders: an output of an earlier run, say.
        prefer_raw: of a folder with camera RAWs beside other pictures, take the RAWs.

    Returns:
        The frames, from their headers alone, and notes for the user.

    Raises:
        InputError: nothing found, or a file that cannot be read as a picture.
    """
    notes: list[str] = []
    left_out = {os.path.realpath(path) for path in exclude}
    groups = [_expand(item, left_out, notes, prefer_raw=prefer_raw) for item in inputs]
    paths = [path for group in groups for path in group.paths]
    if not paths:
        raise InputError(
            "there are no frames to read", expected=f"files, globs or a folder ({READABLE})"
        )
    repeated = [str(path) for path, count in Counter(paths).items() if count > 1]
    if repeated:
        notes.append(f"named more than once: {some(repeated)}")
    names = dict(_short_names(paths))
    looked = [[_look(path, names[path], notes) for path in group.paths] for group in groups]
    infos = _in_order(groups, looked, notes)
    _note_kinds(infos, notes)
    return infos, notes


@frozen
class _Group:
    """Files that one input stands for; those of a folder or pattern have no order of their own."""

    paths: list[Path]
    is_named: bool


@frozen
class _Looked:
    """What a file holds, and when it was taken."""

    path: Path
    infos: list[FrameInfo]
    moment: Moment | None


def _in_order(
    groups: Sequence[_Group], looked: Sequence[Sequence[_Looked]], notes: list[str]
) -> list[FrameInfo]:
    out: list[_Looked] = []
    named: list[_Looked] = []
    for group, files in zip(groups, looked, strict=True):
        if group.is_named:
            out += files
            named += files
            continue
        order, note = in_order([f.path for f in files], [f.moment for f in files])
        notes += [] if note is None else [note]
        out += [files[n] for n in order]
    _note_named(named, notes)
    return [info for file in out for info in file.infos]


def _note_named(named: Sequence[_Looked], notes: list[str]) -> None:
    """Files that are named one by one are frames in that order; what is odd about it is said."""
    results = [file.path.name for file in named if len(named) > 1 and is_result(file.path)]
    if results:
        notes.append(f"made by panfocus, and a frame since it is named: {some(results)}")
    if disagree([file.moment for file in named]):
        notes.append("frames are in the order given, which is not that of their times (EXIF)")


def _expand(item: str | Path, left_out: set[str], notes: list[str], *, prefer_raw: bool) -> _Group:
    if isinstance(item, str) and not item.strip():
        raise UsageError(
            "the name of an input is empty",
            expected="files, globs or a folder",
            got=repr(item),
            remedy='check the variable that it came from; "." is the folder here',
        )
    path = as_path(item)
    if is_folder(path):
        found = _in_folder(path, left_out, notes, prefer_raw=prefer_raw)
        return _Group(found, is_named=False)
    if is_file(path):  # before globbing: a file may be called "a[1].jpg"
        return _Group([path], is_named=True)
    if glob.has_magic(str(item)) and not os.path.lexists(path):
        return _Group(_matches(item, path, left_out, notes), is_named=False)
    if os.path.lexists(path):
        raise InputError(
            "an input is not a file",
            where=str(item),
            expected=f"a picture ({READABLE}) or a folder",
            got=what_else(path),
            remedy="remove it from the inputs, or copy what it stands for into a file",
        )
    raise InputError(
        "an input does not exist", where=str(item), remedy="check the spelling and the folder"
    )


def _matches(item: str | Path, pattern: Path, left_out: set[str], notes: list[str]) -> list[Path]:
    found = in_natural_order(Path(m) for m in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - absolute patterns
    found = [match for match in found if os.path.realpath(match) not in left_out]
    files, more = sift(found, str(item), _fixed_part(pattern))
    notes += more
    if not files:
        raise InputError(
            "no file matches",
            where=str(item),
            expected="a pattern of files",
            got="; ".join(more) or "nothing",
            remedy="check the pattern",
        )
    return files


def _fixed_part(pattern: Path) -> Path:
    """Return the folders before the first that the pattern leaves open."""
    parts = list(takewhile(lambda part: not glob.has_magic(part), pattern.parts[:-1]))
    return Path(*parts)


def _in_folder(
    folder: Path, left_out: set[str], notes: list[str], *, prefer_raw: bool
) -> list[Path]:
    try:
        entries = [p for p in in_natural_order(folder.iterdir()) if not p.name.startswith(".")]
    except OSError as error:
        raise InputError(
            "a folder cannot be listed", where=str(folder), got=error.strerror
        ) from error
    entries = [p for p in entries if is_folder(p) or os.path.realpath(p) not in left_out]
    files, more = sift(entries, str(folder))
    pictures = [p for p in files if p.suffix.lower() in SUFFIXES]
    others = [p.name for p in files if p.suffix.lower() not in SUFFIXES]
    notes += more
    pictures, beside = of_one_kind(pictures, str(folder), prefer_raw=prefer_raw)
    notes += beside
    if others:
        notes.append(f"{counted(len(others), 'other file')} in {folder} left out: {some(others)}")
    if not pictures:
        inner = [p.name for p in entries if is_folder(p)]
        raise _no_picture(folder, more, others, inner)
    return pictures


def _no_picture(folder: Path, found: list[str], others: list[str], inner: list[str]) -> InputError:
    """Return what to say of a folder without a picture, by what else is in it."""
    held = [*found, *([some(others)] if others else [])]
    held += [f"folders: {some(inner)}"] if inner else []
    endings = {Path(name).suffix.lower() for name in others}
    advice = "name the folder that holds the frames themselves"
    if inner:
        advice += "; to fuse each of these folders, use `panfocus batch`"
    elif endings & PACKED:
        advice = "unpack them first"
    elif "" in endings:
        advice = "in a folder frames are known by their extensions: name the files, or rename them"
    return InputError(
        "the folder holds no picture",
        where=str(folder),
        expected=READABLE,
        got="; ".join(held) or "an empty folder",
        remedy=advice,
    )


def _short_names(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Pair every path with its file name, or with the whole path where names collide."""
    counts = Counter(path.name for path in set(paths))
    return [(p, p.name if counts[p.name] == 1 else str(p)) for p in paths]


def _look(path: Path, short: str, notes: list[str]) -> _Looked:
    kind, pages = look(path)
    said = SUFFIXES.get(path.suffix.lower())
    if said is not None and said != kind:
        notes.append(f"{short} is a {kind} by content and is read as such")

    def one(page: int, header: Header) -> FrameInfo:
        word = "frame" if kind == "video" else "page"
        name = short if len(pages) == 1 else f"{short} {word} {page + 1}"
        return replace(describe(name, path, kind, page, header), file_frames=len(pages))

    moment = moment_of(pages[0][1].metadata.exif) if len(pages) == 1 else None
    return _Looked(path, [one(page, header) for page, header in pages], moment)


def _note_kinds(infos: Sequence[FrameInfo], notes: list[str]) -> None:
    """Note once, not per frame, what is converted and whether formats are mixed."""
    converted: dict[str, list[str]] = {}
    for info in infos:
        for note in info.notes:
            converted.setdefault(note, []).append(info.name)
    notes += [f"{some(names)}: {note}" for note, names in converted.items()]
    formats = sorted({info.format for info in infos})
    if len(formats) > 1:
        notes.append(f"frames of several formats: {', '.join(formats)}")


def settle_orientation(infos: Sequence[FrameInfo]) -> tuple[list[FrameInfo], list[str]]:
    """Turn frames whose orientation tags differ so that all show one scene.

    Args:
        infos: the frames; nothing is read of them when their tags are equal.

    Returns:
        The frames, and notes for the user.

    Raises:
        InputError: a frame shows the scene of the others neither by its tag nor as they lie.
    """
    if len({info.tag for info in infos}) < 2:
        return list(infos), []
    from panfocus.io.turned import turn_alike  # noqa: PLC0415 - few stacks differ

    return turn_alike(infos)
