"""A project: inputs, options, registration and strokes in one file, to go on with or to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from panfocus._version import __version__
from panfocus.pipeline.options import ABOUT, Options
from panfocus.pipeline.outputs import Outputs
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
    """

    inputs: tuple[ProjectInput, ...]
    options: Options = field(default_factory=Options)
    registration: ProjectRegistration | None = None
    size: tuple[int, int] | None = None
    strokes: tuple[Stroke, ...] = ()
    outputs: Outputs | None = None
    revision: int = 0
    made_by: str = __version__

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

    def with_options(self, **options: Any) -> Project:  # noqa: ANN401  checked by make_settings
        """Return the project with some options changed.

        Raises:
            UsageError: unknown option or value.
        """
        from dataclasses import asdict  # noqa: PLC0415

        from panfocus.pipeline.settings import make_settings  # noqa: PLC0415

        return replace(self, options=make_settings(**{**asdict(self.options), **options}))
