"""Who does the work: this process, or the workers of a Dask cluster.

Only tasks (names of files, settings) go to a worker and only outcomes come back.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from importlib import import_module
from time import monotonic
from typing import Any, Protocol, cast

from panfocus.batch.cluster import (
    dask_loop,
    join,
    may_hold_workers,
    may_open_many,
    scratch,
    start_local,
)
from panfocus.batch.outcome import StackOutcome
from panfocus.batch.task import StackTask
from panfocus.batch.work import run_task
from panfocus.errors import PanfocusError, UsageError
from panfocus.resources.paths import shown

#: A cluster is looked after so often, and may be without workers for so long, in seconds: a nanny
#: starts a dead one again within a few.
_LOOK_S, _PATIENCE_S = 10.0, 120.0
#: Workers that may be asked for: so many a processor, or these where processors are few.
_PER_PROCESSOR, _LEAST_MOST = 4, 64


class Crew(Protocol):
    """Takes tasks, gives outcomes in the order in which they are ready.

    Attributes:
        slots: how many tasks it does at a time.
        memory_bytes: of one worker; None for no limit of its own.
        title: for the report.
    """

    slots: int
    memory_bytes: int | None
    title: str

    def start(self, task: StackTask) -> None:
        """Begin a task."""
        ...

    def wait(self, seconds: float) -> list[tuple[StackTask, StackOutcome]]:
        """Return what is ready, waiting no longer than this."""
        ...


class Alone:
    """One task after the other, in this process."""

    def __init__(self, title: str = "one after the other in this process") -> None:
        self.slots = 1
        self.memory_bytes: int | None = None
        self.title = title
        self._tasks: deque[StackTask] = deque()

    def start(self, task: StackTask) -> None:
        """Keep it for `wait`."""
        self._tasks.append(task)

    def wait(self, seconds: float) -> list[tuple[StackTask, StackOutcome]]:
        """Do the next task."""
        task = self._tasks.popleft()
        return [(task, run_task(task))]


class DaskCrew:
    """The workers of a Dask cluster; a task whose worker dies goes to another one."""

    def __init__(self, client: Any, title: str) -> None:  # noqa: ANN401  dask has no types
        self._client = client
        self._running: dict[Any, StackTask] = {}
        self._alone_since: float | None = None
        self.title = title
        workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
        self.slots = max(sum(int(w["nthreads"]) for w in workers.values()), 1)
        limits = [int(w["memory_limit"]) // int(w["nthreads"]) for w in workers.values()]
        self.memory_bytes: int | None = min((n for n in limits if n), default=None)

    def start(self, task: StackTask) -> None:
        """Send it."""
        # Dask sends keys as UTF-8, and a name may hold bytes that are no letters
        key = f"panfocus-{task.run}-{shown(task.job.name)}-{task.key[:16]}"
        future = self._client.submit(run_task, task, key=key, pure=False)
        self._running[future] = task

    def wait(self, seconds: float) -> list[tuple[StackTask, StackOutcome]]:
        """Return what is ready.

        Raises:
            PanfocusError: the scheduler, or every worker, is gone for good.
        """
        distributed = _distributed()
        try:
            distributed.wait(
                list(self._running), timeout=min(seconds, _LOOK_S), return_when="FIRST_COMPLETED"
            )
        except (TimeoutError, distributed.TimeoutError):
            self._look_after()
            return []
        except CancelledError as error:
            if self._client.status != "running":
                raise _gone("The scheduler does not answer any more.", self.title) from error
        self._alone_since = None
        done = [f for f in self._running if f.status != "pending"]
        return [(task, _outcome(f, task)) for f in done for task in [self._running.pop(f)]]

    def _look_after(self) -> None:
        """Wait for a worker to come back, but not for ever."""
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            self._alone_since = None
            return
        self._alone_since = self._alone_since or monotonic()
        if monotonic() - self._alone_since >= _PATIENCE_S:
            raise _gone("No worker is left.", self.title)


def _gone(what: str, title: str) -> PanfocusError:
    return PanfocusError(
        what,
        where=title,
        expected="a cluster that stays until the batch is done",
        remedy="start it again, then run the same command with --resume: what is done is kept",
    )


def _outcome(future: Any, task: StackTask) -> StackOutcome:  # noqa: ANN401  a Future without types
    if future.status == "finished":
        return cast("StackOutcome", future.result())
    error: object = future.exception() if future.status == "error" else None
    is_killed = type(error).__name__ == "KilledWorker"
    what = "Every worker that was given this stack died." if is_killed else "The stack was lost."
    remedy = (
        "look into the workers' memory and logs; `--workers 0` fuses it in this process"
        if is_killed
        else "run again with --resume"
    )
    got = f"{type(error).__name__}" if error is not None else f"task {future.status}"
    return StackOutcome(
        task.job.name,
        "failed",
        f"{what}\n  got: {got}\n  remedy: {remedy}",
        frames=task.frames,
        memory_bytes=task.memory_bytes,
    )


def _distributed() -> Any:  # noqa: ANN401  dask has no types
    """Import Dask.

    Raises:
        ModuleNotFoundError: the extra ``batch`` is not installed.
        UsageError: Dask's configuration, of its files or of ``DASK_...``, keeps it from starting.
    """
    try:
        return import_module("distributed")
    except ModuleNotFoundError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise UsageError(
            "the configuration of Dask keeps it from starting",
            where="its files of configuration, or variables that begin with DASK_",
            expected="values that it knows",
            got=f"{error}, which it does not take",
            remedy="mend them; `--workers 0` does without",
        ) from error


def has_dask() -> bool:
    """Whether the extra ``batch`` is installed."""
    try:
        _distributed()
    except ModuleNotFoundError:
        return False
    return True


def default_workers() -> int:
    """Return one worker per processor that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_workers(workers: int) -> int:
    """Return a number of processes; more than any work could keep busy would take all there is.

    Raises:
        UsageError: they are, or they are fewer than none.
    """
    most = max(_LEAST_MOST, _PER_PROCESSOR * (os.cpu_count() or 1))
    if not 0 <= workers <= most:
        raise UsageError(
            "so many workers cannot be",
            where="workers",
            expected=f"0 to {most} on this machine",
            got=str(workers) if abs(workers) < 10**9 else "a number of more than 9 digits",
            remedy="leave it out for one per processor",
        )
    return workers


