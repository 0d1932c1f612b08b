"""Fuse a scientific stack along Z, for every position, T and C, or by one guide channel for all."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from panfocus.errors import InputError, OutputError, UsageError
from panfocus.io.atomic import cannot_write, exists_error, located, place, staging
from panfocus.io.outputs import check_apart
from panfocus.io.stores import check_replaceable
from panfocus.io.volumes.open import is_zarr, open_volume
from panfocus.io.volumes.stack import ZStack
from panfocus.io.volumes.volume import Channel, Position, Volume
from panfocus.io.volumes.write import Picture, Sink, TiffSink, ZarrSink
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.options import Options, is_length
from panfocus.pipeline.outputs import check_makes_maps
from panfocus.pipeline.plan import check_memory, fusion_memory, memory_limit, settings_files
from panfocus.pipeline.result import Fusion
from panfocus.pipeline.run import fuse
from panfocus.systems import PictureSystem, System, load_system

_MAPS: Mapping[str, str] = {"depth": "float32", "index": "uint16", "confidence": "float32"}

#: Options that no stack here has otherwise: brightness is data, and all positions keep their size.
_FIXED: Mapping[str, Any] = {"exposure": "none", "keep_size": True}


@dataclass(frozen=True)
class Choice:
    """What of a file is fused, and how.

    Attributes:
        settings: how.
        axes: letters for a file that does not say them.
        guide: channel, by number or name, that decides for all; None: each decides for itself.
        maps: of "depth", "index", "confidence", those to write.
        only: (position, T, C) to fuse that stack alone; None for all.
    """

    settings: Options
    axes: str | None = None
    guide: str | None = None
    maps: tuple[str, ...] = ()
    only: tuple[int, int, int] | None = None


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


def output_files(out: Path, maps: Sequence[str]) -> dict[str, Path]:
    """Return all files of an output: "image", and its maps, named after it."""
    ending = next(
        (e for e in (".ome.tif", ".ome.tiff", ".ome.zarr") if out.name.lower().endswith(e)),
        out.suffix,
    )
    stem = out.name[: len(out.name) - len(ending)]
    tail = out.name[len(stem) :]
    return {"image": out, **{kind: out.with_name(f"{stem}_{kind}{tail}") for kind in maps}}


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists, or that is no Zarr to be replaced, or of another format.

    Raises:
        OutputError: it is so.
    """
    if not (is_zarr(path) or path.suffix.lower() in (".tif", ".tiff")):
        raise OutputError(
            "A scientific stack is written as OME-TIFF or OME-Zarr.",
            where=str(path),
            expected=".ome.tif, .tif, .ome.zarr or .zarr",
            got=path.suffix or "no extension",
        )
    path = located(path)
    if os.path.lexists(path) and not overwrite:
        raise exists_error(path)
    if path.exists() and path.is_dir() != is_zarr(path):
        raise OutputError("Something else of this name exists.", where=str(path))
    try:
        if path.is_dir():
            check_replaceable(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def check(volume: Volume, choice: Choice, system: System | PictureSystem) -> int:
    """Refuse what cannot be fused, before any work; return the estimated peak in bytes.

    Raises:
        InputError: a position with one plane along Z, or with planes too small.
        UsageError: no such guide channel or stack, maps of a system that makes none, or more
            memory needed than allowed.
    """
    settings = choice.settings
    if choice.maps and settings.mode != "best-plane":
        check_makes_maps(system.card)
    if choice.guide is not None and system.card.kind == "picture":
        raise UsageError(
            f"the system {system.card.name} cannot decide on one channel for others",
            where="--guide-channel",
            expected="a system of kind decision",
        )
    if settings.cull:
        raise UsageError(
            "Planes of a scientific stack are not left out: depth would no longer be right.",
            where="--cull",
            remedy="leave it out; the report still names planes that spoil the stack",
        )
    most = 0
    for position in volume.positions:
        if position.depths < 2:
            raise InputError(
                "There is nothing to fuse along Z.",
                where=f"{volume.path}, position {position.name}",
                expected="at least 2 planes along Z",
                got=f"T {position.times}, C {len(position.channels)}, Z {position.depths}",
                remedy="if the planes along another axis are the stack, say so by --axes",
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
    _positions(volume, choice)
    return most


def _positions(volume: Volume, choice: Choice) -> Sequence[Position]:
    """Return the positions to be fused.

    Raises:
        UsageError: `only` names none.
    """
    if choice.only is None:
        return volume.positions
    p, t, c = choice.only
    if p >= len(volume.positions) or not (
        t < volume.positions[p].times and c < len(volume.positions[p].channels)
    ):
        raise UsageError("There is no such stack.", where=str(volume.path), got=f"{choice.only}")
    return [volume.positions[p]]


def fuse_file(
    source: Path,
    out: Path,
    choice: Choice,
    *,
    files: Mapping[str, Path] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Summary:
    """Fuse a file and write the result with its maps, all whole or none at all.

    Two frames of one stack are held at a time, whatever the file's size.

    Args:
        source: OME-TIFF, TIFF hyperstack or OME-Zarr.
        out: ``.tif`` for OME-TIFF (a hyperstack of ImageJ for one that came in, unless it is
            ``.ome.tif``), ``.zarr`` for OME-Zarr; TCYX (or TCZYX with Z 1).
        choice: what and how.
        files: where "image" and each map go; None for names after `out`.
        overwrite: whether existing outputs may be replaced.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame.

    Raises:
        InputError: a plane is missing, cut off, of another size, holds NaN, or the file is gone.
        OutputError: an output exists or cannot be written, for want of space say.
        UsageError: see `check`.
        Cancelled: `cancel` said so.
    """
    wanted = dict(files) if files is not None else output_files(out, choice.maps)
    check_apart([source, *settings_files(choice.settings)], list(wanted.items()))
    for path in wanted.values():
        check_output(path, overwrite=overwrite)
    settings = replace(choice.settings, maps=bool(choice.maps))
    choice = replace(choice, settings=settings)
    system = load_system(settings.system, threads=settings.threads, device=settings.device)
    with closing(open_volume(source, choice.axes, lenient=settings.lenient)) as volume:
        check(volume, choice, system)
        summary = Summary(str(source), volume.kind, asdict(settings))
        known = list(volume.notes)
        summary.warnings.extend(known)
        stacks = _stacks(volume, choice)
        with _outputs(volume, choice, wanted, overwrite=overwrite) as sinks:
            for n, (position, t, channels) in enumerate(stacks):
                tell = _part(progress, n, len(stacks), position.where(t, channels[0]))
                guide = position.channel(choice.guide) if choice.guide else channels[0]
                stack = ZStack(source, position, t, channels, guide)
                fusion = _fuse(stack, position, settings, system, progress=tell, cancel=cancel)
                _note(summary, position, t, channels, fusion)
                _hand_over(sinks, stack, fusion)
        # what showed while planes were read comes first
        summary.warnings[:0] = [note for note in volume.notes if note not in known]
    return summary


def _stacks(volume: Volume, choice: Choice) -> list[tuple[Position, int, list[int]]]:
    """Return (position, T, channels fused together) of every fusion, in order of the output."""
    out: list[tuple[Position, int, list[int]]] = []
    for position in _positions(volume, choice):
        times = range(position.times) if choice.only is None else [choice.only[1]]
        every = list(range(len(position.channels)))
        groups = [every] if choice.guide is not None else [[c] for c in every]
        if choice.only is not None and choice.guide is None:
            groups = [[choice.only[2]]]
        out += [(position, t, group) for t in times for group in groups]
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
    uneven = position.z_um if settings.z_step_um is None else None
    if uneven is not None:
        step = None
    options: dict[str, Any] = {**asdict(settings), **_FIXED, "z_step_um": step, **told}
    options.pop("system")
    fusion = fuse(stack, system=system, **options)
    if uneven is None or fusion.depth is None:
        return fusion
    planes = np.arange(len(uneven))
    depth = np.interp(fusion.depth, planes, uneven).astype(np.float32)
    return replace(fusion, depth=depth)


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


@contextmanager
def _outputs(
    volume: Volume, choice: Choice, files: Mapping[str, Path], *, overwrite: bool
) -> Generator[dict[str, Sink]]:
    """Yield a sink per output; put all in place when the body ends well, and else nothing.

    Raises:
        OutputError: a disk is full, or an output appeared meanwhile.
    """
    current = files["image"]
    places = {kind: Path(os.path.realpath(path)) for kind, path in files.items()}  # through links
    try:
        with ExitStack() as stack:
            sinks: dict[str, Sink] = {}
            staged: dict[str, Path] = {}
            for kind, path in places.items():
                folder = stack.enter_context(staging(path.parent))
                staged[kind] = folder / path.name
                pictures = list(_pictures(volume, choice, kind))
                sinks[kind] = _sink(staged[kind], pictures, volume, is_map=kind != "image")
            yield sinks
            for sink in sinks.values():
                sink.finish()
            for kind, path in places.items():
                current = files[kind]
                place(staged[kind], path, overwrite=overwrite)
    except FileExistsError as error:
        raise exists_error(current) from error
    except OSError as error:
        raise cannot_write(current, error) from error


def _sink(path: Path, pictures: Sequence[Picture], volume: Volume, *, is_map: bool) -> Sink:
    if is_zarr(path):
        return ZarrSink(path, pictures, is_map=is_map)
    # what came as a hyperstack of ImageJ goes back as one, unless OME is asked for by name
    stays = volume.kind == "ImageJ TIFF" and ".ome" not in path.suffixes
    return TiffSink(path, pictures, as_imagej=stays, is_map=is_map)


def _pictures(volume: Volume, choice: Choice, kind: str) -> Iterator[Picture]:
    for position in _positions(volume, choice):
        times = position.times if choice.only is None else 1
        channels = list(position.channels)
        if choice.only is not None and choice.guide is None:
            channels = [channels[choice.only[2]]]
        if kind == "image":
            yield Picture(position, times, channels, position.dtype, position.samples)
        else:
            own = [Channel(f"{kind} {c.name}".strip()) for c in channels]
            together = [Channel(kind)]
            labels = own if choice.guide is None else together
            yield Picture(position, times, labels, np.dtype(_MAPS[kind]))
