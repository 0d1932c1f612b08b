"""Run a batch: hand out stacks as workers and memory allow, take the outcomes, keep the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic, sleep
from typing import Any

from panfocus.batch import crews
from panfocus.batch.apart import check_batch
from panfocus.batch.crews import Crew, check_workers, default_workers, gather_crew
from panfocus.batch.job import Job
from panfocus.batch.jobs import find_jobs
from panfocus.batch.lock import Lock, alone_in
from panfocus.batch.options import BatchOptions
from panfocus.batch.outcome import StackOutcome, failed
from panfocus.batch.record import record_path
from panfocus.batch.report import summary, write_reports
from panfocus.batch.task import StackTask
from panfocus.batch.troubles import Troubles
from panfocus.batch.watch import Watch
from panfocus.batch.work import is_recorded, prepare
from panfocus.errors import InputError, OutputError, UsageError
from panfocus.pipeline.memory import memory_limit
from panfocus.pipeline.settings import make_settings

Tell = Callable[[StackOutcome, int, int], None]

_REPORT_EVERY_S = 5.0
_AWAY = (
    "the output folder is away, or another one is in its place; what comes is fused when it is back"
)
_NO_DASK = (
    "the extra `batch` (Dask) is not installed: one stack after the other in this process; "
    "pip install 'panfocus[batch]' for more at a time"
)


def run_batch(
    options: BatchOptions, tell: Tell | None = None, note: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Fuse all stacks; a stack that fails does not stop the others.

    Args:
        options: what and how.
        tell: called with every outcome, the number of stacks ended, and of all known so far.
        note: called with what a watch begins to wait for, such as a drive that is away.

    Returns:
        What `report.json` in the output folder holds: counts of done, skipped and failed stacks,
        facts of the run, and the outcome of every stack.

    Raises:
        InputError: there are no stacks.
        UsageError: wrong options, or another batch is at work in the output folder.
        OutputError: results exist and neither `resume` nor `overwrite` is set.
    """
    left_out: list[str] = []
    jobs = _find(options, left_out)
    if not jobs and not options.watch:
        raise InputError(
            "there are no stacks to fuse",
            where=str(options.source),
            expected="a folder for each stack, or TIFFs of several pages",
            got="; ".join(left_out) or "nothing of the kind",
            remedy="to fuse the pictures of this folder as one stack, use `panfocus fuse`",
        )
    check_batch(jobs, options.source, options.out, overwrite=options.overwrite)
    if not (options.resume or options.overwrite or options.watch):
        _refuse_existing(jobs)
    workers = default_workers() if options.workers is None else check_workers(options.workers)
    options = replace(options, workers=workers)
    settings = make_settings(**options.template.settings)
    total = memory_limit(settings)
    folders = {job.output.parent for job in jobs}
    with alone_in(options.out, folders) as lock:
        batch = Batch(options, lock, total, len(jobs), tell=tell, note=note, notes=left_out)
        with gather_crew(options.workers or 0, options.scheduler, total) as crew:
            batch.work(crew, jobs)
        return batch.result()


