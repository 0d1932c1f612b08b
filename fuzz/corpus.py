"""All cases: those that are known, and those that are drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator

from fuzz import damage, faces, outside
from fuzz.case import Case


def corpus() -> Iterator[Case]:
    """Yield the known ones."""
    yield from damage.corpus()
    yield from outside.corpus()
    yield from faces.corpus()


def drawn(chance: random.Random) -> Case:
    """Return one that nobody has seen."""
    return damage.drawn(chance)
