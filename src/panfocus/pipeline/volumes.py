"""Fuse a scientific stack along Z, for every position, T and C, or by one guide channel for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from panfocus.errors import InputError, UsageError
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.stack import ZStack
from panfocus.io.volumes.volume import Position, Volume
from panfocus.io.volumes.write import Sink
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.memory import check_memory, fusion_memory, memory_limit
from panfocus.pipeline.options import Options
from panfocus.pipeline.outputs import check_makes_maps
from panfocus.pipeline.plan import settings_files
from panfocus.pipeline.result import Fusion
from panfocus.pipeline.run import fuse
from panfocus.pipeline.settings import check_uncalibrated, is_length, make_settings
from panfocus.pipeline.volume_outputs import Selection, VolumeOutputs
from panfocus.systems import PictureSystem, System, load_system

#: Options that no stack here has otherwise: brightness is data, and all positions keep their size.
_FIXED: Mapping[str, Any] = {"exposure": "none", "keep_size": True}


def volume_settings(**options: Any) -> Options:  # noqa: ANN401  checked by `make_settings`
    """Return checked settings for volumes, whose planes are in place unless alignment is asked for.

    Raises:
        UsageError: unknown option or value.

    Example:
        >>> volume_settings(system="guided").align
        'none'
    """
    settings = make_settings(**{**options, "align": options.get("align") or "none"})
    check_uncalibrated(settings, "planes of volumes")
    return settings


@dataclass(frozen=True)
class Choice:
    """What of a file is fused, and how.

    Attributes:
        settings: how; of `volume_settings`, unless planes are to be aligned.
        axes: letters for a file that does not say them.
        guide: channel, by number or name, that decides for all; None: each decides for itself.
        only: (position, T, C) to fuse that stack alone; None for all.
        pattern: of the names in a folder of planes; None to see by the usual words.
    """

    settings: Options
    axes: str | None = None
    guide: str | None = None
    only: tuple[int, int, int] | None = None
    pattern: str | None = None

    def open(self, source: Path) -> Volume:
        """Open the file or folder; no pixel is read.

        Raises:
            InputError: missing, damaged, cut off, or of kinds that are not taken.
            UsageError: axes or a pattern that do not fit; an extra is missing.
        """
        lenient = self.settings.lenient
        return open_volume(source, self.axes, lenient=lenient, pattern=self.pattern)


@dataclass(frozen=True)
class Summary:
    """What was done, in values that JSON can hold.

    Attributes:
        source: the file.
        kind: of file.
        stacks: facts of each fusion along Z.
        system: name, hash and licence of what decided.
        settings: as resolved.
        warnings: for the user.
    """

    source: str
    kind: str
    settings: dict[str, Any]
    system: dict[str, Any] = field(default_factory=dict[str, Any])
    stacks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    warnings: list[str] = field(default_factory=list[str])


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
    if choice.guide is not None and system.card.kind == "picture":
        raise UsageError(
            f"the system {system.card.name} cannot decide on one channel for others",
            where="guide_channel",
            expected="a system of kind decision",
        )
    if settings.cull:
        raise UsageError(
            "planes of a scientific stack are not left out: depth would no longer be right",
            where="cull",
            remedy="leave it out; the report still names planes that spoil the stack",
        )
    most = 0
    for position in volume.positions:
        if position.depths < 2:
            raise InputError(
                "there is nothing to fuse along Z",
                where=f"{volume.path}, position {position.name}",
                expected="at least 2 planes along Z",
                got=f"T {position.times}, C {len(position.channels)}, Z {position.depths}",
                remedy="if the planes along another axis are the stack, say so by `axes`",
            )
        together = 1 if choice.guide is None else len(position.channels)
        if choice.guide is not None:
            position.channel(choice.guide)
        samples = max(position.samples, together)
        needed = fusion_memory(
            system,
            replace(settings, **_FIXED),
            count=position.depths,
            height=position.height,
            width=position.width,
            channels=samples,
            itemsize=position.dtype.itemsize,
        )
        most = max(most, needed)
    check_memory(most, memory_limit(settings), "planes")
    _selected(volume, choice)
    return most


def _selected(volume: Volume, choice: Choice) -> list[Selection]:
    """Return what of each position is fused.

    Raises:
        UsageError: `only` names none.
    """
    if choice.only is None:
        return [Selection.whole(position) for position in volume.positions]
    p, t, c = choice.only
    if p >= len(volume.positions) or not (
        t < volume.positions[p].times and c < len(volume.positions[p].channels)
    ):
        raise UsageError("there is no such stack", where=str(volume.path), got=f"{choice.only}")
    position = volume.positions[p]
    every = range(len(position.channels))
    return [Selection(position, [t], [c] if choice.guide is None else every)]


def fuse_file(
    source: Path,
    outputs: VolumeOutputs,
    choice: Choice,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Summary:
    """Fuse a file and write the result with its maps, all whole or none at all.

    Two frames of one stack are held at a time, whatever the file's size.

    Args:
        source: OME-TIFF, TIFF hyperstack or OME-Zarr.
        outputs: ``.tif`` for OME-TIFF (a hyperstack of ImageJ for one that came in, unless it is
            ``.ome.tif``), ``.zarr`` for OME-Zarr; TCYX (or TCZYX with Z 1).
        choice: what and how.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame.

    Raises:
        InputError: a plane is missing, cut off, of another size, holds NaN, or the file is gone.
        OutputError: an output exists or cannot be written, for want of space say.
        UsageError: see `check`.
        Cancelled: `cancel` said so.
    """
    outputs.check([source, *settings_files(choice.settings)])
    settings = replace(choice.settings, maps=bool(outputs.maps))
    choice = replace(choice, settings=settings)
    system = load_system(settings.system, threads=settings.threads, device=settings.device)
    with closing(choice.open(source)) as volume:
        check(volume, choice, system)
        summary = Summary(str(source), volume.kind, asdict(settings))
        known = list(volume.notes)
        summary.warnings.extend(known)
        selected = _selected(volume, choice)
        with outputs.open(volume, selected, guided=choice.guide is not None) as sinks:
            for one in fused_stacks(
                volume, choice, system, summary, progress=progress, cancel=cancel
            ):
                _hand_over(sinks, one.stack, one.fusion)
        # what showed while planes were read comes first
        summary.warnings[:0] = [note for note in volume.notes if note not in known]
    return summary


@dataclass(frozen=True)
class FusedStack:
    """One fusion along Z.

    Attributes:
        position: of the volume.
        time: number along T.
        stack: what was fused; it turns the picture back into the numbers of the source.
        fusion: what came of it.
    """

    position: Position
    time: int
    stack: ZStack
    fusion: Fusion


def fused_stacks(
    volume: Volume,
    choice: Choice,
    system: System | PictureSystem,
    summary: Summary,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Iterator[FusedStack]:
    """Yield the fusion of every position, T and C that is chosen, in order of the output.

    Args:
        volume: open, and checked by `check`.
        choice: what and how.
        system: what decides.
        summary: takes the facts of each fusion, and its warnings.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame.

    Raises:
        InputError: a plane cannot be read, or holds NaN.
        Cancelled: `cancel` said so.
    """
    stacks = _stacks(_selected(volume, choice), choice)
    for n, (position, t, channels) in enumerate(stacks):
        tell = _part(progress, n, len(stacks), position.where(t, channels[0]))
        guide = position.channel(choice.guide) if choice.guide else channels[0]
        stack = ZStack(volume.path, position, t, channels, guide)
        settings = choice.settings
        fusion = _fuse(stack, position, settings, system, progress=tell, cancel=cancel)
        _note(summary, position, t, channels, fusion)
        yield FusedStack(position, t, stack, fusion)


def _stacks(
    selected: Sequence[Selection], choice: Choice
) -> list[tuple[Position, int, Sequence[int]]]:
    """Return (position, T, channels fused together) of every fusion, in order of the output."""
    out: list[tuple[Position, int, Sequence[int]]] = []
    for one in selected:
        groups = [one.channels] if choice.guide is not None else [[c] for c in one.channels]
        out += [(one.position, t, group) for t in one.times for group in groups]
    return out


def _fuse(
    stack: ZStack,
    position: Position,
    settings: Options,
    system: System | PictureSystem,
    **told: Any,  # noqa: ANN401  progress and cancel
) -> Fusion:
    said = position.voxel_um[0] if is_length(position.voxel_um[0]) else None
    step = settings.z_step_um if settings.z_step_um is not None else said
    if settings.z_step_um is None and stack.is_uneven:
        step = None  # the frames say where they are
    options: dict[str, Any] = {**asdict(settings), **_FIXED, "z_step_um": step, **told}
    options.pop("system")
    return fuse(stack, system=system, **options)


def _part(progress: Progress | None, n: int, count: int, where: str) -> Progress | None:
    if progress is None:
        return None

    def tell(share: float, stage: str, message: str) -> None:
        last = stage == "done" and n < count - 1
        progress((n + share) / count, "fuse" if last else stage, f"{where}, {message}")

    return tell


def _note(
    summary: Summary, position: Position, t: int, channels: Sequence[int], fusion: Fusion
) -> None:
    report = fusion.report
    summary.system.update(report.system)
    facts = {
        "position": position.name,
        "t": t,
        "c": list(channels),
        "channels": [position.channels[c].name for c in channels],
        "z_step_um": report.settings["z_step_um"],
        "frames": report.frames,
        "reference": report.reference,
        "timings_s": report.timings_s,
    }
    summary.stacks.append(facts)
    where = position.where(t, channels[0])
    summary.warnings.extend(f"{where}: {warning}" for warning in report.warnings)


def _hand_over(sinks: Mapping[str, Sink], stack: ZStack, fusion: Fusion) -> None:
    for kind, sink in sinks.items():
        planes = stack.split(fusion.image) if kind == "image" else [getattr(fusion, kind)]
        for plane in planes:
            sink.add(plane)
