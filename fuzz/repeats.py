"""Cases again, each a little otherwise, beside other work: what depends on chance shows late."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
from collections.abc import Generator
from dataclasses import replace

from fuzz.case import Case

#: Limits of memory; of files and processes, every number matters, and is chosen.
_OF_MEMORY = ("RLIMIT_DATA", "RLIMIT_AS", "RLIMIT_STACK")


def otherwise(case: Case, chance: random.Random) -> Case:
    """Return a case whose signal comes at another moment, and whose memory is a little other."""
    how, told = case.how, ""
    if how.stop is not None:
        number, after = how.stop
        how = replace(how, stop=(number, after * chance.uniform(0.5, 1.6)))
        told += f" (after {how.stop and how.stop[1]:.4f} s)"
    limits = {
        name: int(value * chance.uniform(0.85, 1.15)) if name in _OF_MEMORY else value
        for name, value in how.limits.items()
    }
    if limits != how.limits:
        how = replace(how, limits=limits)
        told += f" ({', '.join(f'{name}={value}' for name, value in limits.items())})"
    return replace(case, name=case.name + told, how=how)


@contextlib.contextmanager
def busy(count: int) -> Generator[None]:
    """Keep so many processors busy meanwhile."""
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=_turn, daemon=True) for _ in range(count)]
    for one in others:
        one.start()
    try:
        yield
    finally:
        for one in others:
            one.kill()
            one.join()


def _turn() -> None:
    while True:
        sum(range(10_000))
