"""What an evaluation says: one summary as plain values, and the same as Markdown."""

from __future__ import annotations

import math
import platform
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import cv2
import numpy as np

from panfocus._version import __version__
from panfocus.errors import UsageError
from panfocus.evaluate.contestants import GUARD
from panfocus.evaluate.run import EvaluationOptions, Outcome
from panfocus.evaluate.scores import better_is_lower
from panfocus.evaluate.statistics import Spread, Test, Values, mean_ranks, spread, wilcoxon


@dataclass(frozen=True)
class Column:
    """One metric over all systems.

    Attributes:
        name: of the metric.
        lower: whether less is better.
        values: by (system, image).
        spreads: mean and deviation by system.
        ranks: mean rank by system over the images that all systems have.
        tests: between all pairs of systems; empty without SciPy or with one system.
    """

    name: str
    lower: bool
    values: Values
    spreads: dict[str, Spread]
    ranks: dict[str, float]
    tests: list[Test]

    @property
    def best(self) -> str | None:
        """The system with the best mean."""
        means = {s: v.mean for s, v in self.spreads.items() if not math.isnan(v.mean)}
        if not means:
            return None
        return (min if self.lower else max)(means, key=lambda s: means[s])


def columns(outcome: Outcome) -> list[Column]:
    """Return the metrics that any picture has, compared; a missing SciPy is noted."""
    out: list[Column] = []
    tested = len(outcome.systems) > 1
    for name in outcome.columns:
        values = {(r.system, r.image): r.scores[name] for r in outcome.rows if name in r.scores}
        if not values:
            continue
        tests: list[Test] = []
        if tested:
            try:
                tests = wilcoxon(values, outcome.systems)
            except UsageError as error:  # the scores are worth having without the test
                outcome.notes.append(f"no test between systems: {error.text()}")
                tested = False
        lower = better_is_lower(name)
        spreads = {
            s: spread([v for (system, _), v in values.items() if system == s])
            for s in outcome.systems
        }
        ranks = mean_ranks(values, outcome.systems, lower=lower)
        out.append(Column(name, lower, values, spreads, ranks, tests))
    return out


def overall_ranks(found: list[Column], systems: list[str]) -> dict[str, float]:
    """Return each system's rank, averaged over metrics with equal weight."""
    ranked = [c.ranks for c in found if c.ranks]
    return {s: float(np.mean([r[s] for r in ranked])) for s in systems} if ranked else {}


def versions() -> dict[str, str]:
    """Return what the numbers depend on."""
    return {
        "panfocus": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def to_dict(options: EvaluationOptions, outcome: Outcome, found: list[Column]) -> dict[str, Any]:
    """Return the whole summary in values that JSON can hold; not finite numbers are None."""
    metrics = {
        c.name: {
            "better": "lower" if c.lower else "higher",
            "systems": {
                s: {**_finite(asdict(c.spreads[s])), "mean_rank": c.ranks.get(s)}
                for s in outcome.systems
            },
            "wilcoxon": [_finite(asdict(test)) for test in c.tests],
        }
        for c in found
    }
    return {
        "data": str(options.data),
        "date": date.today().isoformat(),
        "versions": versions(),
        "settings": {
            "align": options.align,
            "guard": GUARD,
            "banding": options.banding,
            "spread": options.spread,
            "metrics": options.metrics,
            "cut": options.cut,
        },
        "systems": outcome.systems,
        "images": [sample.name for sample in outcome.dataset.samples],
        "metrics": metrics,
        "overall_mean_rank": overall_ranks(found, outcome.systems),
        "rows": [
            {**asdict(row), "scores": _finite(dict(row.scores))} for row in outcome.rows
        ],
        "failures": [asdict(failure) for failure in outcome.failures],
        "notes": outcome.notes,
    }  # fmt: skip


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }


def to_markdown(options: EvaluationOptions, outcome: Outcome, found: list[Column]) -> str:
    """Return the tables: means, ranks, tests, failures."""
    said = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts = [
        f"# {options.data.name}: {len(outcome.dataset.samples)} images, "
        f"{len(outcome.systems)} systems\n",
        f"{date.today().isoformat()}; {said}.\n",
        "Mean ± standard deviation over images; ↑ higher is better, ↓ lower. A picture equal to "
        "the truth has no finite PSNR and is left out of mean and deviation.\n",
        _means(outcome.systems, found),
    ]
    if len(outcome.systems) > 1:
        parts += [
            "\n## Mean rank\n\n1 is best; over the images that all systems have. The last line "
            "weighs all metrics alike, though they measure much the same.\n",
            _ranks(outcome.systems, found),
        ]
        if any(c.tests for c in found):
            parts += ["\n" + _TESTS, _tests(found)]
    if outcome.failures:
        parts += ["\n## Not scored\n"]
        parts += [f"- {f.image}, {f.system}: {_one_line(f.reason)}" for f in outcome.failures]
    return "\n".join(parts) + "\n"


_TESTS = (
    "## Wilcoxon signed-rank test\n\nTwo-sided p and median of first minus second, over the images "
    "that both have; in brackets p after Holm's correction for the number of tests in the line. "
    "With fewer than 6 images p cannot fall below 0.05.\n"
)


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines())


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(cells: list[str]) -> list[str]:
    return [_row(cells), "|---" + "|---:" * (len(cells) - 1) + "|"]


def _means(systems: list[str], found: list[Column]) -> str:
    lines = _head(["metric", *systems])
    for column in found:
        cells = [_spread_cell(column, system) for system in systems]
        lines.append(_row([f"{column.name} {'↓' if column.lower else '↑'}", *cells]))
    return "\n".join(lines)


def _spread_cell(column: Column, system: str) -> str:
    value = column.spreads[system]
    if math.isnan(value.mean):
        return "-"
    mean = f"**{value.mean:.4f}**" if system == column.best else f"{value.mean:.4f}"
    return mean if math.isnan(value.std) else f"{mean} ± {value.std:.4f}"


def _ranks(systems: list[str], found: list[Column]) -> str:
    lines = _head(["metric", *systems])
    rows = [(c.name, c.ranks) for c in found if c.ranks]
    for name, ranks in [*rows, ("all", overall_ranks(found, systems))]:
        if ranks:
            lines.append(_row([name, *(f"{ranks[s]:.2f}" for s in systems)]))
    return "\n".join(lines)


def _tests(found: list[Column]) -> str:
    pairs = next([(t.first, t.second) for t in c.tests] for c in found if c.tests)
    lines = _head(["metric", *(f"{a} − {b}" for a, b in pairs)])
    for column in found:
        cells = [
            f"{t.median:+.4f}, p = {t.p:.2g} ({t.holm:.2g}), n = {t.count}" for t in column.tests
        ]
        if cells:
            lines.append(_row([column.name, *cells]))
    return "\n".join(lines)
