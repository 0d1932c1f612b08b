"""The project file: read at one door, written in one step, never over somebody's later strokes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from panfocus._version import __version__
from panfocus.errors import InputError, OutputError, UsageError
from panfocus.io.atomic import exists_error, write_atomic
from panfocus.io.checked_json import Value, read_json
from panfocus.io.lock import alone_in
from panfocus.io.volumes.reading import VolumeReading
from panfocus.io.volumes.vendors import MOSAICS, Mosaic
from panfocus.pipeline.options import ABOUT, FIELDS, FILES, Options
from panfocus.pipeline.output_records import Door, outputs_from, outputs_to
from panfocus.pipeline.project_content import (
    REGISTRATION_OPTIONS,
    AnyProject,
    Place,
    PlaneStrokes,
    ProjectContent,
    ProjectInput,
    ProjectRegistration,
    told_from,
)
from panfocus.pipeline.settings import make_settings
from panfocus.registration.records import registration_from, registration_to
from panfocus.resources.paths import is_file
from panfocus.retouch.records import MOST_FRAMES, MOST_STROKES, stroke_from, stroke_to

_FORMAT = "panfocus-project-"
_VERSION = 1
MOST_BYTES = 64 * 2**20
_REMEDY = "save the project again from panfocus, or mend this entry of the file"
_NEWER = "update panfocus, or save the project again by this version"
_MOST_REVISION = 10**9
_KEYS = (
    *("format", "panfocus", "revision", "inputs", "options", "registration", "picture"),
    *("strokes", "outputs", "planes", "reading"),
)


class RevisionError(OutputError):
    """A project was saved by somebody else since it was read.

    Attributes:
        found: revision of the file.
    """

    def __init__(self, path: Path, expected: int, found: int) -> None:
        self.found = found
        super().__init__(
            "the project was saved by somebody else meanwhile",
            where=str(path),
            expected=f"revision {expected}",
            got=f"revision {found}",
            remedy="read it again and put your strokes onto it, or save under another name",
        )


def read_project(path: Path, roots: Sequence[Path] | None) -> ProjectContent:
    """Read a project file; see `Project.read`."""
    value = read_json(path, MOST_BYTES, _REMEDY)
    _check_version(value)
    value.only(*_KEYS)
    folder = Path(os.path.realpath(path)).parent
    door = Door(folder, None if roots is None else [Path(os.path.realpath(r)) for r in roots])
    inputs = tuple(_input_from(each, door) for each in value.item("inputs").items(MOST_FRAMES, 1))
    options = _options_from(value.item("options"), door)
    found = value.get("registration")
    picture = value.get("picture")
    outputs = value.get("outputs")
    planes = value.get("planes")
    if planes is not None and len(inputs) > 1:
        planes.refuse("a volume is one input", "no `planes`, or one input")
    return ProjectContent(
        inputs,
        options,
        None if found is None else _registration_from(found),
        None if picture is None else _size_from(picture),
        tuple(stroke_from(each) for each in value.item("strokes").items(MOST_STROKES)),
        None if outputs is None else outputs_from(outputs, door),
        value.item("revision").whole(0, _MOST_REVISION),
        value.item("panfocus").text(100),
        folder,
        None if planes is None else _planes_from(planes),
        _reading_from(value.get("reading")),
    )


def _reading_from(value: Value | None) -> VolumeReading:
    if value is None:
        return VolumeReading()
    value.only("axes", "pattern", "mosaic")
    axes, pattern, mosaic = (value.get(name) for name in ("axes", "pattern", "mosaic"))
    if mosaic is not None and mosaic.text() not in MOSAICS:
        mosaic.refuse("this is no reading of a mosaic", " or ".join(MOSAICS))
    return VolumeReading(
        None if axes is None else axes.text(100),
        None if pattern is None else pattern.text(1000),
        None if mosaic is None else cast("Mosaic", mosaic.text()),
    )


def _planes_from(value: Value) -> tuple[PlaneStrokes, ...]:
    out: dict[Place, PlaneStrokes] = {}
    for each in value.items(MOST_FRAMES):
        each.only("place", "strokes")
        numbers = [n.whole(0, MOST_FRAMES) for n in each.item("place").items(3, 3)]
        place = numbers[0], numbers[1], numbers[2]
        if place in out:
            each.refuse("a place of the volume is named twice", "each place once")
        strokes = tuple(stroke_from(one) for one in each.item("strokes").items(MOST_STROKES))
        out[place] = PlaneStrokes(place, strokes)
    return tuple(out.values())


def _check_version(value: Value) -> None:
    told = value.item("format")
    word = told.text(100)
    if word == f"{_FORMAT}{_VERSION}":
        return
    is_ours = word.startswith(_FORMAT)
    remedy = _NEWER if is_ours else "name a file that `panfocus fuse --save-project` has written"
    what = "a project is of an unknown version" if is_ours else "this is no project of panfocus"
    replace(told, remedy=remedy).refuse(what, f"{_FORMAT}{_VERSION}")


def _input_from(value: Value, door: Door) -> ProjectInput:
    value.only("path", "size", "sha256", "pages")
    pages = value.get("pages")
    digest = value.item("sha256")
    if len(digest.text(64)) != 64 or set(digest.text()) - set("0123456789abcdef"):
        digest.refuse("this is no SHA-256", "64 digits from 0 to f")
    return ProjectInput(
        door.check_read(value.item("path")),
        value.item("size").whole(0, 1 << 50),
        digest.text(),
        None if pages is None else tuple(p.whole(0, MOST_FRAMES) for p in pages.items(MOST_FRAMES)),
    )


def _options_from(value: Value, door: Door) -> Options:
    value.only(*FIELDS)
    options = {name: _option_from(name, value.item(name)) for name in value.names()}
    if "system" in options:
        options["system"] = door.system(value.item("system"))
    for name in FILES:
        if options.get(name) is not None:
            options[name] = door.check_read(value.item(name))
    try:
        return make_settings(**options)
    except UsageError as error:
        where = f"{value.file}: options.{error.where}" if error.where else value.file
        raise InputError(
            error.what, where=where, expected=error.expected, got=error.got, remedy=value.remedy
        ) from error


def _option_from(name: str, value: Value) -> object:
    if value.raw is None and FIELDS[name].default is None:
        return None
    kind = ABOUT[name].kind
    if kind == "truth":
        return value.truth()
    if kind == "count":
        return value.whole(1, 1 << 20)
    return value.number(0, 1e12) if kind == "length" else value.text()


def _registration_from(value: Value) -> ProjectRegistration:
    value.only("options", "found")
    told = value.item("options")
    told.only(*REGISTRATION_OPTIONS)
    options = {name: _option_from(name, told.item(name)) for name in told.names()}
    return ProjectRegistration(registration_from(value.item("found")), options)


def _size_from(value: Value) -> tuple[int, int]:
    value.only("height", "width")
    height, width = (value.item(key).whole(1, 10_000_000) for key in ("height", "width"))
    return height, width


def record_of(project: ProjectContent) -> dict[str, Any]:
    """Return a project's record, from which reading makes the same project again."""
    found = project.registration
    return {
        "format": f"{_FORMAT}{_VERSION}",
        "panfocus": project.made_by,
        "revision": project.revision,
        "inputs": [
            {name: v for name, v in asdict(each).items() if v is not None}
            for each in project.inputs
        ],
        "options": _options_to(project),
        "registration": None
        if found is None
        else {"options": dict(found.options), "found": registration_to(found.found)},
        "picture": None
        if project.size is None
        else {"height": project.size[0], "width": project.size[1]},
        "outputs": None if project.outputs is None else outputs_to(project.outputs),
        "strokes": [stroke_to(stroke) for stroke in project.strokes],
        **_planes_to(project),
        **({"reading": project.reading.told} if project.reading.told else {}),
    }


