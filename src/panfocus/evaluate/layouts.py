"""Layouts in which names tell the frames of a sample: folders of equal names, or names in one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from panfocus.evaluate.names import (
    OPEN_WORDS,
    Place,
    are_whole,
    is_fused,
    is_mask,
    is_truth,
    place_of,
)
from panfocus.evaluate.samples import (
    Dataset,
    ScoredSample,
    by_stem,
    natural,
    pictures,
    subfolders,
    truth_folder,
)


@dataclass(frozen=True)
class _Columns:
    """Folders of the first, second ... frames of all samples.

    Attributes:
        sides: their names and paths.
        truth: folder of the truths.
        is_guess: the names could be those of stacks as well.
    """

    sides: list[tuple[str, Path]]
    truth: Path | None
    is_guess: bool


def _columns(folder: Path) -> _Columns | None:
    """Return the columns of a dataset, None where the folders' names do not tell of any."""
    inner = subfolders(folder)
    families: dict[tuple[str, str], list[tuple[Place, Path]]] = {}
    for path in inner:
        place = place_of(path.name)
        if place is not None:
            families.setdefault((place.family, place.word), []).append((place, path))
    for (family, word), found in families.items():
        found.sort(key=lambda one: one[0].rank)
        if family == "letters" and not word:
            is_whole = {0, 1} <= {place.rank for place, _ in found}
        else:  # bare numbers are names of stacks
            is_whole = (family, word) != ("numbers", "") and are_whole([p for p, _ in found])
        if not is_whole:
            continue
        is_guess = family == "numbers" and word in OPEN_WORDS
        if is_guess and len(_stack_folders(folder)) > len(found):
            continue  # image1 ... image12: stacks
        truth = truth_folder(folder)
        if truth is None and word in ("image", "img"):  # as Real-MFF has it
            truth = next((path for path in inner if is_fused(path.name)), None)
        return _Columns([(path.name, path) for _, path in found], truth, is_guess)
    return None


def _stack_folders(folder: Path) -> list[Path]:
    """Return the folders that may hold frames, by their names and numbers of pictures."""
    return [
        path
        for path in subfolders(folder)
        if not (is_truth(path.name) or is_fused(path.name) or is_mask(path.name))
        and len(pictures(path)) >= 2
    ]


def parallel(folder: Path) -> Dataset:
    """``A/ B/ [C/ ...] [GT/]`` and the like: equal stems belong together."""
    found = _columns(folder)
    if found is None:
        return Dataset()
    columns = {name: by_stem(path) for name, path in found.sides}
    truths = by_stem(found.truth)
    for side in ("end", "start"):
        if _have_common(columns):
            break
        bare = {name: _bare(files, side) for name, files in columns.items()}
        if _have_common(bare):
            columns, truths = bare, {**_bare(truths, side), **truths}
    out = Dataset()
    stems = {stem for files in columns.values() for stem in files}
    for stem in sorted(stems, key=natural):
        missing = [name for name, files in columns.items() if stem not in files]
        if missing:
            out.problems.append((stem, f"there is no {stem} in {', '.join(missing)}/"))
            continue
        frames = tuple(files[stem] for files in columns.values())
        out.samples.append(ScoredSample(stem, frames, truths.get(stem), is_guess=found.is_guess))
    return out


def _have_common(columns: dict[str, dict[str, Path]]) -> bool:
    first, *others = columns.values()
    return any(all(stem in files for files in others) for stem in first)


def _bare(files: dict[str, Path], side: Literal["start", "end"]) -> dict[str, Path]:
    """Return files by their stems without the word that tells of their column: ``x-A``, ``x-B``.

    None where two would then have the same stem.
    """
    out: dict[str, Path] = {}
    for stem, path in files.items():
        words = re.split("[-_]", stem)
        first, last = (0, -1) if side == "end" else (1, None)
        told = len(words) > 1 and _tells(words[-1 if side == "end" else 0])
        out["_".join(words[first:last]) if told else stem] = path
    return out if len(out) == len(files) else {}


def _tells(word: str) -> bool:
    return place_of(word) is not None or is_truth(word) or is_fused(word)


def _split(stem: str) -> tuple[str, str]:
    """Return what stands before and after the last ``-`` or ``_`` of a stem."""
    match = re.fullmatch(r"(.+)[-_]([^-_]+)", stem)
    return (match[1], match[2]) if match is not None else (stem, "")


@dataclass
class _Set:
    """Files of one name in a folder, by what follows it."""

    places: list[tuple[Place, Path]] = field(default_factory=list[tuple[Place, Path]])
    truth: Path | None = None

    def sort(self) -> None:
        """Put frames in order; a letter F behind A and B is the fused picture (Real-MFF)."""
        self.places.sort(key=lambda one: one[0].rank)
        ranks = [place.rank for place, _ in self.places]
        if self.truth is None and ranks == [0, 1, ord("f") - ord("a")]:
            self.truth = self.places.pop()[1]


def flat(folder: Path) -> Dataset:
    """``name-A.ext name-B.ext [name-GT.ext]`` and the like in one folder, truths also in ``GT/``.

    Numbers, ``name_1 name_2``, only where all pictures have one: frames of a stack have, too.
    """
    groups: dict[str, _Set] = {}
    odd: list[Path] = []
    for path in pictures(folder):
        head, tail = _split(path.stem)
        place = place_of(tail)
        if is_truth(tail):
            groups.setdefault(head, _Set()).truth = path
        elif place is not None and not place.word:
            groups.setdefault(head, _Set()).places.append((place, path))
        elif not is_mask(path.stem) and not is_mask(tail):
            odd.append(path)
    counted = [s for s in groups.values() if s.places and s.places[0][0].family == "numbers"]
    if counted and (odd or not _are_pairs(counted) or _stack_folders(folder)):
        return Dataset()
    return _of_sets(groups, by_stem(truth_folder(folder)))


def _are_pairs(found: Sequence[_Set]) -> bool:
    """Whether numbered files are pairs or triples of many scenes, not the frames of one."""
    sizes = {len(one.places) for one in found}
    return len(sizes) == 1 and (len(found) > 1 or sizes == {2})


def _of_sets(groups: dict[str, _Set], truths: dict[str, Path]) -> Dataset:
    out = Dataset()
    for name in sorted(groups, key=natural):
        files = groups[name]
        files.sort()
        places = [place for place, _ in files.places]
        if not places or (places[0].family == "letters" and places[0].rank > 1):
            continue
        if not are_whole(places):
            out.problems.append((name, _lacking(name, places)))
            continue
        frames = tuple(path for _, path in files.places)
        out.samples.append(ScoredSample(name, frames, files.truth or truths.get(name)))
    # a folder without one whole pair is something else, such as the frames of a stack
    return out if out.samples else Dataset()


def _lacking(name: str, places: Sequence[Place]) -> str:
    ranks = {place.rank for place in places}
    if places[0].family == "letters" and not {0, 1} <= ranks:
        return f"{name}-A and {name}-B are not both there"
    return f"the frames of {name} do not belong together, or one between them is not there"
