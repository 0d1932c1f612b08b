"""The table of an evaluation for a paper: LaTeX with booktabs, to be put in as it is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from panfocus.evaluate.report import Column, overall_ranks
from panfocus.evaluate.run import EvaluationOptions, Outcome
from panfocus.evaluate.statistics import LEVEL
from panfocus.resources.paths import shown

_SPECIAL = re.compile(r"[\\{}$&#^_~%]")
_NAMES = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}


def to_latex(options: EvaluationOptions, outcome: Outcome, found: list[Column]) -> str:
    """Return a table of means and ranks; the best of a line is bold.

    A dagger marks a system that differs from the best one (Wilcoxon's signed-rank test, p below
    0.05 after Holm's correction).
    """
    systems = outcome.systems
    lines = [
        "% needs \\usepackage{booktabs}",
        f"% {shown(options.data.name)}: {len(outcome.dataset.samples)} images; mean and standard "
        "deviation over images",
        "% dagger: differs from the best of the line, Wilcoxon, p < 0.05 after Holm's correction",
        f"\\begin{{tabular}}{{l{'r' * len(systems)}}}",
        "\\toprule",
        _row(["", *map(escaped, systems)]),
        "\\midrule",
        *(_row([_metric(column), *_cells(column, systems)]) for column in found),
    ]
    ranks = overall_ranks(found, systems)
    if len(systems) > 1 and ranks:
        least = min(ranks.values())
        cells = [_bold(f"{ranks[s]:.2f}", ranks[s] == least) for s in systems]
        lines += ["\\midrule", _row(["mean rank", *cells])]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def escaped(name: str) -> str:
    """Return a name as LaTeX prints it."""
    return _SPECIAL.sub(lambda found: _NAMES.get(found[0], "\\" + found[0]), shown(name))


def _metric(column: Column) -> str:
    arrow = "\\downarrow" if column.lower else "\\uparrow"
    return f"{escaped(column.name)} ${arrow}$"


def _cells(column: Column, systems: Sequence[str]) -> list[str]:
    best = column.best
    worse = {
        other
        for test in column.tests
        for one, other in ((test.first, test.second), (test.second, test.first))
        if one == best and test.holm < LEVEL
    }
    out: list[str] = []
    for system in systems:
        value = column.spreads[system]
        if math.isnan(value.mean):
            out.append("--")
            continue
        mean = _bold(f"{value.mean:.4f}", system == best)
        deviation = "" if math.isnan(value.std) else f" $\\pm$ {value.std:.4f}"
        out.append(mean + deviation + ("$^\\dagger$" if system in worse else ""))
    return out


def _bold(text: str, is_best: bool) -> str:
    return f"\\textbf{{{text}}}" if is_best else text


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + " \\\\"