def _planes_to(project: ProjectContent) -> dict[str, Any]:
    """Return the strokes of a volume; nothing where the inputs are frames."""
    if project.planes is None:
        return {}
    planes = [
        {"place": list(each.place), "strokes": [stroke_to(one) for one in each.strokes]}
        for each in project.planes
    ]
    return {"planes": planes}


def _options_to(project: ProjectContent) -> dict[str, Any]:
    record = asdict(project.options)
    system = project.folder / project.options.system
    if is_file(system / "card.json"):
        record["system"] = told_from(system, project.folder)
    return record


def save_project(path: Path, project: AnyProject, expected: int | None) -> AnyProject:
    """Write a project file; see `Project.save`.

    Args:
        path: of the file.
        project: what to write.
        expected: revision of the file that is there, 0 for none; None for whatever is there.
    """
    folder = Path(os.path.realpath(path)).parent
    with alone_in(folder):
        found = _revision_at(path)
        if expected is not None and found != expected:
            if found and not expected:
                raise exists_error(path)
            if found:  # of a file that is gone, nothing can be destroyed
                raise RevisionError(path, expected, found)
        saved = replace(
            project.at(folder), revision=max(found, expected or 0) + 1, made_by=__version__
        )
        text = json.dumps(record_of(saved), indent=1, ensure_ascii=False, allow_nan=False)
        # bytes of a name that are no letters become \\udcXX, which JSON reads back
        data = text.encode(errors="backslashreplace")
        if len(data) > MOST_BYTES:
            raise OutputError(
                "the project has too many strokes for a file",
                where=str(path),
                expected=f"at most {MOST_BYTES // 2**20} MB",
                got=f"{len(data) / 2**20:.0f} MB",
                remedy="leave out strokes, or draw them with fewer points",
            )
        write_atomic(path, [data], overwrite=os.path.lexists(path))
    return saved


def _revision_at(path: Path) -> int:
    """Return the revision of a project file, 0 where there is none.

    Raises:
        OutputError: there is another file, which is not replaced.
    """
    if not os.path.lexists(path):
        return 0
    try:
        value = read_json(path, MOST_BYTES)
        _check_version(value)
        return value.item("revision").whole(0, _MOST_REVISION)
    except InputError as error:
        raise OutputError(
            "a file of this name is there, and is no project",
            where=str(path),
            got=error.what,
            remedy="choose another name",
        ) from error
