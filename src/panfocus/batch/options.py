"""What a batch does, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from panfocus.batch.job import Job


@dataclass(frozen=True)
class BatchOptions:
    """How to run a batch.

    Attributes:
        source: folder of stacks, or manifest.
        out: folder for results.
        template: settings, maps and quality of every job.
        ending: of the pictures.
        workers: processes; None for one per processor, 0 for none but this one.
        scheduler: address of a Dask scheduler in place of processes here.
        resume: leave out what is done; renew what has changed.
        overwrite: replace existing files.
        watch: wait for new stacks until interrupted.
        settle_s: with `watch`: seconds for which a stack's files must not have changed.
        idle_s: with `watch`: stop after so long without anything new; None for never.
    """

    source: Path
    out: Path
    template: Job
    ending: str = ".tif"
    workers: int | None = None
    scheduler: str | None = None
    resume: bool = False
    overwrite: bool = False
    watch: bool = False
    settle_s: float = 5.0
    idle_s: float | None = None
