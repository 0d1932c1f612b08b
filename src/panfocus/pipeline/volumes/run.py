"""Fuse a scientific stack along Z, for every position, T and C, or by one guide channel for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from panfocus.io.volumes.stack import ZStack
from panfocus.io.volumes.volume import Position, Volume
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import settings_files
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import run_fusion
from panfocus.pipeline.settings import is_length
from panfocus.pipeline.slabs import slab_ranges
from panfocus.pipeline.surface_output import Relief
from panfocus.pipeline.volumes.check import FIXED, check
from panfocus.pipeline.volumes.choice import Choice, Group
from panfocus.pipeline.volumes.outputs import VolumeOutputs, Writing
from panfocus.pipeline.volumes.summary import Summary
from panfocus.pipeline.volumes.surfaces import Shown
from panfocus.systems import PictureSystem, System, load_system


def fuse_file(
    source: Path,
    outputs: VolumeOutputs,
    choice: Choice,
    *,
    mender: Mender | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> tuple[Summary, list[Path]]:
    """Fuse a file and write the result with its maps, all whole or none at all.

    Two frames of one stack are held at a time, whatever the file's size.

    Args:
        source: OME-TIFF, TIFF hyperstack, OME-Zarr, or a folder with one plane a file.
        outputs: ``.tif`` for OME-TIFF (a hyperstack of ImageJ for one that came in, unless it is
            ``.ome.tif``), ``.zarr`` for OME-Zarr; TCYX (or TCZYX with Z 1); or a picture, where
            one plane is left.
        choice: what and how.
        mender: puts strokes onto what is fused; None for none.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame.

    Returns:
        What was done, and the files.

    Raises:
        InputError: a plane is missing, cut off, of another size, holds NaN, or the file is gone.
        OutputError: an output exists or cannot be written, for want of space say.
        UsageError: see `check`; or the output is a picture, and more than one plane is left.
        Cancelled: `cancel` said so.
    """
    outputs.check([source, *settings_files(choice.settings)])
    choice = outputs.heeded(choice)
    settings = choice.settings
    system = load_system(settings.system, threads=settings.threads, device=settings.device)
    with closing(choice.open(source)) as volume:
        check(volume, choice, system)
        if mender is not None:
            mender.check(volume, choice)
        summary = Summary(str(source), volume.kind, asdict(settings))
        known = list(volume.notes)
        summary.warnings.extend(known)
        with outputs.open(volume, choice) as writing:
            for one in fused_stacks(
                volume,
                choice,
                system,
                summary,
                slab=outputs.slab,
                progress=progress,
                cancel=cancel,
            ):
                if mender is not None:
                    one = mender.mended(one, choice)  # noqa: PLW2901  the same, with strokes
                    summary.stacks[-1]["retouch"] = one.fusion.report.retouch
                hand_over(writing, one)
        # what showed while planes were read comes first
        summary.warnings[:0] = [note for note in volume.notes if note not in known]
        summary.warnings.extend(writing.notes)
        return summary, outputs.written(volume, choice)


@dataclass(frozen=True)
class FusedStack:
    """One fusion along Z.

    Attributes:
        group: what of the volume was fused.
        stack: its planes; it turns pictures back into the numbers of the source.
        fusion: what came of it.
        slabs: fusions of its slabs, without maps, where any are wanted; each is made when asked.
    """

    group: Group
    stack: ZStack
    fusion: FusedPicture
    slabs: Iterator[FusedPicture]

    @property
    def position(self) -> Position:
        """Of the volume."""
        return self.group.selection.position


class Mender(Protocol):
    """Puts strokes onto pictures of a volume."""

    def check(self, volume: Volume, choice: Choice) -> None:
        """Refuse strokes that lie on nothing that is fused, before any work.

        Raises:
            UsageError: they do.
        """
        ...

    def mended(self, one: FusedStack, choice: Choice) -> FusedStack:
        """Return a fusion with the strokes of its place on it."""
        ...


class _Told:
    """Tells how many planes of all have been taken."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def of(self, group: Group, planes: int) -> Progress | None:
        """Return what tells of the next so many planes of a group."""
        progress, before = self._progress, self._done
        self._done += planes
        if progress is None:
            return None
        is_last = self._done == self._total

        def tell(share: float, stage: str, message: str) -> None:
            done = before + share * planes
            number = min(round(done) + 1, self._total)
            text = f"plane {number} of {self._total}: {group.where}, {message}"
            stage = "fuse" if stage == "done" and not is_last else stage
            progress(done / self._total, stage, message if stage == "done" else text)

        return tell


