"""All cases: those that are known, and those that are drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator

from fuzz import (
    bombs,
    bounds,
    damage,
    faces,
    invariants,
    limits,
    names,
    outside,
    page,
    planes,
    projects,
    stopped,
    told,
)
from fuzz.case import Case


def corpus() -> Iterator[Case]:
    """Yield the known ones."""
    of = (
        damage,
        outside,
        told,
        projects,
        names,
        faces,
        stopped,
        limits,
        bounds,
        bombs,
        page,
        planes,
        invariants,
    )
    for one in of:
        yield from one.corpus()


def drawn(chance: random.Random) -> Case:
    """Return one that nobody has seen."""
    if chance.random() < 0.2:
        return invariants.drawn_case(chance)
    if chance.random() < 0.2:
        return projects.drawn(chance)
    if chance.random() < 0.2:
        return page.drawn(chance)
    if chance.random() < 0.3:
        return planes.drawn(chance)
    return damage.drawn(chance)
