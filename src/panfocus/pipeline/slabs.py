"""Slabs: overlapping parts of a stack, each fused to a picture of its own.

Where something in front hides or spoils what is behind it, the slab that holds only the one shows
it clean; retouching takes from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from panfocus.errors import UsageError
from panfocus.io.endings import beside
from panfocus.pipeline.journal import Cancel
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import run_fusion
from panfocus.registration.options import resolve_reference
from panfocus.registration.stack import Registration
from panfocus.schema import is_between, said


def slab_ranges(count: int, size: int, overlap: int) -> list[range]:
    """Return which frames each slab holds; the last may hold fewer, but always two.

    Args:
        count: frames of the stack.
        size: frames of a slab, >= 2.
        overlap: frames that a slab shares with the next, < size.

    Raises:
        UsageError: no such slabs.
    """
    is_whole = all(is_between(one, 0, 2**31) and one == int(one) for one in (size, overlap))
    if not is_whole or size < 2 or not 0 <= overlap < size:
        raise UsageError(
            "there are no such slabs",
            where="slab",
            expected="a size of at least 2, and an overlap of 0 to size - 1",
            got=f"{said(size)}, {said(overlap)}",
        )
    starts = range(0, max(count - overlap, 1), size - overlap)
    slabs = [range(start, min(start + size, count)) for start in starts]
    if len(slabs) > 1 and len(slabs[-1]) < 2:
        slabs[-1] = range(count - 2, count)
    return slabs


def slab_paths(output: Path, number: int) -> list[Path]:
    """Return ``OUT_slab01.tif`` and so on for `number` slabs beside the output."""
    digits = max(len(str(number)), 2)
    return [beside(output, f"_slab{n:0{digits}}") for n in range(1, number + 1)]


def fuse_slabs(
    plan_: Plan,
    size: int,
    overlap: int,
    *,
    registration: Registration | None = None,
    cancel: Cancel | None = None,
) -> Iterator[FusedPicture]:
    """Fuse slab after slab, without maps; all of one size, as layers must be.

    Args:
        plan_: of the whole stack.
        size: frames of a slab.
        overlap: frames that a slab shares with the next.
        registration: of the whole stack, which all slabs keep to; None where there is none.
        cancel: asked before every frame.

    Raises:
        UsageError: no such slabs.
    """
    settings = replace(plan_.settings, maps=False, cull=False)
    if settings.reference.isdecimal():  # its number means another frame in every slab
        settings = replace(settings, reference="middle")
    for part in slab_ranges(plan_.count, size, overlap):
        infos = [plan_.infos[n] for n in part]
        name = infos[resolve_reference(settings.reference, len(infos))].name
        lie = None if registration is None else registration.part(part)
        slab = replace(plan_, infos=infos, settings=settings, reference=name, registration=lie)
        yield run_fusion(slab, cancel=cancel)
