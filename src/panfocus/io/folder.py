"""Which entries of a folder, or matches of a pattern, are frames, and which are something else.

What is left out is told in one line, since a frame that is missing, or a result taken for one,
would change the stack unseen.
"""

from __future__ import annotations

import re
import stat
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from panfocus.io.formats import SUFFIXES
from panfocus.io.ifd import Block, DirectoryError, Tag, read_directory, read_header
from panfocus.resources.paths import is_link
from panfocus.resources.wording import counted

#: Folders that machines make beside pictures: thumbnails, previews, bins. Synology, macOS, QNAP,
#: Windows, Linux, Capture One.
MACHINE_FOLDERS = frozenset({
    "@eadir", "__macosx", "#recycle", "@recycle", "@recently-snapshot", "$recycle.bin",
    "system volume information", "lost+found", "captureone", ".thumbnails",
})  # fmt: skip
#: Endings of folders that programs keep pictures of their own in: Lightroom, Apple.
_MACHINE_ENDINGS = (".lrdata", ".lrcat-data", ".photoslibrary", ".aplibrary", ".cocatalog")
_MAP = re.compile(r"(?P<picture>.+)_(?:depth|index|confidence)", re.IGNORECASE)
#: Formats that panfocus writes.
_MARKED = ("JPEG", "PNG", "TIFF", "WebP", "GIF", "PSD")
_FLOAT = 3
_NAMED_IN_NOTES = 5


def some(names: Sequence[str]) -> str:
    """Join the first few names; say how many more there are."""
    more = len(names) - _NAMED_IN_NOTES
    tail = [f"and {more} more"] if more > 0 else []
    return ", ".join([*names[:_NAMED_IN_NOTES], *tail])


def is_machine_folder(name: str) -> bool:
    """Whether a folder of this name holds nothing that its user has put there."""
    folded = name.lower()
    return folded in MACHINE_FOLDERS or folded.endswith(_MACHINE_ENDINGS)


def is_result(path: Path) -> bool:
    """Whether panfocus has made a file or folder, as its mark says."""
    from panfocus.io.provenance import is_made_by_panfocus  # noqa: PLC0415  not needed for a few

    return is_made_by_panfocus(path)


def what_else(path: Path) -> str | None:
    """Return what an entry is that is no file, in words; None for a file."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return "a broken link" if is_link(path) else "not to be looked at"
    if stat.S_ISREG(mode):
        return None
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((words for test, words in kinds if test(mode)), "a device")


def what_waits(path: Path) -> str | None:
    """Return what an entry is that whoever opens it may wait for without end, in words, or None."""
    what = what_else(path)
    return what if what in ("a pipe", "a socket", "a device") else None


def sift(
    paths: Iterable[Path], where: str, below: Path | None = None
) -> tuple[list[Path], list[str]]:
    """Take out what is named like a picture and is no frame.

    Args:
        paths: entries of a folder, or matches of a pattern; hidden ones have gone before.
        where: the folder or pattern, for notes.
        below: folder whose own folders may be a machine's; None if all paths lie in one folder.

    Returns:
        The other files, in the order given, and a note for every kind of thing left out.
    """
    notes: list[str] = []
    files: list[Path] = []
    odd: list[str] = []
    hidden = 0
    for path in paths:
        what = what_else(path)
        folders = path.relative_to(below).parts[:-1] if below is not None else ()
        if any(is_machine_folder(name) for name in folders):
            hidden += what is None
        elif what is None:
            files.append(path)
        elif path.suffix.lower() in SUFFIXES:
            odd.append(f"{path.name} ({what})")
    maps = _maps(files)
    results = [p for p in files if p not in maps and _is_picture(p) and is_result(p)]
    if odd:
        notes.append(f"no frames in {where}, left out: {some(odd)}")
    if hidden:
        notes.append(
            f"{counted(hidden, 'file')} in folders of thumbnails and the like left out of {where}"
        )
    for kind, found in (("map", maps), ("result", results)):
        if found:
            names = some([path.name for path in found])
            notes.append(
                f"{counted(len(found), kind)} of an earlier run in {where} left out: {names}; "
                "name files one by one to fuse them"
            )
    gone = {*maps, *results}
    return [path for path in files if path not in gone], notes


def of_one_kind(
    pictures: Sequence[Path], where: str, *, prefer_raw: bool = False
) -> tuple[list[Path], list[str]]:
    """Take one kind of file out of a folder that holds several: no frame may come in twice.

    Photographs go before camera RAWs, as cameras write both; then layered pictures, GIFs and
    films, which may show the same stack once more.

    Args:
        pictures: files of a folder.
        where: the folder, for notes.
        prefer_raw: let camera RAWs go first.

    Returns:
        The files of one kind, in the order given, and a note for every kind left out.
    """
    ranks = {
        "camera RAW": -1 if prefer_raw else 1,
        "PSD": 2,
        "GIF": 3,
        "video": 4,
    }
    kinds = [SUFFIXES[path.suffix.lower()] for path in pictures]
    first = min((ranks.get(kind, 0) for kind in kinds), default=0)
    taken = [p for p, kind in zip(pictures, kinds, strict=True) if ranks.get(kind, 0) == first]
    left = Counter(
        kind if kind in ranks else "other" for kind in kinds if ranks.get(kind, 0) != first
    )
    beside = "camera RAWs" if prefer_raw and first < 0 else "other pictures"
    return taken, [
        f"{counted(count, f'{kind} file')} beside {beside} in {where} left out"
        for kind, count in left.items()
    ]


def _is_picture(path: Path) -> bool:
    return SUFFIXES.get(path.suffix.lower()) in _MARKED


def _maps(files: Sequence[Path]) -> list[Path]:
    """Return what is a map by its name and kind: floats, or beside the picture that it is of."""
    stems = {path.stem.lower() for path in files}
    out: list[Path] = []
    for path in files:
        match = _MAP.fullmatch(path.stem)
        if match is None or path.suffix.lower() not in (".tif", ".tiff", ".png"):
            continue
        # a telephone writes depth beside every frame: then the pictures are frames all the same
        is_beside = match["picture"].lower() in stems
        if is_result(path) or _is_float_tiff(path) or (is_beside and _is_wide_grey(path)):
            out.append(path)
    return out


def _first_directory(path: Path) -> Block | None:
    try:
        with path.open("rb") as file:
            layout, offset = read_header(file)
            return Block(layout.order, read_directory(file, layout, offset)[0])
    except (OSError, DirectoryError, ValueError, struct.error):
        return None


def _is_float_tiff(path: Path) -> bool:
    block = None if path.suffix.lower() == ".png" else _first_directory(path)
    return block is not None and block.number(Tag.SAMPLE_FORMAT, 1) == _FLOAT


def _is_wide_grey(path: Path) -> bool:
    """Whether a TIFF or PNG is grey with 16 bits and no opacity, as index maps are."""
    if path.suffix.lower() == ".png":
        try:
            with path.open("rb") as file:
                head = file.read(26)
        except OSError:
            return False
        return head[24:26] == b"\x10\x00"  # of IHDR: bits, and colour type grey
    block = _first_directory(path)
    if block is None:
        return False
    return block.number(Tag.BITS, 1) == 16 and block.number(Tag.SAMPLES, 1) == 1