def _find(options: BatchOptions, notes: list[str] | None = None) -> list[Job]:
    jobs = find_jobs(
        options.source,
        options.out,
        ending=options.ending,
        template=options.template,
        notes=notes,
    )
    if options.scheduler is None and "threads" not in options.template.settings:
        # processes that each take all processors only get in each other's way
        count = options.workers if options.workers is not None else default_workers()
        threads = max(default_workers() // max(count, 1), 1)
        # jobs that share their settings go on sharing them
        settings = {id(j.settings): {"threads": threads, **j.settings} for j in jobs}
        jobs = [replace(j, settings=settings[id(j.settings)]) for j in jobs]
    return jobs


def _refuse_existing(jobs: Iterable[Job]) -> None:
    taken = [path for job in jobs for path in job.outputs.values() if os.path.lexists(path)]
    if taken:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise OutputError(
            "results exist already",
            where=f"{taken[0]}{more}",
            remedy="--resume keeps those that are done and fuses the rest; --overwrite fuses all",
        )


class Batch:
    """One run: what waits, what is being done, what has ended."""

    def __init__(
        self,
        options: BatchOptions,
        lock: Lock,
        memory: int,
        count: int,
        *,
        tell: Tell | None,
        note: Callable[[str], None] | None,
        notes: Sequence[str] = (),
    ) -> None:
        self._options = options
        self._notes = notes
        self._lock = lock
        self._memory = memory
        self._count = count
        self._tell = tell
        self._waiting: list[StackTask] = []
        self._running: list[StackTask] = []
        self._outcomes: dict[str, StackOutcome] = {}
        self._started = monotonic()
        self._saved = monotonic()
        self._is_news = False
        self._most = 0
        self._held_back = False
        self._crew = ""
        self._unwritten: list[str] = []
        self._troubles = Troubles(note)

    def work(self, crew: Crew, jobs: list[Job]) -> None:
        """Do all jobs; with `watch` also those that come."""
        self._crew = crew.title
        if self._options.scheduler is not None and crew.memory_bytes is not None:
            self._memory = crew.memory_bytes * crew.slots
        watch = Watch(self._options, partial(_find, self._options)) if self._options.watch else None
        try:
            # a stack's headers are read when its turn comes near: thousands would take minutes
            coming = iter(jobs if watch is None else [])
            while True:
                is_away = watch is not None and not self._is_here(watch)
                if not is_away:
                    self._take_in(coming, crew, watch)
                    self._hand_out(crew)
                if self._running:
                    self._take_back(crew, 1.0 if watch else 3600.0, watch)
                elif watch is None and not self._waiting:
                    return
                if watch is not None:
                    fresh = watch.poll()
                    self._troubles.heed("in", watch.trouble)
                    self._save_at_times()
                    coming = iter([*coming, *fresh])
                    if watch.is_over and not (self._running or self._waiting or fresh):
                        if is_away:
                            raise self._is_gone()
                        return
                    if is_away or not (self._running or self._waiting or fresh):
                        sleep(watch.rest_s)
        finally:
            self.save()

    def _take_in(self, coming: Iterable[Job], crew: Crew, watch: Watch | None) -> None:
        """Check stacks until every worker has one and one more is ready."""
        if len(self._waiting) >= crew.slots:
            return
        for job in coming:
            options, run = self._options, self._lock.run
            record = record_path(options.out, job.name)
            renew = options.resume or options.watch
            done = prepare(job, record, run, resume=renew, overwrite=options.overwrite)
            if isinstance(done, StackTask):
                done = self._too_large(done, crew) or done
            if isinstance(done, StackOutcome):
                self._end(done)
                if watch is not None and done.state == "failed":
                    watch.failed(job.name)
            else:
                self._waiting.append(done)
                if len(self._waiting) >= crew.slots:
                    return

    def _is_here(self, watch: Watch) -> bool:
        """Whether the output folder is there, and this run's."""
        is_here = self._lock.holds()
        if not is_here and self._lock.takes_up():
            watch.forget()
            is_here = True
        self._troubles.heed("out", None if is_here else _AWAY)
        return is_here

    def _is_gone(self) -> OutputError:
        return OutputError(
            "the output folder is away, or another one is in its place",
            where=str(self._options.out),
            expected="the folder that the watch began with",
            remedy="bring it back, and start again: what is done is kept",
        )

    def _too_large(self, task: StackTask, crew: Crew) -> StackOutcome | None:
        if crew.memory_bytes is None or task.memory_bytes <= crew.memory_bytes:
            return None
        error = UsageError(
            "fusing this stack needs more memory than a worker has",
            expected=f"at least {task.memory_bytes / 2**20:.0f} MiB",
            got=f"{crew.memory_bytes / 2**20:.0f} MiB",
            remedy="start workers with more memory or fewer threads, or fuse smaller frames",
        )
        return failed(task.job, error, frames=task.frames, memory_bytes=task.memory_bytes)

    def _hand_out(self, crew: Crew) -> None:
        """Start what fits: as many as there are workers, and as memory holds."""
        for task in list(self._waiting):
            if len(self._running) >= crew.slots:
                return
            if any(t.job.name == task.job.name for t in self._running):
                continue  # it has changed meanwhile: one after the other
            taken = sum(t.memory_bytes for t in self._running)
            if self._running and taken + task.memory_bytes > self._memory:
                self._held_back = True
                continue
            self._waiting.remove(task)
            self._running.append(task)
            self._most = max(self._most, len(self._running))
            crew.start(task)

    def _take_back(self, crew: Crew, seconds: float, watch: Watch | None) -> None:
        for task, outcome in crew.wait(seconds):
            self._running.remove(task)
            is_lost = watch is not None and outcome.state == "done" and not is_recorded(task)
            ended = replace(outcome, state="failed", error=_AWAY) if is_lost else outcome
            self._end(ended)
            if watch is not None and ended.state == "failed":
                watch.failed(ended.name)
        self._save_at_times()

    def _save_at_times(self) -> None:
        """Write the reports if something has ended since, but not for each of many."""
        if self._is_news and monotonic() - self._saved > _REPORT_EVERY_S:
            self.save()

    def _end(self, outcome: StackOutcome) -> None:
        self._outcomes[outcome.name] = outcome
        self._is_news = True
        if self._tell is not None:
            ended = len(self._outcomes)
            known = ended + len(self._waiting) + len(self._running)
            self._tell(outcome, ended, max(self._count, known))

    def _facts(self) -> dict[str, Any]:
        outcomes = self._outcomes.values()
        notes = [*self._notes, *self._unwritten, *self._troubles.notes()]
        if self._options.scheduler is None and self._options.workers and not crews.has_dask():
            notes.append(_NO_DASK)
        if self._held_back:
            notes.append(
                f"memory allowed {self._most} stacks at a time, fewer than there are workers"
            )
        return {
            "seconds": round(monotonic() - self._started, 3),
            "crew": self._crew,
            "most_at_a_time": self._most,
            "memory_limit_bytes": self._memory,
            "largest_stack_bytes": max((o.memory_bytes for o in outcomes), default=0),
            "notes": notes,
        }

    def save(self) -> None:
        """Write the reports as they stand."""
        if self._options.watch and not self._lock.holds():
            return  # in the place of a drive that is away nobody would find them
        outcomes, options = list(self._outcomes.values()), self._options
        facts = self._facts()
        try:
            self._unwritten = write_reports(
                options.out, outcomes, facts, overwrite=options.overwrite
            )
        except OSError as error:  # a drive that is away; it is written again when it is back
            self._unwritten = [f"the report was not written: {error.strerror}"]
        self._saved, self._is_news = monotonic(), False

    def result(self) -> dict[str, Any]:
        """Return what the report holds."""
        return summary(list(self._outcomes.values()), self._facts())
