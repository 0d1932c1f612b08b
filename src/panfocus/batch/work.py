"""What is done for one stack, here or on a worker: check it, fuse it, put its files in place."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

from panfocus.batch.job import Job
from panfocus.batch.outcome import StackOutcome, failed, unforeseen
from panfocus.batch.placing import foreign_among, is_complete, not_ours, place_all
from panfocus.batch.record import key_of, read_record
from panfocus.batch.task import StackTask
from panfocus.errors import PanfocusError
from panfocus.io.atomic import staging
from panfocus.io.outputs import earlier_results
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.options import Options
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.plan import Plan, plan, settings_files
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.volumes.check import check as check_volume
from panfocus.pipeline.volumes.choice import Choice, volume_settings
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.run import fuse_file
from panfocus.systems import (
    Card,
    PictureSystem,
    System,
    load_system,
)


@lru_cache(maxsize=2)
def _network(name: str, threads: int | None, device: str) -> System | PictureSystem:
    return load_system(name, threads=threads, device=device)


def _system(settings: Options) -> System | PictureSystem:
    """Load a system; a network's session is kept for the next stack of this process."""
    asked = settings.system, settings.threads, settings.device
    system = load_system(asked[0], threads=asked[1], device=asked[2])
    return _network(*asked) if system.card.model is not None else system


def _plan(job: Job) -> Plan:
    settings = make_settings(**job.settings, maps=bool(job.maps))
    system = _system(settings)
    earlier = earlier_results(job.outputs.values())
    return plan(job.inputs, settings, exclude=earlier, system=system)


@dataclass(frozen=True)
class _Checked:
    """What is known of a stack from headers."""

    files: Sequence[Path]
    settings: Options
    card: Card
    memory_bytes: int
    frames: int


def _check(job: Job) -> _Checked:
    """Check inputs, settings and outputs, but not whether outputs exist."""
    if not job.is_volume:
        checked = _plan(job)
        files = [info.path for info in checked.infos]
        _outputs(job, job.outputs).check(checked)
        card = checked.system.card
        return _Checked(files, checked.settings, card, checked.memory_bytes, checked.count)
    outputs = _volume_outputs(job, job.outputs)
    choice = outputs.heeded(_choice(job))
    system = _system(choice.settings)
    source = Path(job.inputs[0])
    outputs.check([source, *settings_files(choice.settings)])
    with closing(choice.open(source)) as volume:
        memory = check_volume(volume, choice, system)
        outputs.check_chosen(volume, choice)
        groups = choice.groups(choice.selected(volume))
        frames = sum(group.planes * len(group.channels) for group in groups)
    return _Checked([source], choice.settings, system.card, memory, frames)


def _choice(job: Job) -> Choice:
    settings = volume_settings(**job.settings, maps=bool(job.maps))
    return Choice(settings, job.axes, job.guide, job.only, mosaic=job.mosaic)


def prepare(
    job: Job, record: Path, run: str, *, resume: bool, overwrite: bool
) -> StackTask | StackOutcome:
    """Check a stack from its files' headers; no pixel is decoded.

    Args:
        job: the stack.
        record: file of its record.
        run: of which run it is.
        resume: whether a stack that is done is left out, and its results may be renewed.
        overwrite: whether any file may be replaced.

    Returns:
        A task; or the outcome, when it is done already or cannot be.
    """
    try:
        checked = _check(job)
        system = {"name": checked.card.name, "sha256": checked.card.sha256}
        settings = asdict(checked.settings)
        rest = (sorted(job.maps), job.quality, str(job.output), job.axes, job.guide, job.only)
        rest = (*rest, *(one for one in (job.mosaic, job.zarr_version) if one is not None))
        key = key_of(checked.files, settings, system, *rest)
        earlier = read_record(record)
        if resume and earlier is not None and earlier.is_done(key):
            return StackOutcome(
                job.name, "skipped", outputs=[*earlier.files], frames=earlier.frames
            )
        memory, frames = checked.memory_bytes, checked.frames
        task = StackTask(job, key, record, run, overwrite, memory, frames, renew=resume)
        foreign = foreign_among(task, earlier)
        if earlier is not None and is_complete(task, earlier):
            return _kept(task, foreign)
        if foreign:
            raise not_ours(foreign[0], earlier)
    except PanfocusError as error:
        return failed(job, error)
    except Exception as error:  # one stack, whatever it is like, must not end the others
        return unforeseen(job, error)
    return task


