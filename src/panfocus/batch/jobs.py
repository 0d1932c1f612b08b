"""What a batch consists of: one job per stack, found in a folder or read from a manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from natsort import natsort_keygen, ns

from panfocus.batch.job import Job, ending_of, is_volume_job, output_in
from panfocus.batch.manifest import read_manifest
from panfocus.batch.record import FOLDER
from panfocus.errors import InputError, UsageError
from panfocus.io.folder import is_machine_folder, is_result, some, what_else
from panfocus.io.formats import SUFFIXES
from panfocus.io.read import look
from panfocus.io.volumes.open import is_vendors, is_volume
from panfocus.pipeline.options import Options
from panfocus.pipeline.volumes.choice import Choice, Only
from panfocus.resources.paths import is_file, is_folder, is_there

_natural = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)


def find_jobs(
    source: Path, out: Path, *, ending: str, template: Job, notes: list[str] | None = None
) -> list[Job]:
    """Return the jobs of a folder or a manifest, in natural order.

    Args:
        source: a folder whose folders, multi-page TIFFs and OME-Zarrs are stacks; a manifest
            (``.csv``); or one scientific stack, whose every (position, T, C) is then a job.
        out: folder for the results; it and what lies in it is no input.
        ending: of the pictures, like ``.tif``.
        template: settings, maps and quality of every job.
        notes: takes what was left out of a folder, in a line for the user.

    Raises:
        InputError: nothing there.
        UsageError: a manifest with unknown columns or options, or two jobs of one name.
    """
    if is_there(source) and is_volume(source):
        jobs = _grid(source, out, ending, template)
    elif is_folder(source):
        jobs = _in_folder(source, out, ending, template, [] if notes is None else notes)
    elif source.suffix.lower() == ".csv" and is_file(source):
        jobs = read_manifest(source, out, ending=ending, template=template)
    elif is_there(source) and template.axes:
        jobs = _grid(source, out, ending, template)
    else:
        raise InputError(
            "there is no such batch",
            where=str(source),
            expected="a folder of stacks, a manifest (.csv), or one scientific stack",
            got="another kind of file" if is_there(source) else "nothing",
            remedy="to fuse one stack, use `panfocus fuse`",
        )
    _check_unique(jobs)
    return jobs


def _in_folder(source: Path, out: Path, ending: str, template: Job, notes: list[str]) -> list[Job]:
    try:
        paths = sorted(
            (p for p in source.iterdir() if not p.name.startswith(".")),
            key=lambda p: (_natural(p.name), p.name),
        )
    except OSError as error:
        raise InputError(
            "a folder cannot be listed", where=str(source), got=error.strerror
        ) from error
    stacks: list[Path] = []
    others: list[str] = []
    for path in paths:
        if os.path.realpath(path) == os.path.realpath(out):  # resolve stumbles over loops of links
            continue
        why = _why_none(path, out)
        if why is not None:
            others.append(f"{path.name} ({why})")
        elif _is_stack(path):
            stacks.append(path)
    if others:
        notes.append(f"no stacks in {source}, left out: {some(others)}")
    return [_of_path(path, out, ending, template) for path in stacks]


def _why_none(path: Path, out: Path) -> str | None:
    """Return why an entry that looks like a stack is none; None for all others."""
    what = what_else(path)
    if what not in (None, "a folder"):
        return what
    if is_folder(path) and is_machine_folder(path.name):
        return "made by a machine"
    if is_volume(path) or not is_folder(path):
        looks_like_one = is_volume(path) or SUFFIXES.get(path.suffix.lower()) == "TIFF"
        return "a result" if looks_like_one and is_result(path) else None
    return _why_no_frames(path, out)


def _why_no_frames(folder: Path, out: Path) -> str | None:
    """Return why no picture in a folder is a frame; None if one is, or if nobody knows why."""
    try:
        entries = [p for p in folder.iterdir() if not p.name.startswith(".") and is_file(p)]
    except OSError:
        return None  # it fails as a stack, and so with its reason in the report
    pictures = [p for p in entries if p.suffix.lower() in SUFFIXES]
    if any(not is_result(p) for p in pictures):  # the first frame ends this, in most folders
        return None
    if pictures:
        return "results"
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(folder)):
        return "holds the output"
    return "an earlier batch's output" if is_folder(folder / FOLDER) else None


def _of_path(path: Path, out: Path, ending: str, template: Job) -> Job:
    volume = is_volume_job(path, ending, template.axes)
    name = path.name if is_folder(path) and not volume else _stem(path)
    only = template.only if volume else None
    output = output_in(out, name, ending_of(ending, template, only) if volume else ending)
    inputs = (str(path.absolute()),)
    mosaic = template.mosaic if volume and is_vendors(path) else None
    return replace(template, name=name, inputs=inputs, output=output, only=only, mosaic=mosaic)


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome")


def _grid(source: Path, out: Path, ending: str, template: Job) -> list[Job]:
    """Return a job for every position and T, and C unless one channel decides for all."""
    jobs: list[Job] = []
    asked = (template.axes, template.guide, template.only)
    choice = Choice(Options(), *asked, mosaic=template.mosaic)
    with closing(choice.open(source)) as volume:
        for group in choice.groups(choice.selected(volume)):
            p, depths = group.selection.number, group.selection.depths
            only: dict[str, Any] = {"P": p, "T": group.time, "C": list(group.channels)}
            if len(depths) < group.selection.position.depths:
                only["Z"] = list(depths)
            tail = "" if template.guide is not None else f"_c{group.channels[0]}"
            name = f"{_stem(source)}_p{p:03d}_t{group.time:04d}{tail}"
            chosen = Only.of(only)
            output = output_in(out, name, ending_of(ending, template, chosen))
            inputs = (str(source.absolute()),)
            jobs.append(replace(template, name=name, inputs=inputs, output=output, only=chosen))
    return jobs


def _is_stack(path: Path) -> bool:
    """Whether a folder's entry is a stack of its own: a folder, or a TIFF of several pages."""
    if is_folder(path):
        return True
    if SUFFIXES.get(path.suffix.lower()) != "TIFF":
        return False
    try:
        return len(look(path)[1]) > 1
    except InputError:
        return True  # it fails as a stack, and so with its reason in the report


def _check_unique(jobs: Sequence[Job]) -> None:
    for what, values in (
        ("name", [job.name for job in jobs]),
        ("output", [str(path) for job in jobs for path in job.outputs.values()]),
    ):
        twice = _repeated(value.casefold() for value in values)
        if twice:
            raise UsageError(
                f"two stacks of the batch have the same {what}",
                got=twice[0],
                remedy="rename one of them, or give them names in a manifest (.csv)",
            )


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