@contextmanager
def gather_crew(workers: int, scheduler: str | None, memory_bytes: int) -> Generator[Crew]:
    """Start workers, or find those of a scheduler; they are sent home at the end.

    Args:
        workers: processes on this machine; 0 for none but this one.
        scheduler: address of a lab's own, ``tcp://host:8786``; then `workers` is not looked at.
        memory_bytes: what all stacks being fused on this machine may take together.

    Raises:
        UsageError: the scheduler does not answer, or needs the extra ``batch``.
    """
    if scheduler is None and (workers == 0 or not has_dask()):
        yield Alone()
        return
    if not has_dask():
        raise UsageError(
            "a scheduler needs what the core does without",
            where="scheduler",
            expected="the extra `batch`, which brings Dask",
            remedy="pip install 'panfocus[batch]'",
        )
    if scheduler is None and not may_hold_workers():
        yield Alone("one after the other in this process, as it may have little memory")
        return
    distributed = _distributed()
    if scheduler is not None:
        with join(distributed, scheduler) as client:
            yield DaskCrew(client, f"the workers of {scheduler}")
        return
    if not may_open_many():
        yield Alone("one after the other in this process, as few files may be open (`ulimit -n`)")
        return
    with ExitStack() as stack:
        stack.enter_context(scratch())
        runner = stack.enter_context(dask_loop())
        cluster = start_local(distributed, workers, memory_bytes, runner.loop)
        if cluster is None:
            yield Alone(f"one after the other in this process, as {workers} workers did not start")
            return
        stack.enter_context(cluster)
        client = stack.enter_context(distributed.Client(cluster))
        yield DaskCrew(client, f"{workers} worker processes on this machine")
