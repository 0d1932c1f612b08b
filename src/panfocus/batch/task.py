"""What travels to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from panfocus.batch.job import Job


@dataclass(frozen=True)
class StackTask:
    """A job that has been checked; only this travels to a worker, never a pixel.

    Attributes:
        job: what to fuse.
        key: see `record.key_of`.
        record: file of its record.
        run: of which run it is; part of the names of its folders on the way.
        overwrite: whether any file may be replaced.
        memory_bytes: estimated peak.
        frames: number of them.
        renew: whether outputs that are as an earlier run left them may be replaced.
    """

    job: Job
    key: str
    record: Path
    run: str
    overwrite: bool
    memory_bytes: int
    frames: int
    renew: bool = False