def fused_stacks(
    volume: Volume,
    choice: Choice,
    system: System | PictureSystem,
    summary: Summary,
    *,
    slab: tuple[int, int] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Iterator[FusedStack]:
    """Yield the fusion of every position, T and C that is chosen, in order of the output.

    Args:
        volume: open, and checked by `check`.
        choice: what and how.
        system: what decides.
        summary: takes the facts of each fusion, and its warnings.
        slab: planes of each slab, and how many it shares with the next; None for no slabs.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame.

    Raises:
        InputError: a plane cannot be read, or holds NaN.
        Cancelled: `cancel` said so.
    """
    groups = choice.groups(choice.selected(volume))
    parts = [_slabs(group, slab) for group in groups]
    counts = [g.planes + sum(map(len, p)) for g, p in zip(groups, parts, strict=True)]
    told = _Told(progress, sum(counts))
    for group, ranges in zip(groups, parts, strict=True):
        one = group.selection
        stack = ZStack(
            volume.path,
            one.position,
            group.time,
            group.channels,
            group.guide,
            depths=one.depths,
        )
        settings = choice.settings
        tell = told.of(group, group.planes)
        fusion = fuse_group(stack, group, settings, system, progress=tell, cancel=cancel)
        summary.add(group, fusion)
        plain = replace(settings, maps=False, reference="middle")
        tellers = [told.of(group, len(part)) for part in ranges]
        slabs = (
            fuse_group(stack.part(part), group, plain, system, progress=t, cancel=cancel)
            for part, t in zip(ranges, tellers, strict=True)
        )
        yield FusedStack(group, stack, fusion, slabs)


def _slabs(group: Group, slab: tuple[int, int] | None) -> Sequence[range]:
    return [] if slab is None else slab_ranges(group.planes, *slab)


def fuse_group(
    stack: ZStack,
    group: Group,
    settings: Options,
    system: System | PictureSystem,
    **told: Any,  # noqa: ANN401  progress and cancel
) -> FusedPicture:
    """Return the fusion of a group's planes, which count from the volume's first.

    Args:
        stack: its planes, or some of them.
        group: what is fused together.
        settings: how.
        system: what decides.
        **told: `progress` and `cancel`, as for `panfocus.fuse`.
    """
    step = step_of(group.selection.position, settings)
    options: dict[str, Any] = {**asdict(settings), **FIXED, "z_step_um": step, **told}
    options.pop("system")
    fusion = run_fusion(stack, system=system, **options)
    return _counted_from(group.selection.depths.start, fusion)


def step_of(position: Position, settings: Options) -> float | None:
    """Return how far a position's planes are from each other in µm, as told or as it says.

    None where nobody says it, and where planes are unevenly apart: they say where they are.
    """
    if settings.z_step_um is not None:
        return settings.z_step_um
    said = position.voxel_um[0]
    return said if position.z_um is None and is_length(said) else None


def _counted_from(first: int, fusion: FusedPicture) -> FusedPicture:
    """Return a fusion whose index and depth count planes from the volume's first one."""
    if first == 0 or fusion.index is None or fusion.depth is None:
        return fusion
    report = fusion.report
    step = report.settings["z_step_um"] or (0.0 if report.depth_unit == "µm" else 1.0)
    index = fusion.index + np.uint16(first)
    return replace(fusion, index=index, depth=fusion.depth + np.float32(first * step))


def hand_over(writing: Writing, one: FusedStack) -> None:
    """Give a fusion to all that is written of it."""
    for kind, sink in writing.sinks.items():
        if kind == "slab":
            planes = (plane for slab in one.slabs for plane in one.stack.split(slab.image))
        elif kind == "image":
            planes = iter(one.stack.split(one.fusion.image))
        else:
            planes = iter([getattr(one.fusion, kind)])
        for plane in planes:
            sink.add(plane)
    writing.add_surfaces(one.group, shown_of(one))


def shown_of(one: FusedStack) -> Shown:
    """Return what can be drawn of a fusion."""
    fusion, position = one.fusion, one.position
    return Shown(
        one.stack.split(fusion.image),
        [position.channels[c] for c in one.group.channels],
        position.voxel_um,
        Relief.of(fusion),
    )
