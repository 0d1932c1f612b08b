"""A project: inputs, options, registration and strokes in one file, to go on with or to repeat."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from panfocus._version import __version__
from panfocus.errors import UsageError
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.options import ABOUT, Options, with_files
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import Fusion
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
        pages: of a multi-page TIFF, those that are frames, from 0; None for all there are.
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
class Project:
    """A stack, how it is fused, and the strokes that mend the picture.

    Attributes:
        inputs: files of the frames, in focus order.
        options: how to fuse.
        registration: None where none was asked for, or nothing is fused yet.
        size: height and width of the fused picture, pixels; None where nothing is fused yet.
        strokes: in the order in which they were drawn; places in pixels of the fused picture.
        outputs: files that are wanted, from the project's folder; None for none.
        revision: of the file; 0 for one that was never saved.
        made_by: the version of panfocus that has written it.
        folder: of the file, from which its paths are told; no part of what it is.
        planes: strokes of a volume, which is the only input; None where the inputs are frames.
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

    @property
    def count(self) -> int:
        """How many strokes there are, wherever they lie."""
        return len(self.strokes) + sum(len(each.strokes) for each in self.planes or ())

    @classmethod
    def of(cls, plan: Plan, fusion: Fusion, folder: str | Path) -> Project:
        """Return the project of a fusion of files: their hashes are worked out, nothing is saved.

        Args:
            plan: of the fusion; without frames that were culled.
            fusion: its result.
            folder: that the project file shall lie in.

        Raises:
            InputError: a file is gone meanwhile.
        """
        from panfocus.pipeline.replay import project_of  # noqa: PLC0415  it knows us

        return project_of(plan, fusion, Path(folder))

    @classmethod
    def read(cls, path: str | Path, *, roots: Sequence[str | Path] | None = None) -> Project:
        """Read a project file, whoever has written it.

        Args:
            path: of the file.
            roots: folders below which all that it names must lie, links followed; None for
                wherever this user may read. Outputs lie below the project's folder in any case.

        Raises:
            InputError: it cannot be read, or is no project; it says where in the file.

        Examples:
            >>> project = Project.read("moth.panfocus.json")  # doctest: +SKIP
            >>> project.fuse().save("moth.tif")  # doctest: +SKIP
        """
        from panfocus.pipeline.project_file import read_project  # noqa: PLC0415  it knows us

        return read_project(Path(path), None if roots is None else [Path(root) for root in roots])

    def save(
        self, path: str | Path, *, expected_revision: int | None = None, overwrite: bool = False
    ) -> Project:
        """Write the project, whole or not at all.

        Args:
            path: of the file.
            expected_revision: of the file that is replaced; None for `revision`. Where somebody
                has saved since, that is not destroyed.
            overwrite: whether the file may be replaced whatever its revision.

        Returns:
            The project as it is in the file, with its new revision.

        Raises:
            RevisionError: the file has another revision.
            OutputError: it cannot be written.
        """
        from panfocus.pipeline.project_file import save_project  # noqa: PLC0415  it knows us

        expected = self.revision if expected_revision is None else expected_revision
        return save_project(Path(path), self, None if overwrite else expected)

    def fuse(
        self,
        *,
        accept_changed: bool = False,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Fusion:
        """Fuse the stack, and put the strokes onto the result: picture and maps.

        Registration is used again where its options are those of the project; otherwise frames are
        registered anew, and strokes go along with what they are painted from.

        Args:
            accept_changed: whether inputs that are not as they were are taken all the same.
            progress: as for `panfocus.fuse`.
            cancel: as for `panfocus.fuse`.

        Raises:
            InputError: an input is gone, changed or unreadable.
            UsageError: options that cannot be, or more memory needed than allowed; or the project
                is of a volume, which is many pictures.
            SystemError_: no such system.
            Cancelled: `cancel` said so.
        """
        from panfocus.pipeline.replay import fuse_project, plan_project  # noqa: PLC0415

        if self.planes is not None:
            raise UsageError(
                "a volume is fused into a file",
                where="project",
                expected="a project of frames",
                remedy="take `panfocus.pipeline.volume_project.fuse_volume_project`",
            )

        planned = plan_project(self, accept_changed=accept_changed, cancel=cancel)
        return fuse_project(planned, progress=progress, cancel=cancel)

    def command_line(
        self, project_file: str | Path | None = None, output: str | Path | None = None
    ) -> str:
        """Return the line for a shell that makes the same files again.

        Args:
            project_file: where the project is saved; None for the plain command with its inputs
                and options, which only a project without strokes has.
            output: the picture; None for that of `outputs`.

        Raises:
            UsageError: nothing says what to write; or there are strokes, and no file of them.

        Examples:
            >>> inputs = (ProjectInput("/shots/a.jpg", 1, 64 * "0"),)
            >>> Project(inputs, Options(mode="select")).command_line(output="fused.tif")
            'panfocus fuse /shots/a.jpg --mode select -o fused.tif'
        """
        from panfocus.pipeline.command_text import command_line  # noqa: PLC0415  it knows us

        return command_line(self, project_file, output)

    def with_options(self, **options: Any) -> Project:  # noqa: ANN401  checked by make_settings
        """Return the project with some options changed.

        Raises:
            UsageError: unknown option or value.
        """
        return replace(self, options=make_settings(**{**asdict(self.options), **options}))

    def at(self, folder: Path) -> Project:
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
