"""A day of watching in a few minutes, with faults: nothing is lost, doubled or half-written.

    python -m fuzz.watching --hours 24 --minutes 20

Stacks come at random, whole, by frame, by piece, damaged, or to be changed later; the watcher and
its workers are killed, drives go and come back, the disk is full, other machines lock the folder,
people edit results and take frames away. Results are looked at all the while.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fuzz.arrivals import HERE, Arrivals, remove
from fuzz.mishaps import Mishaps, fill_is_possible, unmount
from fuzz.results import Results
from fuzz.watcher import Watcher

#: How often something comes, and something happens, in minutes of the day that is simulated.
_ARRIVAL, _MISHAP = 2.4, 8.0
#: Seconds within which all must be done that came before the last mishap was over.
_GRACE = 90.0


class Day:
    """What happens when."""

    def __init__(self) -> None:
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Have something happen after a while."""
        heapq.heappush(self._coming, (time.monotonic() + seconds, next(self._numbers), work))

    def run(self, until: float, meanwhile: Callable[[], None]) -> None:
        """Let it happen."""
        while time.monotonic() < until:
            while self._coming and self._coming[0][0] <= time.monotonic():
                heapq.heappop(self._coming)[2]()
            meanwhile()
            time.sleep(0.02)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return not self._coming


def main() -> int:
    """Do it; the exit code is 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="fuzz.watching", description=__doc__)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder in which all stays")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="watching-", dir=asked.keep))
    drive = root / "drive"
    drive.mkdir()
    is_small = fill_is_possible(drive)
    try:
        wrong = _simulate(asked, root, drive, is_small=is_small)
    finally:
        if asked.keep is None:
            if is_small:
                unmount(drive)
            remove(root)
    for words, n in Counter(wrong).items():
        print(f"wrong: {words}" + (f" ({n} times)" if n > 1 else ""))
    return int(bool(wrong))


def _simulate(asked: argparse.Namespace, root: Path, drive: Path, *, is_small: bool) -> list[str]:
    chance = random.Random(asked.seed)
    for folder in (drive / "in", drive / "out", drive / "aside"):
        folder.mkdir()
    (drive / "in" / HERE).touch()
    day = Day()
    watcher = Watcher(drive, root / "log")
    arrivals = Arrivals(drive / "in", drive / "aside", day.later, chance)
    results = Results(drive / "out")
    mishaps = Mishaps(drive, watcher, arrivals, results, day.later, chance, is_small=is_small)
    pace = 60 * asked.minutes / (60 * asked.hours)  # seconds for a minute of that day
    counts: Counter[str] = Counter()

    def come() -> None:
        counts[arrivals.bring()] += 1
        day.later(chance.expovariate(1 / (_ARRIVAL * pace)), come_until_evening)

    def happen() -> None:
        counts[mishaps.befall()] += 1
        day.later(chance.expovariate(1 / (_MISHAP * pace)), happen_until_evening)

    end = time.monotonic() + 60 * asked.minutes
    come_until_evening, happen_until_evening = _until(end, come), _until(end, happen)
    watcher.start()
    day.later(0.5, come)
    day.later(3.0, happen)
    day.run(end, results.look)
    while not day.is_over:  # drives come back, frames that are on their way arrive
        day.run(time.monotonic() + 0.5, results.look)
    watcher.start()
    wanted = [a for a in arrivals.all if a.is_sound and a.edited is None]
    grace = time.monotonic() + _GRACE
    while time.monotonic() < grace and any(results.lacks(one) for one in wanted):
        day.run(time.monotonic() + 1, results.look)
    waiting = sum(bool(results.lacks(one)) for one in wanted)
    watcher.stop(signal.SIGTERM)
    watcher.run_once()
    counts |= {"starts": watcher.starts}
    _print(asked, arrivals, watcher, results, counts, waiting)
    return [*watcher.wrong, *results.wrong, *_judged(arrivals, watcher, results, waiting)]


def _until(end: float, work: Callable[[], None]) -> Callable[[], None]:
    return lambda: work() if time.monotonic() < end else None


def _judged(arrivals: Arrivals, watcher: Watcher, results: Results, waiting: int) -> list[str]:
    """Return what is wrong in the end."""
    wrong = [f"frames of {name} are not as they were" for name in arrivals.changed()]
    if waiting:
        wrong.append(f"{waiting} stacks were done by a new start alone")
    for one in arrivals.all:
        lacking = results.lacks(one)
        if lacking:
            wrong.append(f"{one.name}: {lacking}")
        # what came slowly may have been fused before the damaged frame came
        if (
            not one.is_sound and one.edited is None
            and results.is_there(one) and not results.is_of_the_sound(one)
        ):  # fmt: skip
            wrong.append(f"{one.name}: damaged, and there is a result")
        if not one.is_sound and not any(t.state == "failed" for t in watcher.went(one.name)):
            wrong.append(f"{one.name}: damaged, and nobody was told")
    left = results.left_behind()
    return [*wrong, *(f"left behind: {name}" for name in left)]


def _print(
    asked: argparse.Namespace, arrivals: Arrivals, watcher: Watcher, results: Results,
    counts: Counter[str], waiting: int,
) -> None:  # fmt: skip
    print(f"{asked.hours:g} h in {asked.minutes:g} min, seed {asked.seed}: "
          f"{len(arrivals.all)} stacks, {results.looks} looks at results")  # fmt: skip
    for name, n in sorted(counts.items()):
        print(f"  {name:16} {n:5}")
    for words, n in watcher.refused.items():
        print(f"  would not begin {n} times: {words}")
    states = Counter(one.state for one in watcher.told)
    print("  told:", ", ".join(f"{n} {state}" for state, n in sorted(states.items())))
    print(f"  results that were replaced: {results.replaced}; done by a new start alone: {waiting}")


if __name__ == "__main__":
    sys.exit(main())
