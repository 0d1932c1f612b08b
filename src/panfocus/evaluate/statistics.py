"""Compare systems over the images that all of them have: mean, rank, Wilcoxon's test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError

#: values by (system, image)
Values = Mapping[tuple[str, str], float]

#: Below which p two systems differ.
LEVEL = 0.05


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1) of a system's values; not finite ones left out."""

    mean: float
    std: float
    count: int


@dataclass(frozen=True)
class Test:
    """Wilcoxon's signed-rank test of two systems, two-sided.

    Attributes:
        first: a system.
        second: the other.
        count: images that both have.
        median: of first minus second.
        p: how probable such differences are if neither is better; 1 if there is none at all.
        holm: the same, corrected for the number of tests of one metric (Holm, Scandinavian Journal
            of Statistics 6, 1979).
    """

    first: str
    second: str
    count: int
    median: float
    p: float
    holm: float = math.nan


def spread(values: Sequence[float]) -> Spread:
    """Return mean and standard deviation."""
    finite = [v for v in values if math.isfinite(v)]
    mean = float(np.mean(finite)) if finite else math.nan
    std = float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan
    return Spread(mean, std, len(finite))


def common_images(values: Values, systems: Sequence[str]) -> list[str]:
    """Return the images that every one of the systems has a number for."""
    images = dict.fromkeys(image for _, image in values)
    return [i for i in images if all(not _is_gap(values, s, i) for s in systems)]


def _is_gap(values: Values, system: str, image: str) -> bool:
    return math.isnan(values.get((system, image), math.nan))


def mean_ranks(values: Values, systems: Sequence[str], *, lower: bool) -> dict[str, float]:
    """Return each system's mean rank over the common images, 1 the best, ties shared.

    Args:
        values: of one metric.
        systems: to be compared.
        lower: whether less is better.
    """
    images = common_images(values, systems)
    if not images:
        return {}
    table = np.array([[values[s, i] for s in systems] for i in images])
    ranks = np.stack([_ranks(row if lower else -row) for row in table])
    return dict(zip(systems, map(float, ranks.mean(axis=0)), strict=True))


def _ranks(row: NDArray[np.float64]) -> NDArray[np.float64]:
    below = (row[None] < row[:, None]).sum(axis=1)
    equal = (row[None] == row[:, None]).sum(axis=1)
    return below + (equal + 1) / 2


def wilcoxon(values: Values, systems: Sequence[str]) -> list[Test]:
    """Test every pair of systems on the images that both have; p corrected after Holm as well.

    Raises:
        UsageError: SciPy is not installed.
    """
    tests = [_test(values, a, b) for a, b in combinations(systems, 2)]
    corrected = holm([test.p for test in tests])
    return [replace(test, holm=p) for test, p in zip(tests, corrected, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down method, in the same order.

    The k-th smallest of m is multiplied by m - k + 1; none falls below a smaller one's.

    Examples:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    out = [0.0] * count
    least = 0.0
    for rank, n in enumerate(sorted(range(count), key=lambda n: p_values[n])):
        least = max(least, min((count - rank) * p_values[n], 1.0))
        out[n] = least
    return out


def _test(values: Values, first: str, second: str) -> Test:
    images = common_images(values, [first, second])
    pairs = [(values[first, i], values[second, i]) for i in images]
    # equal also covers two infinite values, whose difference is no number
    differences = np.array([0.0 if a == b else a - b for a, b in pairs])
    if not differences.any():
        return Test(first, second, len(pairs), 0.0 if pairs else math.nan, 1.0)
    return Test(
        first, second, len(pairs), float(np.median(differences)), _p_value(differences)
    )  # fmt: skip


def _p_value(differences: NDArray[np.float64]) -> float:
    try:
        stats = import_module("scipy.stats")  # an extra, and slow
    except ModuleNotFoundError as error:
        raise UsageError(
            "the test between systems needs SciPy",
            expected="the extra `evaluate`",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[evaluate]'",
        ) from error
    nonzero = differences[differences != 0]
    return float(stats.wilcoxon(nonzero).pvalue)
