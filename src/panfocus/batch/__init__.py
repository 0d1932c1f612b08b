"""Many stacks: find them, fuse them on one machine or on a cluster, and say how each went."""

from __future__ import annotations

from panfocus.batch.jobs import Job, find_jobs
from panfocus.batch.run import BatchOptions, run_batch

__all__ = ["BatchOptions", "Job", "find_jobs", "run_batch"]
