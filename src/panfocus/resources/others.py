"""Errors of codecs, parsers and plug-ins, told as ours."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from panfocus.errors import PanfocusError
from panfocus.resources.shortage import shortage


@contextmanager
def others_told(
    tell: Callable[[Exception], PanfocusError], *kinds: type[Exception]
) -> Generator[None]:
    """Raise errors of others as errors of panfocus, and let its own pass.

    Some of its own are ValueErrors too, and would be taken for damage; so would a thread that
    cannot be started, which says nothing of the file. A MemoryError may say something of it, as a
    damaged header asks for any size: `tell` is asked.

    Args:
        tell: makes the error that is raised of the one that was.
        *kinds: what is caught.
    """
    try:
        yield
    except PanfocusError:
        raise
    except kinds as error:
        told = tell(error)
        lack = None if isinstance(error, MemoryError) else shortage(error, told.where)
        raise (lack or told) from error
