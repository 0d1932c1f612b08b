"""From a folder in one of the conventional layouts to samples: frames, and their truth if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from panfocus.errors import DataError
from panfocus.evaluate.layouts import flat, parallel
from panfocus.evaluate.names import is_mask, is_truth, place_of, plain
from panfocus.evaluate.samples import (
    LAYOUTS,
    Dataset,
    ScoredSample,
    by_stem,
    pictures,
    subfolders,
    truth_folder,
)
from panfocus.io.folder import is_result, some
from panfocus.resources.paths import is_folder

_TRUTH_ENDINGS = ("gt", "aif", "truth")

#: How deep folders of datasets may lie.
_DEEPEST = 3


def find_samples(folder: Path) -> Dataset:
    """Find the samples of a dataset; see `LAYOUTS` and docs/evaluate.md.

    Raises:
        DataError: no such folder, or nothing in it that is a sample.
    """
    if not is_folder(folder):
        raise DataError("there is no such folder of data", where=str(folder), expected=LAYOUTS)
    found = _direct(folder) or _nested(folder)
    if not found.samples:
        raise DataError(
            "no focal stack was found",
            where=str(folder),
            expected=LAYOUTS,
            got=f"{len(subfolders(folder))} folders and {len(pictures(folder))} pictures",
            remedy="name the folder that holds A/ and B/, or the folders of the stacks",
        )
    return found


def _direct(folder: Path) -> Dataset:
    return parallel(folder) or flat(folder) or _stacks(folder)


def _nested(folder: Path, deepest: int = _DEEPEST) -> Dataset:
    """Take every folder as a dataset of its own; its name goes before those of its samples."""
    out = Dataset()
    for inner in subfolders(folder):
        if inner.name.endswith("-truth"):
            continue
        found = _direct(inner)
        if not found and deepest > 1:
            found = _nested(inner, deepest - 1)
        out.samples.extend(replace(s, name=f"{inner.name}/{s.name}") for s in found.samples)
        out.problems.extend((f"{inner.name}/{name}", why) for name, why in found.problems)
        out.notes.extend(found.notes)
    return out


def _stacks(folder: Path) -> Dataset:
    """A folder per stack; its truth inside it, beside it, or in ``GT/`` or ``<folder>-truth/``."""
    out = Dataset()
    deeper: list[str] = []
    for inner in subfolders(folder):
        if is_truth(inner.name) or is_mask(inner.name) or inner.name.endswith("-truth"):
            continue
        files = pictures(inner)
        frames = [p for p in files if not _is_apart(p, files)]
        results = [p.name for p in frames if is_result(p)]
        if results:
            frames = [p for p in frames if p.name not in results]
            out.notes.append(f"results of panfocus in {inner} left out: {some(results)}")
        if len(frames) >= 2:
            truth, band = _truth_inside(inner, files), None
            if truth is None:
                truth, band = _truth_beside(folder, inner.name)
            sample = ScoredSample(
                inner.name, tuple(_near_first(frames)), truth, band, is_guess=True
            )
            out.samples.append(sample)
        elif files:
            out.problems.append((inner.name, "a stack needs at least two frames"))
        elif subfolders(inner):
            deeper.append(inner.name)
    if deeper:
        out.notes.append(f"folders of folders beside stacks are left out: {some(deeper)}")
    return out if out.samples else Dataset()


def _near_first(frames: list[Path]) -> list[Path]:
    """Put near before far; all other names are in order already."""
    places = [place_of(path.stem) for path in frames]
    if all(place is not None and place.family == "ends" for place in places):
        ranks = {path: place.rank for path, place in zip(frames, places, strict=True) if place}
        return sorted(frames, key=lambda path: ranks[path])
    return frames


def _is_apart(path: Path, files: Sequence[Path]) -> bool:
    """Whether a picture in a stack's folder is its truth or a mask, by its name."""
    if is_truth(path.stem) or is_mask(path.stem):
        return True
    stems = {plain(one.stem) for one in files}
    return plain(path.stem) == "fusion" and {"imagea", "imageb"} <= stems


def _truth_inside(stack: Path, files: Sequence[Path]) -> Path | None:
    own = next((p for p in files if _is_apart(p, files) and not is_mask(p.stem)), None)
    inner = truth_folder(stack)
    if own is not None or inner is None:
        return own
    within = pictures(inner)
    return within[0] if len(within) == 1 else None


def _truth_beside(folder: Path, name: str) -> tuple[Path | None, Path | None]:
    """Return truth and band of a stack, where they lie out of a fusing tool's sight."""
    beside = by_stem(folder)
    for ending in _TRUTH_ENDINGS:
        for stem in (f"{name}-{ending}", f"{name}_{ending}"):
            if stem in beside:
                return beside[stem], None
    for place in (truth_folder(folder), folder.parent / f"{folder.name}-truth"):
        if place is not None and is_folder(place):
            files = by_stem(place)
            if name in files:
                return files[name], files.get(f"{name}-band")
    return None, None
