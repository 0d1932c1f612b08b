"""From a folder in one of the conventional layouts to samples: frames, and their truth if any."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from natsort import natsort_keygen, ns

from panfocus.errors import DataError
from panfocus.io.read import SUFFIXES

_TRUTH_FOLDERS = ("gt", "aif", "truth")
_TRUTH_STEMS = ("gt", "aif", "truth", "all-in-focus", "all_in_focus")
_LETTERED = re.compile(r"(?P<name>.+)[-_](?P<letter>[A-Za-z]|gt|aif|truth)", re.IGNORECASE)
_natural = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)

LAYOUTS = (
    "A/ B/ [C/ ...] [GT/] with equal file names, name-A.png name-B.png ... in one folder, "
    "a folder per stack, or a folder of such folders"
)


@dataclass(frozen=True)
class Sample:
    """One focal stack to be fused.

    Attributes:
        name: of the sample, unique in its dataset.
        frames: files in focus order.
        truth: the picture that is sharp everywhere, if there is one.
        band: a mask of where fusion is hard, if there is one; white counts.
    """

    name: str
    frames: tuple[Path, ...]
    truth: Path | None = None
    band: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All files that a score depends on."""
        return [*self.frames, *(p for p in (self.truth, self.band) if p is not None)]


@dataclass(frozen=True)
class Dataset:
    """What was found in a folder.

    Attributes:
        samples: in natural order of their names.
        problems: name and reason of what looks like a sample and cannot be one.
    """

    samples: list[Sample] = field(default_factory=list[Sample])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def __bool__(self) -> bool:
        return bool(self.samples or self.problems)


def find_samples(folder: Path) -> Dataset:
    """Find the samples of a dataset; see `LAYOUTS` and docs/evaluate.md.

    Raises:
        DataError: no such folder, or nothing in it that is a sample.
    """
    if not folder.is_dir():
        raise DataError("There is no such folder of data.", where=str(folder), expected=LAYOUTS)
    found = _direct(folder) or _nested(folder)
    if not found.samples:
        raise DataError(
            "No focal stack was found.",
            where=str(folder),
            expected=LAYOUTS,
            got=f"{len(subfolders(folder))} folders and {len(pictures(folder))} pictures",
            remedy="name the folder that holds A/ and B/, or the folders of the stacks",
        )
    return found


def pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder, in natural order."""
    files = (p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    return _sorted(p for p in files if p.suffix.lower() in SUFFIXES)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in natural order."""
    return _sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda p: (_natural(str(p)), str(p)))


def _direct(folder: Path) -> Dataset:
    return _parallel(folder) or _lettered(folder) or _stacks(folder)


def _nested(folder: Path) -> Dataset:
    """Take every folder as a dataset of its own; its name goes before those of its samples."""
    out = Dataset()
    for inner in subfolders(folder):
        if inner.name.endswith("-truth"):
            continue
        found = _direct(inner)
        out.samples.extend(replace(s, name=f"{inner.name}/{s.name}") for s in found.samples)
        out.problems.extend((f"{inner.name}/{name}", why) for name, why in found.problems)
    return out


def _by_stem(folder: Path | None) -> dict[str, Path]:
    return {} if folder is None else {path.stem: path for path in pictures(folder)}


def _truth_folder(folder: Path) -> Path | None:
    return next((p for p in subfolders(folder) if p.name.lower() in _TRUTH_FOLDERS), None)


def _parallel(folder: Path) -> Dataset:
    """``A/ B/ [C/ ...] [GT/]``: equal stems belong together."""
    sides = {p.name.upper(): p for p in subfolders(folder) if len(p.name) == 1}
    if not {"A", "B"} <= sides.keys():
        return Dataset()
    columns = {letter: _by_stem(sides[letter]) for letter in sorted(sides)}
    truths = _by_stem(_truth_folder(folder))
    out = Dataset()
    stems = {stem for files in columns.values() for stem in files}
    for stem in sorted(stems, key=_natural):
        missing = [letter for letter, files in columns.items() if stem not in files]
        if missing:
            out.problems.append((stem, f"there is no {stem} in {', '.join(missing)}/"))
            continue
        frames = tuple(files[stem] for files in columns.values())
        out.samples.append(Sample(stem, frames, truths.get(stem)))
    return out


def _lettered(folder: Path) -> Dataset:
    """``name-A.ext name-B.ext [name-GT.ext]`` in one folder, the truth also in ``GT/``."""
    groups: dict[str, dict[str, Path]] = {}
    for path in pictures(folder):
        match = _LETTERED.fullmatch(path.stem)
        if match is not None:
            groups.setdefault(match["name"], {})[match["letter"].lower()] = path
    truths = _by_stem(_truth_folder(folder))
    out = Dataset()
    for name in sorted(groups, key=_natural):
        files = groups[name]
        truth = next((files[t] for t in _TRUTH_FOLDERS if t in files), truths.get(name))
        letters = sorted(letter for letter in files if len(letter) == 1)
        if not {"a", "b"} & set(letters):
            continue
        if letters[:2] != ["a", "b"]:
            out.problems.append((name, f"{name}-A and {name}-B are not both there"))
            continue
        out.samples.append(Sample(name, tuple(files[letter] for letter in letters), truth))
    # a folder without one whole pair is something else, such as the frames of a stack
    return out if out.samples else Dataset()


def _stacks(folder: Path) -> Dataset:
    """A folder per stack; its truth inside it, beside it, or in ``GT/`` or ``<folder>-truth/``."""
    out = Dataset()
    for inner in subfolders(folder):
        if inner.name.lower() in _TRUTH_FOLDERS or inner.name.endswith("-truth"):
            continue
        files = pictures(inner)
        frames = [p for p in files if p.stem.lower() not in _TRUTH_STEMS]
        if len(frames) >= 2:
            truth, band = _truth_inside(inner, files), None
            if truth is None:
                truth, band = _truth_beside(folder, inner.name)
            out.samples.append(Sample(inner.name, tuple(frames), truth, band))
        elif files:
            out.problems.append((inner.name, "a stack needs at least two frames"))
    return out if out.samples else Dataset()


def _truth_inside(stack: Path, files: Sequence[Path]) -> Path | None:
    own = next((p for p in files if p.stem.lower() in _TRUTH_STEMS), None)
    inner = _truth_folder(stack)
    if own is not None or inner is None:
        return own
    within = pictures(inner)
    return within[0] if len(within) == 1 else None


def _truth_beside(folder: Path, name: str) -> tuple[Path | None, Path | None]:
    """Return truth and band of a stack, where they lie out of a fusing tool's sight."""
    beside = _by_stem(folder)
    for ending in _TRUTH_FOLDERS:
        for stem in (f"{name}-{ending}", f"{name}_{ending}"):
            if stem in beside:
                return beside[stem], None
    for place in (_truth_folder(folder), folder.with_name(f"{folder.name}-truth")):
        if place is not None and place.is_dir():
            files = _by_stem(place)
            if name in files:
                return files[name], files.get(f"{name}-band")
    return None, None