def is_recorded(task: StackTask) -> bool:
    """Whether the output folder knows a task as done: its results are there, and not elsewhere."""
    record = read_record(task.record)
    return record is not None and record.state == "done" and record.key == task.key


def _kept(task: StackTask, changed: Sequence[Path]) -> StackOutcome:
    """Return the outcome of a stack that is done, whatever somebody did to its result since."""
    names = ", ".join(path.name for path in changed)
    return StackOutcome(
        task.job.name,
        "skipped",
        outputs=[str(path) for path in task.job.outputs.values()],
        frames=task.frames,
        warnings=[f"changed since it was fused, and kept so: {names}"] if changed else [],
    )


def _outputs(job: Job, places: Mapping[str, Path]) -> Outputs:
    """Return the files of a stack of photographs, in their places or on the way there."""
    maps = {kind: places[kind] for kind in job.maps}
    return Outputs(places["image"], maps, quality=job.quality, overwrite=True)


def _volume_outputs(job: Job, places: Mapping[str, Path]) -> VolumeOutputs:
    """Return the files of a scientific stack, in their places or on the way there."""
    maps = {kind: places[kind] for kind in job.maps}
    return VolumeOutputs(
        places["image"],
        maps,
        overwrite=True,
        pyramid=job.pyramid,
        ome_zarr=job.zarr_version,
        quality=job.quality,
    )


def run_task(task: StackTask) -> StackOutcome:
    """Fuse one stack and put its files in place; never raises, whatever the stack is like.

    All files are written into a folder of their own beside their places and moved when all are
    whole, so that a worker that dies leaves nothing half-written.
    """
    start = perf_counter()
    job = task.job
    facts: dict[str, Any] = {
        "worker": f"{socket.gethostname()}:{os.getpid()}",
        "memory_bytes": task.memory_bytes,
        "frames": task.frames,
        "tries": _count_try(task),
    }
    try:
        told = _fuse_and_place(task, facts["tries"])
    except PanfocusError as error:
        return failed(job, error, seconds=perf_counter() - start, **facts)
    except Exception as error:  # as in `prepare`
        return unforeseen(job, error, seconds=perf_counter() - start, **facts)
    finally:
        with suppress(OSError):
            _tries_path(task).unlink()
    return StackOutcome(
        job.name,
        "done",
        outputs=[str(path) for path in job.outputs.values()],
        seconds=perf_counter() - start,
        **told,
        **facts,
    )


def _tries_path(task: StackTask) -> Path:
    return task.record.with_suffix(f".{task.run}")


def _count_try(task: StackTask) -> int:
    """Note which process has begun the task, and return how often it was begun in this run."""
    path = _tries_path(task)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            file.write(f"{os.getpid()}\n")
            file.seek(0)
            return len(file.readlines())
    except OSError:  # only a number for the report
        return 1


def _fuse_and_place(task: StackTask, tries: int) -> dict[str, Any]:
    """Return what the outcome tells of the fusion."""
    with staging(task.job.output.parent, task.run) as folder, _at_its_place(folder):
        work = _fuse_volume if task.job.is_volume else _fuse_frames
        told = work(task.job, folder)
        place_all(task, folder, tries)
    return told


@contextmanager
def _at_its_place(folder: Path) -> Generator[None]:
    """Tell of a file on its way by the place where it shall go: the folder is gone by then."""
    try:
        yield
    except PanfocusError as error:
        if error.where is not None:
            error.where = error.where.replace(str(folder), str(folder.parent))
            error.args = (error.text(),)
        raise


def _fuse_frames(job: Job, folder: Path) -> dict[str, Any]:
    fusion = fuse(_plan(job))
    staged = {kind: folder / path.name for kind, path in job.outputs.items()}
    _outputs(job, staged).write(fusion)
    report = fusion.report
    lie = report.registration or {}
    return {
        "timings_s": report.timings_s,
        "warnings": report.warnings,
        "aligned": lie.get("aligned"),
        "left_unaligned": [name for name, _ in lie.get("left_unaligned", ())],
    }


def _fuse_volume(job: Job, folder: Path) -> dict[str, Any]:
    staged = {kind: folder / path.name for kind, path in job.outputs.items()}
    outputs = _volume_outputs(job, staged)
    done, _ = fuse_file(Path(job.inputs[0]), outputs, _choice(job))
    timings: dict[str, float] = {}
    for stack in done.stacks:
        for stage, seconds in stack["timings_s"].items():
            timings[stage] = timings.get(stage, 0.0) + seconds
    return {"timings_s": timings, "warnings": done.notes}
