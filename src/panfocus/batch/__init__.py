"""Many stacks: find them, fuse them on one machine or on a cluster, and say how each went."""

from __future__ import annotations

from panfocus.batch.job import Job
from panfocus.batch.jobs import find_jobs
from panfocus.batch.options import BatchOptions
from panfocus.batch.run import run_batch

__all__ = ["BatchOptions", "Job", "find_jobs", "run_batch"]
