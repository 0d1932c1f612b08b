"""A project in one file, to go on with or to repeat: read, fused, saved, told as a command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from panfocus.errors import OutputError, UsageError
from panfocus.pipeline.command_text import command_line
from panfocus.pipeline.fuse import Fusion
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.project_content import ProjectContent
from panfocus.pipeline.project_file import read_project, save_project
from panfocus.pipeline.replay import fuse_project, plan_project, project_of
from panfocus.pipeline.result import FusedPicture
from panfocus.resources.paths import as_path


@dataclass(frozen=True)
class Project(ProjectContent):
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
        reading: of a volume: axes, names or mosaic, where it does not say them itself.
    """

    @classmethod
    def of(cls, plan: Plan, fusion: FusedPicture, folder: str | Path) -> Project:
        """Return the project of a fusion of files: their hashes are worked out, nothing is saved.

        Args:
            plan: of the fusion; without frames that were culled.
            fusion: its result.
            folder: that the project file shall lie in.

        Raises:
            InputError: a file is gone meanwhile.
        """
        return cls(**vars(project_of(plan, fusion, Path(folder))))

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
        below = None if roots is None else [as_path(root) for root in roots]
        return cls(**vars(read_project(as_path(path), below)))

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
        expected = self.revision if expected_revision is None else expected_revision
        return save_project(as_path(path, OutputError), self, None if overwrite else expected)

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
        if self.planes is not None:
            raise UsageError(
                "a volume is fused into a file",
                where="project",
                expected="a project of frames",
                remedy="take `panfocus.pipeline.volumes.project.fuse_volume_project`",
            )

        planned = plan_project(self, accept_changed=accept_changed, cancel=cancel)
        return Fusion.of(fuse_project(planned, progress=progress, cancel=cancel))

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
            >>> from panfocus import Options
            >>> from panfocus.pipeline.project_content import ProjectInput
            >>> inputs = (ProjectInput("/shots/a.jpg", 1, 64 * "0"),)
            >>> Project(inputs, Options(mode="select")).command_line(output="fused.tif")
            'panfocus fuse /shots/a.jpg --mode select -o fused.tif'
        """
        return command_line(self, project_file, output)
