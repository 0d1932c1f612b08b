"""Wait for stacks that come while a batch runs."""

from __future__ import annotations

from collections.abc import Callable
from glob import glob
from pathlib import Path
from time import monotonic

from panfocus.batch.apart import check_batch
from panfocus.batch.job import Job
from panfocus.batch.options import BatchOptions
from panfocus.batch.record import Facts, file_facts


class Watch:
    """New stacks, once their files have stopped changing."""

    def __init__(self, options: BatchOptions, find: Callable[[], list[Job]]) -> None:
        """Set up.

        Args:
            options: what is watched, and for how long.
            find: returns the stacks that are there.
        """
        self._options = options
        self._find = find
        self._seen: dict[str, tuple[list[Facts], float]] = {}
        self._given: dict[str, list[Facts]] = {}
        self._last = monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing new has come for as long as was said."""
        idle = self._options.idle_s
        return idle is not None and monotonic() - self._last > idle

    def poll(self) -> list[Job]:
        """Return stacks whose files have been the same for `settle_s`, each once per change.

        By our own clock, since that of a file server may be another.
        """
        ready: list[Job] = []
        now = monotonic()
        jobs = self._find()
        if any(job.name not in self._seen for job in jobs):
            check_batch(jobs, self._options.source, self._options.out, overwrite=True)
        for job in jobs:
            facts = _facts_of(job)
            before = self._seen.get(job.name)
            if before is None or before[0] != facts:
                self._seen[job.name] = (facts, now)
                self._last = now
            elif now - before[1] >= self._options.settle_s and self._given.get(job.name) != facts:
                self._given[job.name] = facts
                self._last = now
                ready.append(job)
        return ready


def _facts_of(job: Job) -> list[Facts]:
    facts: list[Facts] = []
    for text in job.inputs:
        try:
            matches = [] if Path(text).exists() else sorted(glob(text, recursive=True))  # noqa: PTH207
            facts += [file_facts(Path(p)) for p in matches or [text]]
        except OSError:
            facts.append((text, 0, 0))
    return facts
