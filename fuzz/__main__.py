"""Run the campaign and print its counts; the exit code is 1 if anything went wrong."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from fuzz.case import Case
from fuzz.corpus import corpus, drawn
from fuzz.process import try_case
from fuzz.repeats import busy, otherwise

#: What cases need; a user without rights may not read Python's own library, where it lies with
#: somebody else.
_NEEDED = (
    "panfocus.batch", "panfocus.cli.app", "panfocus.cli.batch", "panfocus.cli.fuse",
    "panfocus.cli.science", "panfocus.cli.systems", "rich.color", "rich.console", "rich.markup",
    "rich.progress", "rich.table", "tifffile", "zarr",
)  # fmt: skip


def main() -> int:
    """Do it."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="cases whose kind or name holds this")
    parser.add_argument("--keep", type=Path, help="a folder in which every case's files stay")
    parser.add_argument("--share", help="part of the corpus, like 1/4")
    parser.add_argument("--repeat", type=int, default=1, help="how often, each time otherwise")
    parser.add_argument("--beside", type=int, default=0, help="processes that compute meanwhile")
    asked = parser.parse_args()
    _import_all()
    with busy(asked.beside):
        return _campaign(asked)


def _campaign(asked: argparse.Namespace) -> int:
    counts: Counter[str] = Counter()
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    told: list[str] = []
    wrong: Counter[str] = Counter()
    started = time.monotonic()
    for case in _cases(asked):
        if time.monotonic() - started > asked.seconds:
            print("the time is up")
            break
        ran, found = try_case(case, asked.keep)
        wrong[case.kind] += bool(found)
        counts[case.kind] += 1
        for fault, words in found:
            faults[case.kind][fault] += 1
            told.append(f"{fault:10} {case.kind:18} {case.name}: {words}")
            print(told[-1], flush=True)
        if asked.only and not found:
            print(
                f"ok {ran.code:3} {ran.seconds:5.1f} s {ran.memory:5.0f} MiB {case.kind} "
                f"{case.name}: {' / '.join(ran.err.strip().splitlines())[:300]}",
                flush=True,
            )
    _print(counts, wrong, faults, time.monotonic() - started)
    print("\n".join(told))  # again, since of a long log only the end may be kept
    return int(wrong.total() > 0)


def _cases(asked: argparse.Namespace) -> Iterator[Case]:
    """Yield the corpus in an order that depends on the seed alone, then drawn cases for ever."""
    chance = random.Random(asked.seed)
    fixed = [c for c in corpus() if asked.only in f"{c.kind} {c.name}"]
    chance.shuffle(fixed)
    if asked.share:
        part, of = map(int, asked.share.split("/"))
        fixed = fixed[part - 1 :: of]
    yield from fixed
    for _ in range(asked.repeat - 1):
        yield from (otherwise(case, chance) for case in fixed)
    while not asked.only:
        yield drawn(chance)


def _import_all() -> None:
    """Import what the copies of this process need, so that none of them does."""
    import cv2

    from panfocus.systems.providers import runtime

    for name in _NEEDED:
        import_module(name)
    runtime()
    cv2.setNumThreads(1)  # threads do not survive a copy


def _print(
    counts: Counter[str], wrong: Counter[str], faults: dict[str, Counter[str]], seconds: float
) -> None:
    print(f"\n{'kind':20} {'cases':>6} {'wrong':>6}")
    for kind in sorted(counts):
        told = ", ".join(f"{n} {fault}" for fault, n in faults[kind].most_common())
        print(f"{kind:20} {counts[kind]:6} {wrong[kind]:6}  {told}")
    print(f"{'all':20} {counts.total():6} {wrong.total():6}  in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
