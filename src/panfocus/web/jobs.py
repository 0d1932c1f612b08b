"""Work that takes its time: one fusion after the other, drafts beside them, all can be stopped."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic
from typing import Any, Literal

from panfocus.errors import Cancelled, PanfocusError
from panfocus.resources.shortage import in_short, shortage
from panfocus.web.events import Hub

State = Literal["waiting", "running", "done", "failed", "cancelled"]
JobKind = Literal["draft", "fuse", "region", "save"]
#: Seconds between two messages of one stage.
_PAUSE = 0.1


@dataclass
class PageJob:
    """Something that is being done.

    Attributes:
        kind: what.
        stack: for which stack.
        title: for people, such as the name of the system.
        id: by which it is stopped.
        state: how far it is.
        share: done, in [0, 1].
        stage: "align", "fuse" and so on.
        message: what is at work, such as the name of a frame.
        error: facts of what went wrong.
        stop: set to end it.
    """

    kind: JobKind
    stack: str
    title: str
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    state: State = "waiting"
    share: float = 0.0
    stage: str = ""
    message: str = ""
    error: dict[str, Any] | None = None
    stop: Event = field(default_factory=Event)
    began: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float:
        """Since it began."""
        if self.began is None:
            return 0.0
        return (self.ended or monotonic()) - self.began

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        left = None
        if self.state == "running" and self.share > 0.02:
            left = round(self.seconds * (1 - self.share) / self.share, 1)
        names = ("id", "kind", "stack", "title", "state", "stage", "message", "error")
        return {
            **{name: getattr(self, name) for name in names},
            "share": round(self.share, 4),
            "seconds": round(self.seconds, 2),
            "left_s": left,
        }


class Jobs:
    """All that is being done.

    Args:
        hub: told of every step.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = Lock()
        self._jobs: dict[str, PageJob] = {}
        self._closed: dict[str, Callable[[], None] | None] = {}
        self._fusions = ThreadPoolExecutor(1, thread_name_prefix="fuse")
        self._drafts = ThreadPoolExecutor(1, thread_name_prefix="draft")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._waiting: dict[str, int] = {}
        self._undrafted: dict[str, dict[str, Any]] = {}

    def start(self, job: PageJob, work: Callable[[PageJob], None]) -> PageJob:
        """Do something in the background; what it raises is told.

        Args:
            job: what it is.
            work: calls `tell` of what it is given, and asks its `stop`.
        """
        with self._lock:
            self._jobs[job.id] = job
            if job.kind == "draft":
                self._undrafted.pop(job.stack, None)
            if job.stack in self._closed:
                job.stop.set()
        pool = self._drafts if job.kind in ("draft", "region") else self._fusions
        self._hub.tell("job", job=job.facts())
        pool.submit(self._run, job, work)
        return job

    def _run(self, job: PageJob, work: Callable[[PageJob], None]) -> None:
        job.began = monotonic()
        job.state = "running"
        self._hub.tell("job", job=job.facts())
        try:
            if job.stop.is_set():
                raise Cancelled("stopped as asked")
            work(job)
            job.state, job.share = "done", 1.0
        except Cancelled:
            job.state = "cancelled"
        except PanfocusError as error:
            self._note(job, error)
        except Exception as error:
            told = PanfocusError(
                "something unexpected happened, and the work is not done", got=in_short(error)
            )
            self._note(job, shortage(error) or told)
        finally:
            job.ended = monotonic()
            with self._lock:
                self._jobs.pop(job.id, None)
            self._hub.tell("job", job=job.facts())
            self._end_closed(job.stack)

    def _note(self, job: PageJob, error: PanfocusError) -> None:
        """Note what went wrong; of what was stopped, whose stack may be closed, nobody asks."""
        if job.stop.is_set():
            job.state = "cancelled"
            return
        job.state, job.error = "failed", facts_of(error)
        if job.kind == "draft":  # begun before any page is there to be told
            with self._lock:
                self._undrafted[job.stack] = job.error
            self.changed(job.stack)

    def why_undrafted(self, stack: str) -> dict[str, Any] | None:
        """Return why the last draft of a stack could not be made; None where nothing is wrong."""
        with self._lock:
            return self._undrafted.get(stack)

    def end(self, stack: str, close: Callable[[], None]) -> None:
        """Stop all that is done for a stack, for good, and close it once that has ended.

        Args:
            stack: its name.
            close: called once, in whichever thread is the last.
        """
        with self._lock:
            self._closed[stack] = close
        self.stop_all(stack)
        self._end_closed(stack)

    def _end_closed(self, stack: str) -> None:
        with self._lock:
            is_busy = any(job.stack == stack for job in self._jobs.values())
            close = None if is_busy else self._closed.get(stack)
            if close is not None:
                self._closed[stack] = None
        if close is not None:
            close()

    def teller(self, job: PageJob) -> Callable[[float, str, str], None]:
        """Return what takes the progress of `fuse`, and passes on as much as a page can show."""
        last = [0.0, ""]

        def tell(share: float, stage: str, message: str) -> None:
            job.share, job.stage, job.message = share, stage, message
            now = monotonic()
            if now - float(last[0]) > _PAUSE or stage != last[1]:
                last[:] = [now, stage]
                self._hub.tell("job", job=job.facts())

        return tell

    def aside(self, stack: str, act: Callable[[], None]) -> None:
        """Do something small in the background; of many that wait for a stack the last is done."""
        with self._lock:
            mine = self._waiting[stack] = self._waiting.get(stack, 0) + 1

        def once() -> None:
            if mine == self._waiting[stack]:
                act()

        self._aside.submit(once)

    def changed(self, stack: str) -> None:
        """Tell pages that there is something new to be known of a stack."""
        self._hub.tell("stack", id=stack)

    def stop(self, id_: str) -> bool:
        """Ask a job to end; False where there is none of that name."""
        with self._lock:
            job = self._jobs.get(id_)
        if job is not None:
            job.stop.set()
        return job is not None

    def stop_all(self, stack: str | None = None, kind: JobKind | None = None) -> None:
        """Ask all jobs, or those of one stack or kind, to end."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            if stack in (None, job.stack) and kind in (None, job.kind):
                job.stop.set()

    def are_for(self, stack: str, *kinds: JobKind) -> bool:
        """Whether something of these kinds is being done for a stack, or waits."""
        with self._lock:
            return any(job.stack == stack and job.kind in kinds for job in self._jobs.values())

    def facts(self) -> list[dict[str, Any]]:
        """Return what is being done."""
        with self._lock:
            return [job.facts() for job in self._jobs.values()]

    def close(self) -> None:
        """End all; nothing new begins."""
        self.stop_all()
        for pool in (self._drafts, self._fusions):
            pool.shutdown(wait=True, cancel_futures=True)
        self._aside.shutdown(wait=True)  # strokes are written down before the end
        with self._lock:
            self._jobs.clear()  # what has waited never begins
            closed = list(self._closed)
        for stack in closed:
            self._end_closed(stack)


def facts_of(error: PanfocusError) -> dict[str, Any]:
    """Return what a page is told of an error."""
    names = ("what", "where", "expected", "got", "remedy")
    return {name: value for name in names if (value := getattr(error, name)) is not None}
