"""Where training material lies: pairs, focal stacks and volumes, never anything that is a truth.

These layouts are read, at any depth below the folders given:

* pairs: a folder with ``A/`` and ``B/``, or ``a/`` and ``b/``; files of equal name (but for the
  suffix, and for a last A or B) make a set;
* flat pairs: a folder of ``NN-A`` and ``NN-B``, ``NN_1`` and ``NN_2``, and nothing else;
* stacks: a folder of pictures; all its frames make a set, any two of them a pair;
* files that are stacks themselves: TIFFs of many pages, OME-TIFFs, ImageJ's hyperstacks, OME-Zarr.

Nothing else is opened: a folder or file named like a truth (``GT``, ``truth``, ``mask`` ...,
`panfocus.train.truths`) is passed over, and so is all below it. What carries panfocus's own mark is
a result, and is passed over too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from panfocus.errors import DataError, InputError
from panfocus.io.folder import is_machine_folder, is_result, sift
from panfocus.io.formats import SUFFIXES as READ
from panfocus.io.ome_set import set_files
from panfocus.io.read import look
from panfocus.io.tiff_axes import says_axes
from panfocus.io.volumes.open import (
    is_folder_of_planes,
    is_measured,
    is_ome_tiff,
    is_volume,
    is_zarr,
)
from panfocus.resources.paths import is_file, is_folder, is_there
from panfocus.train import own_data
from panfocus.train.truths import may_be_truth, stem_may_be_truth

#: What `panfocus fuse` reads, and bitmaps, which training has read from the beginning.
SUFFIXES = frozenset([*READ, ".bmp"])
_RAW = frozenset(suffix for suffix, kind in READ.items() if kind == "camera RAW")
_TIFF = frozenset(suffix for suffix, kind in READ.items() if kind == "TIFF")


def find(folders: Sequence[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Yield (name, files) of every set below `folders`; no pixel is read.

    What a reader of the user's own brings (`own_data`) is passed over.

    Args:
        folders: searched with all below them; a file or a Zarr that is a stack itself.

    Raises:
        DataError: one does not exist.
    """
    for folder in folders:
        if own_data.is_own(folder):
            continue
        if not is_there(folder):
            readers = ", ".join(own_data.READERS)
            raise DataError(
                "the data folder does not exist",
                where=str(folder),
                expected="a folder with A/ and B/, or with stacks"
                + (f"; or NAME:WHERE of a reader: {readers}" if readers else ""),
                remedy="check the path given to --data",
            )
        try:
            yield from _find_in(folder)
        except OSError as error:
            raise DataError(
                "a folder of training material cannot be listed",
                where=error.filename or str(folder),
                expected="folders that this user may enter, or a file that is a stack",
                got=error.strerror,
                remedy="leave it out, or mend its permissions",
            ) from error


def _find_in(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    if is_file(folder) or is_zarr(folder) or is_folder_of_planes(folder):
        yield folder.name, [folder]
    else:
        yield from _find_below(folder, frozenset())


def _find_below(folder: Path, above: frozenset[str]) -> Iterator[tuple[str, list[Path]]]:
    """Yield as `find`; `above` are the folders that hold this one, to which a link may lead."""
    above |= {os.path.realpath(folder)}
    sides = {p.name.lower(): p for p in folder.iterdir() if is_folder(p)}
    if {"a", "b"} <= sides.keys():
        for name, pair in _of_two_folders(sides["a"], sides["b"]).items():
            yield f"{folder.name}/{name}", pair
        return
    held = _listed(folder)
    flat = _flat_pairs(held.pictures)
    if flat:
        for name, pair in flat.items():
            yield f"{folder.name}/{name}", pair
    elif len(held.pictures) >= 2:
        yield folder.name, _natural(held.pictures)
    for stack in held.stacks:
        yield f"{folder.name}/{stack.name}", [stack]
    for below in sorted(p for p in folder.iterdir() if is_folder(p)):
        if is_zarr(below) or is_folder_of_planes(below):
            if not stem_may_be_truth(below) and not is_result(below):
                yield f"{folder.name}/{below.name}", [below]
        elif _may_hold(below) and os.path.realpath(below) not in above:
            yield from _find_below(below, above)


def _may_hold(folder: Path) -> bool:
    name = folder.name
    return not (may_be_truth(name) or name.startswith(".") or is_machine_folder(name))


def _of_two_folders(first: Path, second: Path) -> dict[str, list[Path]]:
    """Pair files of equal name, then what is left by names without their last A and B."""
    one, two = ({p.stem: p for p in _pictures(folder)} for folder in (first, second))
    found = {name: [one[name], two[name]] for name in one if name in two}
    left, right = (
        {
            _paired(p)[0]: p
            for name, p in side.items()
            if name not in found and _paired(p)[1] == mark
        }
        for side, mark in ((one, "a"), (two, "b"))
    )
    return found | {name: [left[name], right[name]] for name in left if name in right}


def _paired(path: Path) -> tuple[str, str]:
    """Split a stem like ``03-A`` or ``03_1`` into its name and side; ("", "") for others."""
    match = re.fullmatch(r"(.+?)[-_ ]?([abAB])|(.+)[-_ ]([12])", path.stem)
    if match is None:
        return "", ""
    name, letter, other, digit = match.groups()
    return (name, letter.lower()) if letter else (other, digit)


def _flat_pairs(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the pairs of a folder that holds nothing else, by name; nothing if it holds more.

    One pair alone may as well be a stack of two frames, which is the same.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in files:
        name, side = _paired(path)
        found.setdefault(name, {})[side] = path
    whole = [set(sides) in ({"a", "b"}, {"1", "2"}) for sides in found.values()]
    if len(found) < 2 or not all(whole) or 2 * len(found) != len(files):
        return {}
    return {name: [sides[k] for k in sorted(sides)] for name, sides in found.items()}


@dataclass(frozen=True)
class _Listed:
    """Pictures of a folder, and files in it that are stacks themselves."""

    pictures: list[Path]
    stacks: list[Path]


def _listed(folder: Path) -> _Listed:
    pictures: list[Path] = []
    stacks: list[Path] = []
    parts: set[Path] = set()  # of an OME-TIFF in several files, which its first one opens
    for path in _pictures(folder):
        if path in parts:
            continue
        if _is_stack(path):
            stacks.append(path)
            parts.update(set_files(path))
        else:
            pictures.append(path)
    return _Listed([p for p in pictures if p not in parts], stacks)


def _is_stack(path: Path) -> bool:
    if path.suffix.lower() not in _TIFF:
        return False
    if is_ome_tiff(path) and not says_axes(path):  # one plane of a set of files is a frame
        return _count(path) > 1
    return is_volume(path) or is_measured(path) or _count(path) > 1


def _count(path: Path) -> int:
    with suppress(InputError):  # who reads it will say what is wrong with it
        return len(look(path)[1])
    return 1


def _pictures(folder: Path) -> list[Path]:
    """List pictures in a folder that are frames by their names and marks."""
    files = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    mine = sorted(p for p in files if not p.name.startswith(".") and not stem_may_be_truth(p))
    frames, _ = sift(mine, str(folder))
    # cameras write both: one frame must not come in twice
    developed = [p for p in frames if p.suffix.lower() not in _RAW]
    return developed or frames


def _natural(paths: Iterable[Path]) -> list[Path]:
    """Sort as people count, 2 before 10: frames that follow one another are compared."""
    from natsort import natsort_keygen, ns  # noqa: PLC0415  slow to import

    key: Callable[[str], object] = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)
    return sorted(paths, key=lambda p: (key(str(p)), str(p)))
