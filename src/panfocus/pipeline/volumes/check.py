"""What of a volume cannot be fused, told before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from panfocus.errors import InputError, UsageError
from panfocus.io.volumes.volume import Volume
from panfocus.pipeline.map_files import check_makes_maps
from panfocus.pipeline.memory import check_memory, fusion_memory, memory_limit
from panfocus.pipeline.options import Options
from panfocus.pipeline.slabs import slab_ranges
from panfocus.pipeline.volumes.choice import Choice, Selection
from panfocus.resources.memory import hold_algebra_room, process_limit
from panfocus.schema import said
from panfocus.systems import Card, PictureSystem, System

#: Options that no stack here has otherwise: brightness is data, and all positions keep their size.
FIXED: Mapping[str, Any] = {"exposure": "none", "keep_size": True, "bit_depth": "same"}


def check(volume: Volume, choice: Choice, system: System | PictureSystem) -> int:
    """Refuse what cannot be fused, before any work; return the estimated peak in bytes.

    Raises:
        InputError: a position with one plane along Z, or with planes too small.
        UsageError: no such guide channel or stack, maps of a system that makes none, or more
            memory needed than allowed.
    """
    settings = choice.settings
    if settings.maps and settings.mode != "best-plane":
        check_makes_maps(system.card)
    if choice.guide is not None:
        check_guide(system.card)
    if settings.cull:
        raise UsageError(
            "planes of a scientific stack are not left out: depth would no longer be right",
            where="cull",
            remedy="leave it out; the report still names planes that spoil the stack",
        )
    selected = choice.selected(volume)
    for one in selected:
        _check_depths(volume, one)
    together = max(len(group.channels) for group in choice.groups(selected))
    most = max(_memory(one, settings, system, together) for one in selected)
    if process_limit() is not None:  # files of planes grow while these are fused
        hold_algebra_room()
    check_memory(most, memory_limit(settings), "planes")
    return most


def check_guide(card: Card) -> None:
    """Refuse a channel that decides for others where the system does not decide.

    Raises:
        UsageError: it makes a picture.
    """
    if card.kind == "picture":
        raise UsageError(
            f"the system {card.name} cannot decide on one channel for others",
            where="guide_channel",
            expected="a system of kind decision",
        )


def _check_depths(volume: Volume, selected: Selection) -> None:
    position = selected.position
    if len(selected.depths) >= 2:
        return
    is_chosen = position.depths > 1
    raise InputError(
        "there is nothing to fuse along Z",
        where=f"{volume.path}, position {position.name}",
        expected="at least 2 planes along Z",
        got=f"T {position.times}, C {len(position.channels)}, Z {position.depths}"
        + (", of which one is chosen" if is_chosen else ""),
        remedy="choose more planes by `only`"
        if is_chosen
        else "if the planes along another axis are the stack, say so by `axes`",
    )


def _memory(
    selected: Selection, settings: Options, system: System | PictureSystem, together: int
) -> int:
    position = selected.position
    return fusion_memory(
        system,
        replace(settings, **FIXED),
        count=len(selected.depths),
        height=position.height,
        width=position.width,
        channels=max(position.samples, together),
        itemsize=position.dtype.itemsize,
    )


def check_slab(slab: tuple[int, int] | None, settings: Options) -> None:
    """Refuse slabs that there are none of, or that would each lie elsewhere.

    Raises:
        UsageError: it is so.
    """
    if slab is None:
        return
    if not isinstance(cast("object", slab), (tuple, list)) or len(slab) != 2:
        raise UsageError(
            "there are no such slabs",
            where="slab",
            expected="a pair of a size and an overlap",
            got=said(slab),
        )
    slab_ranges(2, *slab)
    if settings.align != "none" or settings.load_transforms is not None:
        raise UsageError(
            "the slabs of a volume cannot be aligned: each would lie elsewhere",
            where="slab, align",
            remedy="leave one of them out",
        )
