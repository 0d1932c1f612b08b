"""Whether what a program hands over can be taken: frames by size, functions."""

from __future__ import annotations

from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.pipeline.memory import check_memory, fusion_memory, memory_limit
from panfocus.pipeline.options import Options
from panfocus.schema import said
from panfocus.systems import PictureSystem, System


def check_fits(system: System | PictureSystem, settings: Options, frame: Frame, count: int) -> None:
    """Refuse frames of which so many that are as large would take more memory than is allowed.

    Raises:
        UsageError: they would.
    """
    height, width, *channels = frame.shape
    needed = fusion_memory(
        system,
        settings,
        count=count,
        height=height,
        width=width,
        channels=channels[0] if channels else 1,
        itemsize=frame.dtype.itemsize,
    )
    check_memory(needed, memory_limit(settings), "frames")


def check_called(**given: object) -> None:
    """Refuse what is to be called and cannot be, by the name of its parameter.

    Raises:
        UsageError: it is neither a function nor None.
    """
    for name, called in given.items():
        if called is not None and not callable(called):
            expected, got = "a function, or None", said(called)
            raise UsageError("this cannot be called", where=name, expected=expected, got=got)
