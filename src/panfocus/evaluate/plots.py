"""Pictures of an evaluation: every metric by image, and a contact sheet of the worst cases."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.errors import PanfocusError
from panfocus.evaluate.contestants import Contestant
from panfocus.evaluate.figures import new_figure, plain_name, save_figure
from panfocus.evaluate.pictures import read_picture
from panfocus.evaluate.rank_plots import plot_boxes, plot_ranks
from panfocus.evaluate.report import Column
from panfocus.evaluate.run import EvaluationOptions, Outcome, image_path
from panfocus.evaluate.samples import ScoredSample
from panfocus.evaluate.scores import cut_name, square_error
from panfocus.resources.paths import is_there

#: Scores by which cases are called worst, the most trustworthy that was computed first.
_TRUSTED = ("Q_W", "Q_G", "SSIM")
_SIDE = 480
_GAIN = 8


def plot_column(options: EvaluationOptions, column: Column, outcome: Outcome) -> Path:
    """Draw one metric: images along x, one mark per system."""
    images = [sample.name for sample in outcome.dataset.samples]
    figure, axes = new_figure(max(6.0, 2 + 0.3 * len(images)), 4)
    axis = axes[0, 0]
    for system in outcome.systems:
        values = [column.values.get((system, image), math.nan) for image in images]
        heights = [v if math.isfinite(v) else math.nan for v in values]
        axis.plot(
            range(len(images)), heights, "o-", markersize=4, linewidth=0.8, label=plain_name(system)
        )
    axis.set_xticks(
        range(len(images)), [plain_name(name) for name in images], rotation=90, fontsize=7
    )
    axis.set_ylabel(f"{column.name} ({'lower' if column.lower else 'higher'} is better)")
    axis.grid(visible=True, alpha=0.3)
    axis.legend(fontsize=8)
    return save_figure(figure, options, f"plots/{column.name}")


@dataclass(frozen=True)
class Case:
    """One fused picture that scored badly."""

    sample: ScoredSample
    contestant: Contestant
    metric: str
    value: float


def worst_cases(
    options: EvaluationOptions, outcome: Outcome, found: list[Column], count: int
) -> list[Case]:
    """Return the worst pictures, by PSNR where there is a truth, else by Q_W."""
    order = [cut_name(options.cut), *_TRUSTED, *(c.name for c in found)]
    by_name = {c.name: c for c in found}
    chosen = next((by_name[name] for name in order if name in by_name), None)
    if chosen is None:
        return []
    sign = -1 if chosen.lower else 1
    ranked = sorted(chosen.values.items(), key=lambda item: sign * item[1])
    samples = {s.name: s for s in outcome.dataset.samples}
    contestants = {c.name: c for c in outcome.contestants}
    return [
        Case(samples[image], contestants[system], chosen.name, value)
        for (system, image), value in ranked[:count]
    ]


def contact_sheet(options: EvaluationOptions, cases: list[Case]) -> Path:
    """Draw a line per case: first frame, last frame, fused, and the error if it is known."""
    figure, axes = new_figure(14, 2.9 * len(cases), len(cases), 4)
    for row, case in zip(axes, cases, strict=True):
        fused = _fused(options, case)
        cells = [
            ("first frame", read_picture(case.sample.frames[0])),
            ("last frame", read_picture(case.sample.frames[-1])),
            ("fused", fused),
        ]
        if case.sample.truth is not None:
            cells.append((f"|error| x {_GAIN}", _error(fused, read_picture(case.sample.truth))))
        for axis in row:
            axis.set_axis_off()
        for axis, (title, pixels) in zip(row, cells, strict=False):
            axis.imshow(_small(pixels), cmap="gray", vmin=0, vmax=255)
            axis.set_title(title, fontsize=8, loc="left")
        names = ", ".join(plain_name(one.name) for one in (case.sample, case.contestant))
        label = f"{names}: {case.metric} {case.value:.3f}"
        row[0].set_title(f"{label}\nfirst frame", fontsize=8, loc="left")
    return save_figure(figure, replace(options, plot_format="png"), "worst")


def _fused(options: EvaluationOptions, case: Case) -> Pixels:
    """Return the picture that was scored; fusing again is cheaper than keeping all of them."""
    saved = image_path(options.out, case.contestant, case.sample)
    if options.save_images and is_there(saved):
        return read_picture(saved)
    return case.contestant.fused(case.sample).pixels


def _error(fused: Pixels, truth: Pixels) -> Pixels:
    error = np.sqrt(square_error(fused, truth).mean(axis=-1)) * _GAIN
    return np.clip(error, 0, 255).astype(np.uint8)


def _small(pixels: Pixels) -> Pixels:
    scaled = np.rint(pixels.astype(np.float64) * (255 / white(pixels.dtype))).astype(np.uint8)
    share = _SIDE / max(scaled.shape[:2])
    if share >= 1:
        return scaled
    small = cv2.resize(scaled, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def draw(
    options: EvaluationOptions, outcome: Outcome, found: list[Column], worst: int = 6
) -> list[Path]:
    """Write the plots of every metric, and `worst.png`; whatever prevents it is noted.

    Args:
        options: of the run.
        outcome: of the run.
        found: its metrics.
        worst: how many cases the sheet shows.
    """
    files: list[Path] = []
    try:
        for column in found:
            files.append(plot_column(options, column, outcome))
            more = (plot_boxes(options, column, outcome.systems), plot_ranks(options, column))
            files += [path for path in more if path is not None]
        cases = worst_cases(options, outcome, found, worst)
        if cases:
            files.append(contact_sheet(options, cases))
    except PanfocusError as error:  # the scores are worth having without pictures
        outcome.notes.append(f"no plots: {error.text()}")
    return files
