"""An `evaluate` run that is open: pictures of all systems, difference to truth, metrics."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from panfocus import schema
from panfocus.arrays.types import Pixels
from panfocus.errors import InputError, PanfocusError, UsageError
from panfocus.evaluate.datasets import find_samples
from panfocus.evaluate.pictures import read_picture
from panfocus.evaluate.samples import ScoredSample
from panfocus.evaluate.scores import PSNR_RGB, Wanted, better_is_lower, score, square_error
from panfocus.evaluate.store import NAME as SCORES
from panfocus.evaluate.store import Row, Store
from panfocus.metrics import METRICS
from panfocus.web.pictures import ArrayPicture, DifferencePicture
from panfocus.web.places import Places
from panfocus.web.pyramids import Viewable
from panfocus.web.scales import ColourScale

_NAME = re.compile(r"(truth|frame|system|difference)-(\d{1,6})-(\d{1,4})")
#: Difference, as a share of white, that takes the last colour.
_MOST = 0.1
#: Pixels of a part that is scored by all metrics of a run, and its shorter side.
_MOST_SCORED = 400_000
_LEAST_SCORED = 32
_MOST_SUMMARY = 64 * 2**20


@dataclass(frozen=True)
class _Shown:
    """A sample with what can be shown of it."""

    name: str
    fused: dict[str, Path]
    files: ScoredSample | None


def is_evaluation(folder: Path) -> bool:
    """Whether a folder is what `panfocus evaluate` has written."""
    return (folder / SCORES).is_file() and (folder / "summary.json").is_file()


class OpenEvaluation:
    """An evaluation's folder.

    Args:
        folder: that `panfocus evaluate` has written, with ``--save-images``.
        places: that may be read; frames and truth are shown if they lie there.

    Raises:
        InputError: it holds no scores, or no pictures.
    """

    def __init__(self, folder: Path, places: Places) -> None:
        self.id = secrets.token_hex(6)
        self.title = folder.name
        self.inputs = [folder]
        self.key = self.id
        self._folder = folder
        self._places = places
        self.notes: list[str] = []
        self._rows = _rows(folder)
        self.systems = list(dict.fromkeys(row.system for row in self._rows))
        self._samples = self._look()
        if not any(shown.fused for shown in self._samples):
            raise InputError(
                "the evaluation has no pictures to be compared",
                where=str(folder),
                expected="a folder `fused` with a picture for each system",
                remedy="run `panfocus evaluate` again with --save-images",
            )

    def _look(self) -> list[_Shown]:
        files = {sample.name: sample for sample in self._data()}
        out: list[_Shown] = []
        for name in dict.fromkeys(row.image for row in self._rows):
            paths = {s: self._folder / "fused" / s / f"{name}.png" for s in self.systems}
            there = {s: p for s, p in paths.items() if p.is_file() and self._places.allows(p)}
            out.append(_Shown(name, there, files.get(name)))
        return out

    def _data(self) -> list[ScoredSample]:
        """Return the samples, if their folder may be read: a summary is no permission."""
        path = self._folder / "summary.json"
        try:
            told = str(schema.record(schema.read(path, _MOST_SUMMARY))["data"])
        except (OSError, ValueError, KeyError):
            return []
        data = self._named(Path(told))
        if data is None:
            self.notes.append(
                f"frames and truth lie in {told}; name that folder, too, to see them: "
                f"panfocus view {self._folder} {told}"
            )
            return []
        with suppress(PanfocusError):
            return [s for s in find_samples(data).samples if self._may(s)]
        return []

    def _named(self, told: Path) -> Path | None:
        """Return the folder of the data, if it may be read.

        A summary names it as the command did that made it, which may have run in another folder
        than the page does: then it is one of those that were named for the page.
        """
        if self._places.allows(told):
            return told
        parts = () if told.is_absolute() else told.parts
        tails = (folder for folder in self._places.given if folder.parts[-len(parts) :] == parts)
        return next(tails, None) if parts else None

    def _may(self, sample: ScoredSample) -> bool:
        return all(self._places.allows(path) for path in sample.files)

    def _sample(self, number: int) -> _Shown:
        if number >= len(self._samples):
            raise UsageError("there is no such sample", got=str(number))
        return self._samples[number]

    def _reader(self, kind: str, number: int, which: int) -> Callable[[], Pixels]:
        shown = self._sample(number)
        path: Path | None = None
        if kind == "truth" and shown.files is not None:
            path = shown.files.truth
        elif kind == "frame" and shown.files is not None and which < len(shown.files.frames):
            path = shown.files.frames[which]
        elif kind == "system" and which < len(self.systems):
            path = shown.fused.get(self.systems[which])
        if path is None:
            raise UsageError("there is no such picture", got=f"{kind} {number} {which}")
        return partial(_read, path)

    def picture(self, name: str) -> Viewable:
        """Return what an address names, such as ``system-3-0`` or ``difference-3-0``.

        Raises:
            UsageError: there is none of that name.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise UsageError("there is no such picture", got=name[:40])
        kind, number, which = found[1], int(found[2]), int(found[3])
        key = f"{self.id}/{name}"
        if kind != "difference":
            return ArrayPicture(key, self._reader(kind, number, which)())
        one, other = self._reader("system", number, which), self._reader("truth", number, 0)
        height, width = one().shape[:2]
        if other().shape != one().shape:
            raise UsageError("picture and truth differ in size", got=name[:40])
        return DifferencePicture(key, one, other, height, width, difference_scale())

    def scores_in(self, number: int, box: tuple[int, int, int, int]) -> dict[str, float | None]:
        """Return each system's PSNR in dB within left, top, width, height of a sample.

        Raises:
            UsageError: the sample has no truth that can be read, or the part is too small.
        """
        left, top, width, height = box
        part = (slice(top, top + height), slice(left, left + width))
        truth = self._reader("truth", number, 0)()[part]
        if min(truth.shape[:2]) < 8:
            raise UsageError("this part of the picture is too small to be scored")
        out: dict[str, float | None] = {}
        for which, system in enumerate(self.systems):
            if system in self._sample(number).fused:
                fused = self._reader("system", number, which)()[part]
                value = _psnr(fused, truth) if fused.shape == truth.shape else None
                out[system] = None if value is None else round(value, 2)
        return out

    def metrics_in(
        self, number: int, box: tuple[int, int, int, int]
    ) -> dict[str, dict[str, float | None]]:
        """Return each system's scores by the metrics of the run within a part of a sample.

        Those that need frames or a truth that cannot be read are left out.

        Raises:
            UsageError: the part is too small, or larger than is scored while somebody looks.
            InputError: a metric cannot be computed there.
        """
        left, top, width, height = box
        if width * height > _MOST_SCORED or min(width, height) < _LEAST_SCORED:
            raise UsageError("this part of the picture is too large or too small to be scored")
        part = (slice(top, top + height), slice(left, left + width))
        shown = self._sample(number)
        count = 0 if shown.files is None else len(shown.files.frames)
        frames = [self._reader("frame", number, n)()[part] for n in range(count)]
        has_truth = shown.files is not None and shown.files.truth is not None
        truth = self._reader("truth", number, 0)()[part] if has_truth else None
        names = tuple(n for n in self._metrics() if n in METRICS)
        out: dict[str, dict[str, float | None]] = {}
        for which, system in enumerate(self.systems):
            if system not in shown.fused:
                continue
            fused = self._reader("system", number, which)()[part]
            found = score(frames, fused, truth, None, Wanted(names, cut=0)) if names else {}
            out[system] = {k: v if math.isfinite(v) else None for k, v in found.items()}
            if truth is not None:
                out[system][PSNR_RGB] = _psnr(fused, truth)
        return out

    def _metrics(self) -> list[str]:
        return list(dict.fromkeys(name for row in self._rows for name in row.scores))

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        names = self._metrics()
        scores = {(row.image, row.system): row.scores for row in self._rows}
        return {
            "id": self.id,
            "title": self.title,
            "kind": "evaluation",
            "systems": self.systems,
            "metrics": [{"name": n, "lower": better_is_lower(n)} for n in names],
            "difference": difference_scale().facts(),
            "notes": self.notes,
            "samples": [self._told(shown, scores) for shown in self._samples],
        }

    def _told(self, shown: _Shown, scores: dict[tuple[str, str], dict[str, float]]) -> Any:  # noqa: ANN401
        files = shown.files
        return {
            "name": shown.name,
            "systems": [s in shown.fused for s in self.systems],
            "truth": files is not None and files.truth is not None,
            "frames": 0 if files is None else len(files.frames),
            "scores": {
                system: {
                    name: value if math.isfinite(value) else None
                    for name, value in scores.get((shown.name, system), {}).items()
                }
                for system in self.systems
            },
        }

    def size(self, number: int) -> tuple[int, int]:
        """Return height and width of a sample's pictures."""
        for which, system in enumerate(self.systems):
            if system in self._sample(number).fused:
                height, width = self._reader("system", number, which)().shape[:2]
                return height, width
        raise UsageError("this sample has no pictures", got=str(number))

    def close(self) -> None:
        """Nothing is held."""


def _psnr(fused: Pixels, truth: Pixels) -> float | None:
    """Return decibels over all colours, as the tables of a run have them; None where equal."""
    error = float(np.mean(square_error(fused, truth)))
    return 10 * math.log10(255**2 / error) if error > 0 else None


def difference_scale() -> ColourScale:
    """Return how differences become colours."""
    return ColourScale(0.0, _MOST, "", "inferno")


def _rows(folder: Path) -> list[Row]:
    try:
        return list(Store.open(folder, []).rows.values())
    except PanfocusError as error:
        raise InputError(error.what, where=error.where, got=error.got) from error


@lru_cache(maxsize=12)
def _read(path: Path) -> Pixels:
    pixels = read_picture(path)
    pixels.flags.writeable = False
    return np.asarray(pixels)
