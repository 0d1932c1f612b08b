"""How a stack of a batch went, in values that travel between machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from panfocus.batch.job import Job
from panfocus.errors import PanfocusError
from panfocus.resources.shortage import shortage

State = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class StackOutcome:
    """How a stack went.

    Attributes:
        name: of the stack.
        state: "done", "failed" or "skipped" (done by an earlier run).
        error: what, where, expected, got, remedy; None when nothing failed.
        outputs: files written.
        frames: how many were fused.
        seconds: spent on it, where it was done.
        timings_s: of the stages.
        memory_bytes: estimated peak.
        tries: more than 1 when a worker died over it.
        worker: host and process id.
        warnings: notes of the fusion.
        aligned: frames that lie on the reference; None where that was not asked for.
        left_unaligned: names of the others.
    """

    name: str
    state: State
    error: str | None = None
    outputs: list[str] = field(default_factory=list[str])
    frames: int = 0
    seconds: float = 0.0
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    memory_bytes: int = 0
    tries: int = 0
    worker: str = ""
    warnings: list[str] = field(default_factory=list[str])
    aligned: int | None = None
    left_unaligned: list[str] = field(default_factory=list[str])


def failed(job: Job, error: PanfocusError, **facts: Any) -> StackOutcome:  # noqa: ANN401  fields
    """Return the outcome of a stack that an error has ended."""
    return StackOutcome(job.name, "failed", error=error.text(), **facts)


def unforeseen(job: Job, error: Exception, **facts: Any) -> StackOutcome:  # noqa: ANN401  fields
    """Return the outcome of a stack that nobody foresaw."""
    lack = shortage(error)
    if lack is not None:
        return failed(job, lack, **facts)
    if isinstance(error, OSError):  # a frame went between being found and being looked at
        what, got = "a file of the stack cannot be read or written", error.strerror or str(error)
    else:
        what, got = "the stack failed unexpectedly", f"{type(error).__name__}: {error}"
    where = getattr(error, "filename", None)
    return failed(job, PanfocusError(what, where=where and str(where), got=got), **facts)
