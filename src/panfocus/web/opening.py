"""From files and folders to an open stack."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from panfocus import io
from panfocus.errors import InputError, UsageError
from panfocus.io.ome_set import set_files
from panfocus.io.volumes.olympus import FOLDER
from panfocus.io.volumes.open import check_is_photographs, is_volume
from panfocus.io.volumes.plug_ins import OLYMPUS
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.memory import check_decoding, memory_limit
from panfocus.pipeline.options import Options
from panfocus.pipeline.project_content import ProjectContent
from panfocus.registration.options import resolve_reference
from panfocus.web.frames import FileFrames, PlaneFrames, VolumeFile
from panfocus.web.places import Places
from panfocus.web.stacks import OpenStack

#: Names of folders that say nothing of what is in them.
_PLAIN = frozenset(
    {"frames", "images", "img", "pictures", "raw", "jpg", "jpeg", "png", "tif", "tiff", "shots"}
)


def open_stack(
    paths: Sequence[Path], reading: VolumeReading, work: Path, places: Places
) -> OpenStack:
    """Open files or a folder, whatever they hold.

    Args:
        paths: that may be read.
        reading: how a volume is read, where it does not say so itself.
        work: folder for results.
        places: in which all files of a volume must lie.

    Raises:
        InputError, UsageError: as the two below; or several are to be read as one volume.
    """
    if len(paths) == 1 and (reading.told or is_volume(paths[0])):
        places.check(parts_of(paths[0]))  # before anything of it is read
        return open_planes(paths[0], work, reading)
    if reading.told:
        raise UsageError("only one file or folder can be read as a volume")
    return open_photos(paths, work)


def open_inputs(
    project: ProjectContent, paths: Sequence[Path], work: Path, places: Places
) -> OpenStack:
    """Open the inputs of a project; arguments and errors as of `open_stack`."""
    if project.planes is None:
        return open_photos(paths, work)
    places.check(parts_of(paths[0]))
    return open_planes(paths[0], work, project.reading)


def open_photos(paths: Sequence[Path], work: Path) -> OpenStack:
    """Find the frames of files or folders.

    Raises:
        InputError: none, or frames that do not fit together.
        UsageError: a folder of several channels without Z.
    """
    check_is_photographs(paths)
    infos, notes = io.find_frames(list(paths))
    check_decoding(infos, memory_limit(Options()))
    infos, turned = io.settle_orientation(infos)
    io.check_frames(infos)
    reference = resolve_reference("middle", len(infos))
    infos, developed = io.develop_alike(infos, reference, "srgb")
    frames = FileFrames(infos)
    notes = [*notes, *turned, *developed]
    return OpenStack(paths, _title(paths), frames, notes=notes, work=work)


def _title(paths: Sequence[Path]) -> str:
    """Return a name for a stack: its folder's, or the one above's where that says nothing."""
    first = paths[0]
    if first.is_file() and len(paths) == 1:
        return first.name
    folder = first if first.is_dir() else first.parent
    name = folder.parent.name if folder.name.casefold() in _PLAIN else folder.name
    return name or folder.name or str(folder)


def open_planes(path: Path, work: Path, reading: VolumeReading) -> OpenStack:
    """Open a volume.

    Args:
        path: file or folder.
        work: folder for its results.
        reading: how it is read, where it does not say so itself.

    Raises:
        InputError: it cannot be read, or has one plane along Z.
        UsageError: it cannot be read so.
    """
    volume = VolumeFile.open(path, reading)
    try:
        first = volume.volume.positions[0]
        if first.depths < 2:
            raise InputError(
                "there is nothing to fuse along Z",
                where=str(path),
                expected="at least 2 planes along Z",
                got=f"T {first.times}, C {len(first.channels)}, Z {first.depths}",
            )
        frames: PlaneFrames = volume.frames((0, 0, 0))
    except BaseException:
        volume.close()
        raise
    notes = volume.volume.notes
    return OpenStack([path], path.name, frames, notes=notes, work=work, volume=volume)


def frames_of(stack: OpenStack, project: ProjectContent) -> tuple[int, ...]:
    """Return the stack's numbers of a project's frames, in the project's order."""
    assert isinstance(stack.frames, FileFrames)
    infos = stack.frames.infos
    named = [Path(os.path.realpath(project.folder / each.path)) for each in project.inputs]
    places = {path: n for n, path in enumerate(named)}
    found: list[tuple[int, int, int]] = []
    for number, info in enumerate(infos):
        place = places.get(Path(os.path.realpath(info.path)))
        pages = None if place is None else project.inputs[place].pages
        if place is not None and (pages is None or info.page in pages):
            found.append((place, info.page if pages is None else pages.index(info.page), number))
    return tuple(number for _, _, number in sorted(found))


def parts_of(volume: Path) -> Iterable[Path]:
    """Return all files that a volume consists of."""
    beside = volume.with_name(volume.name + FOLDER)  # of an OIF
    if volume.suffix.lower() in OLYMPUS and beside.is_dir():
        return [beside, *beside.rglob("*")]
    return volume.rglob("*") if volume.is_dir() else set_files(volume)
