"""`scores.csv`: one line per image and system, written after every image, read back to resume."""

from __future__ import annotations

import csv
import io as text_io
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from panfocus import schema
from panfocus.errors import OutputError
from panfocus.io.atomic import cannot_write, write_atomic
from panfocus.io.digest import Ledger
from panfocus.resources.paths import is_there

NAME = "scores.csv"
#: Names of files may hold bytes that are no letters; they come back as they were.
_LETTERS = "surrogateescape"
_FIXED = ("image", "system", "key", "seconds")


@dataclass(frozen=True)
class Row:
    """The scores of one picture.

    Attributes:
        image: name of the sample.
        system: name of the contestant.
        key: hash of the files, the system and the settings that the scores depend on.
        seconds: spent fusing; None for pictures of others.
        scores: by name; what could not be computed is absent.
    """

    image: str
    system: str
    key: str
    seconds: float | None
    scores: dict[str, float]


@dataclass
class Store:
    """The rows of a folder.

    Attributes:
        folder: where the csv lies.
        columns: names of scores.
        rows: by (image, system).
    """

    folder: Path
    columns: list[str]
    rows: dict[tuple[str, str], Row] = field(default_factory=dict[tuple[str, str], Row])

    @classmethod
    def open(cls, folder: Path, columns: list[str]) -> Store:
        """Read what is there.

        Raises:
            OutputError: a csv that this program did not write.
        """
        path = folder / NAME
        store = cls(folder, columns)
        if not is_there(path):
            return store
        try:
            text = schema.read_text(path, errors=_LETTERS)
            reader = csv.DictReader(text_io.StringIO(text, newline=""))
            if (reader.fieldnames or [])[: len(_FIXED)] != [*_FIXED]:
                raise ValueError(f"the columns {reader.fieldnames}")
            for line in reader:
                row = _parse(line)
                store.rows[row.image, row.system] = row
        except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
            raise OutputError(
                "the scores in the output folder were not written by panfocus",
                where=str(path),
                got=_told(error),
                remedy="choose another `out`",
            ) from error
        return store

    def put(self, row: Row) -> None:
        """Add a row and write the csv: what is done stays done if the next image ends it all."""
        self.rows[row.image, row.system] = row
        self.write()

    def write(self) -> None:
        """Write the csv whole, with every column that any row has."""
        names = dict.fromkeys(self.columns)
        for row in self.rows.values():
            names |= dict.fromkeys(row.scores)
        text = text_io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_FIXED, *names])
        for row in self.rows.values():
            seconds = "" if row.seconds is None else f"{row.seconds:.3f}"
            cells = [_cell(row.scores.get(name, math.nan)) for name in names]
            writer.writerow([row.image, row.system, row.key, seconds, *cells])
        data = text.getvalue().encode(errors=_LETTERS)
        write_atomic(self.folder / NAME, [data], overwrite=True)

    def set_aside(self) -> Path | None:
        """Move an existing csv to a free name beside it, and forget its rows."""
        path = self.folder / NAME
        if not is_there(path):
            return None
        number = 1
        while is_there(kept := path.with_name(f"scores-before-{number}.csv")):
            number += 1
        try:
            path.rename(kept)
        except OSError as error:
            raise cannot_write(kept, error) from error
        self.rows.clear()
        return kept


def ledger(folder: Path) -> Ledger:
    """Return what tells the summaries and plots of a folder from files of somebody else's."""
    return Ledger(folder, folder / ".panfocus" / "written.json")


def _cell(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _told(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join((said or type(error).__name__).split())


def _number(cell: object) -> float:
    try:
        return float(cast("str", cell))
    except (TypeError, ValueError):
        raise ValueError(f"{schema.said(cell)} in place of a number") from None


def _parse(line: dict[str, str]) -> Row:
    scores = {
        name: _number(cell)
        for name, cell in line.items()
        if name not in _FIXED and cell  # the reader names surplus cells None: float() refuses
    }
    seconds = _number(line["seconds"]) if line["seconds"] else None
    return Row(line["image"], line["system"], line["key"], seconds, scores)
