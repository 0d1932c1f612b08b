"""The thread that zarr does its work in: begun where its refusal can be told, and waited for.

Zarr's functions wait for it, but for what fails: then they return, and what was begun beside goes
on, and writes.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from panfocus.errors import UsageError
from panfocus.resources.shortage import shortage

#: Seconds that are waited for work that goes on; a disk that answers is quicker.
_PATIENCE_S = 20.0


def begin() -> None:
    """Have the thread start here: where it cannot, zarr would wait for it ever after.

    Raises:
        UsageError: it is set up to do nothing at all, and would be waited for for ever.
        PanfocusError: no thread is to be had.
    """
    sync: Any = import_module("zarr.core.sync")
    at_once: object = import_module("zarr").config.get("async.concurrency", 1)
    if at_once is not None and (not isinstance(at_once, int) or at_once < 1):
        raise UsageError(
            "zarr is set up to do nothing",
            where="ZARR_ASYNC__CONCURRENCY, or its configuration",
            expected="how much is done at once, 1 or more",
            got=str(at_once),
        )
    begin, forget = (
        getattr(sync, name, None) for name in ("_get_loop", "reset_resources_after_fork")
    )
    if begin is None or forget is None:  # another zarr, which may do better
        return
    try:
        begin().set_exception_handler(_silent)
    except RuntimeError as error:
        if sync.loop[0] is not None:
            sync.loop[0].close()
        forget()
        raise (shortage(error, "zarr") or error) from error


def _silent(_loop: object, _facts: object) -> None:
    """Say nothing of what fails in that thread: whoever waits for it is told."""


def wait() -> None:
    """Wait until nothing goes on there; a folder that is removed earlier may come back."""
    sync: Any = sys.modules.get("zarr.core.sync")
    loop: Any = getattr(sync, "loop", [None])[0]
    if loop is not None and loop.is_running():
        with suppress(TimeoutError, RuntimeError):
            asyncio.run_coroutine_threadsafe(_others(), loop).result(_PATIENCE_S)


async def _others() -> None:
    own = asyncio.current_task()
    while others := {task for task in asyncio.all_tasks() if task is not own}:
        await asyncio.wait(others)
