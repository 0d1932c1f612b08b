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
from panfocus.errors import PanfocusError
from panfocus.resources.paths import is_there

#: A stack that fails and does not change is tried again after ever longer waits, up to this many
#: seconds: a full disk may have room again after hours. And from twice this many on: where stacks
#: need not rest at all, nothing else would ever be done, and no watch would end.
_LONGEST_WAIT_S = 600.0
_LEAST_WAIT_S = 0.5
_MOST_DOUBLINGS = 20
#: Rests between looks: no watch need compute all day because its stacks need not rest.
_LEAST_REST_S, _LONGEST_REST_S = 0.05, 0.5
#: Share of the time that looking may take: thousands of stacks on a slow drive take long to look
#: at, and would else be looked at once for every stack that is fused.
_LOOKING = 0.2


class Watch:
    """New stacks, once their files have stopped changing.

    Attributes:
        trouble: why they cannot be looked at just now; None while they can.
    """

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
        self._tries: dict[str, int] = {}
        self._last = monotonic()
        self._again = self._last
        self.trouble: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing new has come for as long as was said."""
        idle = self._options.idle_s
        return idle is not None and monotonic() - self._last > idle

    @property
    def rest_s(self) -> float:
        """How long nothing needs to be done while nothing has come."""
        return min(_LONGEST_REST_S, max(self._options.settle_s / 4, _LEAST_REST_S))

    def poll(self) -> list[Job]:
        """Return stacks whose files have been the same for `settle_s`, each once per change.

        By our own clock, since that of a file server may be another.
        """
        ready: list[Job] = []
        now = monotonic()
        if now < self._again:
            return ready
        jobs = self._look()
        self._again = monotonic() + (monotonic() - now) * (1 / _LOOKING - 1)
        for job in jobs:
            facts = _facts_of(job)
            before = self._seen.get(job.name)
            if before is None or before[0] != facts:
                self._seen[job.name] = (facts, now)
                self._tries.pop(job.name, None)
                self._last = now
            elif now - before[1] >= self._wait(job.name) and self._given.get(job.name) != facts:
                self._given[job.name] = facts
                if job.name not in self._tries:
                    self._last = now
                ready.append(job)
        return ready

    def forget(self) -> None:
        """Take up all stacks again: another output folder is there, and may lack some."""
        self._given.clear()

    def failed(self, name: str) -> None:
        """Take a stack up again that has failed: a drive that was away may be back by then."""
        self._tries[name] = self._tries.get(name, 0) + 1
        if name in self._seen:
            self._given.pop(name, None)
            self._seen[name] = (self._seen[name][0], monotonic())

    def _wait(self, name: str) -> float:
        """Return for how long a stack must not have changed, longer each time that it failed."""
        settle, tries = self._options.settle_s, self._tries.get(name, 0)
        if not tries:
            return settle
        doubled = max(settle, _LEAST_WAIT_S) * 2 ** min(tries, _MOST_DOUBLINGS)
        return min(doubled, max(settle, _LONGEST_WAIT_S))

    def _look(self) -> list[Job]:
        """Return the stacks that are there; none where they cannot be looked at just now.

        A drive may be away, and a manifest half-written; both are told, and end by themselves.
        """
        try:
            jobs = self._find()
            if any(job.name not in self._seen for job in jobs):
                check_batch(jobs, self._options.source, self._options.out, overwrite=True)
        except (PanfocusError, OSError) as error:
            self.trouble = str(error)
            return []
        self.trouble = None
        return jobs


def _facts_of(job: Job) -> list[Facts]:
    facts: list[Facts] = []
    for text in job.inputs:
        try:
            matches = [] if is_there(Path(text)) else sorted(glob(text, recursive=True))  # noqa: PTH207
            facts += [file_facts(Path(p)) for p in matches or [text]]
        except OSError:
            facts.append((text, 0, 0))
    return facts
