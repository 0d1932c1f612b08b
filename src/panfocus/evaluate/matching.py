"""Which of other people's pictures belongs to which sample: by a list, by name, number or order.

One way is taken for all samples: the first by which every one of them is found. A picture that is
found by less than its name is told of, since a wrong pair would score as a bad one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from panfocus import schema
from panfocus.errors import DataError, PanfocusError
from panfocus.evaluate.pictures import find_result
from panfocus.evaluate.samples import pictures
from panfocus.resources.paths import is_file, is_folder

#: Name of a list in a folder, and its columns.
LIST = "results.csv"
_COLUMNS = ("image", "file")
_DIGITS = re.compile(r"\d+")
_NAMED_IN_NOTES = 3

Found = Mapping[str, Path]


@dataclass(frozen=True)
class Matched:
    """Pictures of samples.

    Attributes:
        files: by the samples' names; those that are missing were not found.
        note: by what they were found, where that was less than their names.
    """

    files: Found
    note: str | None = None


def match_results(place: Path, samples: Sequence[str]) -> Matched:
    """Find the picture of every sample.

    Args:
        place: a folder of pictures, or a list of them: a csv with the columns image and file.
        samples: names of samples; one ``kind/name`` is looked for in ``kind/`` first.

    Raises:
        DataError: a list that is none, or that names a file that is not there.
    """
    told = place if place.suffix.lower() == ".csv" else place / LIST
    if is_file(told):
        return Matched(_listed(told))
    by_name = dict(_by_name(place, samples))
    if by_name:  # those that are missing are missing
        return Matched(by_name)
    for way, words in _WAYS.items():
        found = way(place, samples)
        if len(found) == len(samples):
            named = list(found.items())[:_NAMED_IN_NOTES]
            shown = ", ".join(f"{path.name} for {name}" for name, path in named)
            more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
            return Matched(found, f"results in {place} taken {words}: {shown}{more}")
    return Matched({})


def _listed(path: Path) -> Found:
    """Return the pictures of a list; files are told from where it lies."""
    try:
        text = schema.read_text(path)
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            "a list of results cannot be read", where=str(path), got=str(error)
        ) from error
    if not rows or not set(_COLUMNS) <= set(rows[0]):
        raise DataError(
            "a list of results has other columns",
            where=str(path),
            expected=" and ".join(_COLUMNS),
            got=", ".join(rows[0]) if rows else "no lines",
        )
    found: dict[str, Path] = {}
    for number, row in enumerate(rows, 2):
        file = path.parent / (row["file"] or "")
        if not row["image"] or not is_file(file) or row["image"] in found:
            raise DataError(
                "a line of a list of results names no picture of its own",
                where=f"{path}, line {number}",
                expected="a sample once, and a file that is there",
                got=f"{row['image']}, {row['file']}",
            )
        found[row["image"]] = file
    return found


def _by_name(place: Path, samples: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for name in samples:
        try:
            yield name, find_result(place, name)
        except PanfocusError:
            continue


def _by_part(place: Path, samples: Sequence[str]) -> Found:
    """Find names that stand in those of the pictures, such as ``lytro-01`` in ``lytro-01_drpl``."""
    found: dict[str, Path] = {}
    for parent, names in _by_folder(samples).items():
        files = _files(place, parent)
        for name, stem in names.items():
            whole = re.compile(rf"(?<![^\W_]){re.escape(stem)}(?![^\W_])")
            fitting = [path for path in files if whole.search(path.stem)]
            if len(fitting) == 1:
                found[name] = fitting[0]
    return found if len(set(found.values())) == len(found) else {}


def _by_number(place: Path, samples: Sequence[str]) -> Found:
    """Find the numbers in which names differ, such as ``lytro-01`` and ``1``."""
    found: dict[str, Path] = {}
    for parent, names in _by_folder(samples).items():
        files = _files(place, parent)
        wanted = _numbers([*names.values()])
        there = dict(zip(_numbers([path.stem for path in files]) or (), files, strict=False))
        if wanted is None or not there:
            return {}
        pairs = zip(names, wanted, strict=True)
        found |= {name: there[number] for name, number in pairs if number in there}
    return found


def _by_order(place: Path, samples: Sequence[str]) -> Found:
    """Find as many pictures as samples, in natural order."""
    found: dict[str, Path] = {}
    for parent, names in _by_folder(samples).items():
        files = _files(place, parent)
        if len(files) != len(names):
            return {}
        found |= dict(zip(names, files, strict=True))
    return found


_WAYS: Mapping[Callable[[Path, Sequence[str]], Found], str] = {
    _by_part: "by the samples' names in theirs",
    _by_number: "by their numbers",
    _by_order: "in natural order, as there are as many as samples",
}


def _by_folder(samples: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the samples of every folder: name to stem."""
    out: dict[str, dict[str, str]] = {}
    for name in samples:
        parent, _, stem = name.rpartition("/")
        out.setdefault(parent, {})[name] = stem
    return out


def _files(place: Path, parent: str) -> list[Path]:
    folder = place / parent
    return pictures(folder if is_folder(folder) else place)


def _numbers(stems: Sequence[str]) -> list[int] | None:
    """Return the one number of every stem that tells it from all others; None where none does."""
    found = [[int(n) for n in _DIGITS.findall(stem)] for stem in stems]
    fewest = min(map(len, found), default=0)
    # from the end: what is counted stands there, and years and sizes before it
    columns = [[numbers[-k] for numbers in found] for k in range(1, fewest + 1)]
    return next((column for column in columns if len(set(column)) == len(column)), None)
