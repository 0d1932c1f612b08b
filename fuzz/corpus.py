"""All cases: those that are known, and those that are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from fuzz import (
    bombs,
    bounds,
    damage,
    doors,
    faces,
    features,
    invariants,
    limits,
    names,
    options,
    outside,
    page,
    planes,
    projects,
    python,
    stopped,
    surroundings,
    together,
    told,
    training_files,
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
        surroundings,
        bounds,
        bombs,
        page,
        planes,
        options,
        doors,
        features,
        invariants,
        python,
        together,
        training_files,
    )
    for one in of:
        yield from one.corpus()


#: What is drawn from, and how often.
_DRAWN: tuple[tuple[int, Callable[[random.Random], Case]], ...] = (
    (4, invariants.drawn_case), (3, projects.drawn), (3, page.drawn), (3, planes.drawn),
    (4, options.drawn), (3, doors.drawn), (4, features.drawn), (4, damage.drawn),
    (3, python.drawn), (1, training_files.drawn),
)  # fmt: skip


def drawn(chance: random.Random) -> Case:
    """Return one that nobody has seen."""
    return chance.choices([of for _, of in _DRAWN], [n for n, _ in _DRAWN])[0](chance)
