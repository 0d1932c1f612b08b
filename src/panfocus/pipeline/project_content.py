"""What a project is: inputs, options, registration and strokes of one stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from panfocus._version import __version__
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.options import ABOUT, Options, with_files
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.settings import make_settings
from panfocus.registration.stack import Registration
from panfocus.retouch.stroke import Stroke

#: Options that registration goes by; where one is changed, frames are registered anew. What size
#: is kept only chooses what is made of it.
REGISTRATION_OPTIONS = (
    *(n for n, about in ABOUT.items() if about.group == "registration" and n != "keep_size"),
    "raw_tone",
)


@dataclass(frozen=True)
class ProjectInput:
    """A file that frames are read from.

    Attributes:
        path: from the project's folder, or absolute; ``/`` between folders.
        size: in bytes.
        sha256: of its content.
        pages: of a file of several frames, those that are taken, from 0; None for all there are.
    """

    path: str
    size: int
    sha256: str
    pages: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ProjectRegistration:
    """Where frames lie and how bright they are, and the options under which that was found.

    Attributes:
        found: the registration; its field is what strokes' places count in.
        options: `REGISTRATION_OPTIONS` and their values.
    """

    found: Registration
    options: Mapping[str, object]

    @classmethod
    def of(cls, found: Registration, settings: Options) -> ProjectRegistration:
        """Return a registration that was made under settings."""
        return cls(found, registration_options(settings))


def registration_options(settings: Options) -> dict[str, object]:
    """Return the options that registration goes by."""
    return {name: getattr(settings, name) for name in REGISTRATION_OPTIONS}


#: Position, T and C of a stack along Z within a volume, each from 0.
Place = tuple[int, int, int]


@dataclass(frozen=True)
class PlaneStrokes:
    """The strokes on one picture of a volume.

    Attributes:
        place: of the planes along Z that the picture was fused from.
        strokes: in the order in which they were drawn.
    """

    place: Place
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class ProjectContent:
    """What a project file holds: `panfocus.Project` without its ways in and out.

    The attributes are told there.
    """

    inputs: tuple[ProjectInput, ...]
    options: Options = field(default_factory=Options)
    registration: ProjectRegistration | None = None
    size: tuple[int, int] | None = None
    strokes: tuple[Stroke, ...] = ()
    outputs: Outputs | None = None
    revision: int = 0
    made_by: str = __version__
    folder: Path = field(default=Path(), compare=False)
    planes: tuple[PlaneStrokes, ...] | None = None
    reading: VolumeReading = field(default_factory=VolumeReading)

    @property
    def count(self) -> int:
        """How many strokes there are, wherever they lie."""
        return len(self.strokes) + sum(len(each.strokes) for each in self.planes or ())

    def with_options(self, **options: Any) -> Self:  # noqa: ANN401  checked by make_settings
        """Return the project with some options changed.

        Raises:
            UsageError: unknown option or value.
        """
        return replace(self, options=make_settings(**{**asdict(self.options), **options}))

    def at(self, folder: Path) -> Self:
        """Return the project with its paths told from another folder."""
        if same_place(folder, self.folder):
            return replace(self, folder=folder)

        def moved(path: str) -> str:
            return told_from(self.folder / path, folder)

        options = with_files(self.options, moved)
        known = self.registration
        if known is not None and known.options.get("load_transforms") is not None:
            used = moved(str(known.options["load_transforms"]))
            known = replace(known, options={**known.options, "load_transforms": used})
        inputs = tuple(replace(each, path=moved(each.path)) for each in self.inputs)
        return replace(self, inputs=inputs, options=options, registration=known, folder=folder)


def same_place(one: Path, other: Path) -> bool:
    """Whether two folders, which need not be there, are one."""
    return os.path.realpath(one) == os.path.realpath(other)


def told_from(path: Path, folder: Path) -> str:
    """Return a path from a folder, or whole where there is no way from there (Windows' drives)."""
    real = Path(os.path.realpath(path.parent)) / path.name
    try:
        return Path(os.path.relpath(real, os.path.realpath(folder))).as_posix()
    except ValueError:
        return real.as_posix()


#: A project, with or without its ways in and out.
AnyProject = TypeVar("AnyProject", bound=ProjectContent)
