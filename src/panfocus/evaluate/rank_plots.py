"""How systems compare over all images: boxes of their values, and a diagram of mean ranks.

The diagram is that of Demsar (JMLR 7, 2006): systems stand at their mean ranks, and a bar joins
those among which no two differ; whether two differ is asked, as Benavoli, Corani and Mangili
advise (JMLR 17, 2016), by Wilcoxon's signed-rank test with Holm's correction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from panfocus.evaluate.figures import new_figure, plain_name, save_figure
from panfocus.evaluate.report import Column
from panfocus.evaluate.run import EvaluationOptions
from panfocus.evaluate.statistics import LEVEL, Test


def plot_boxes(options: EvaluationOptions, column: Column, systems: Sequence[str]) -> Path | None:
    """Draw median, quartiles, whiskers of 1.5 times their distance, and outliers of each system.

    Returns:
        The file; None where fewer than three images have a finite value.
    """
    values = {
        system: [v for (s, _), v in column.values.items() if s == system and math.isfinite(v)]
        for system in systems
    }
    shown = {system: found for system, found in values.items() if len(found) >= 3}
    if not shown:
        return None
    figure, axes = new_figure(5.5, 1.0 + 0.45 * len(shown))
    axis = axes[0, 0]
    names = [plain_name(system) for system in shown]
    drawn = axis.boxplot(
        [*shown.values()][::-1], orientation="horizontal", tick_labels=names[::-1], widths=0.6
    )
    for median in drawn["medians"]:
        median.set(color="#b5342b", linewidth=1.8)
    axis.set_xlabel(f"{column.name} ({'lower' if column.lower else 'higher'} is better)")
    axis.grid(visible=True, axis="x", alpha=0.3)
    return save_figure(figure, options, f"plots/{column.name}-boxes")


def plot_ranks(options: EvaluationOptions, column: Column) -> Path | None:
    """Draw the mean ranks of a metric, the best on the right.

    Returns:
        The file; None with fewer than two systems that have images in common, or without tests.
    """
    if len(column.ranks) < 2 or not column.tests:
        return None
    ordered = sorted(column.ranks, key=lambda system: column.ranks[system])
    groups = alike(ordered, column.tests)
    half = -(-len(ordered) // 2)
    figure, axes = new_figure(6.5, 0.9 + 0.26 * half + 0.14 * len(groups))
    axis = axes[0, 0]
    low = 1.1 + 0.28 * len(groups)
    _scale(axis, len(ordered))
    for number, (first, last) in enumerate(groups):
        y = -0.35 - 0.28 * number
        ends = [column.ranks[ordered[first]] - 0.03, column.ranks[ordered[last]] + 0.03]
        axis.plot(ends, [y, y], color="#b5342b", linewidth=4, solid_capstyle="round")
    _labels(axis, column.ranks, ordered, low)
    axis.set_ylim(-low - 0.6 * half, 1.1)
    axis.set_xlim(len(ordered) + 0.9, 0.1)  # the best on the right
    axis.set_title(f"{column.name}: mean rank; joined where none differs", fontsize=9, loc="left")
    axis.set_axis_off()
    return save_figure(figure, options, f"plots/{column.name}-ranks")


def _scale(axis: Any, count: int) -> None:  # noqa: ANN401  an extra
    """Draw the line of ranks from 1 to their number."""
    axis.plot([1, count], [0, 0], color="black", linewidth=1)
    for rank in range(1, count + 1):
        axis.plot([rank, rank], [0, 0.2], color="black", linewidth=1)
        axis.text(rank, 0.3, str(rank), ha="center", va="bottom", fontsize=8)


def _labels(
    axis: Any,  # noqa: ANN401  an extra
    ranks: Mapping[str, float],
    ordered: Sequence[str],
    low: float,
) -> None:
    """Draw a line from every rank down and to the side, where the name stands."""
    half = -(-len(ordered) // 2)
    for place, system in enumerate(ordered):
        is_better = place < half
        row = place if is_better else len(ordered) - 1 - place
        side = 0.6 if is_better else len(ordered) + 0.4
        y = -low - 0.6 * row
        rank = ranks[system]
        axis.plot([rank, rank, side], [0, y, y], color="#444444", linewidth=0.8)
        parts = [plain_name(system), f"{rank:.2f}"]
        text = "  ".join(parts if is_better else parts[::-1])
        how = {"ha": "left" if is_better else "right", "va": "center", "fontsize": 8}
        axis.text(side, y, f" {text} ", **how)


def alike(ordered: Sequence[str], tests: Sequence[Test]) -> list[tuple[int, int]]:
    """Return the longest runs of systems among which no two differ, by first and last place.

    Args:
        ordered: systems by their ranks.
        tests: of all pairs.
    """
    apart = {frozenset((t.first, t.second)) for t in tests if t.holm < LEVEL}
    runs: list[tuple[int, int]] = []
    for first in range(len(ordered)):
        last = first
        while last + 1 < len(ordered) and all(
            frozenset((ordered[last + 1], ordered[n])) not in apart for n in range(first, last + 1)
        ):
            last += 1
        if last > first and not any(a <= first and last <= b for a, b in runs):
            runs.append((first, last))
    return runs
