"""The project of a volume: its strokes, each on the picture of one position, T and C."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.io.volumes.volume import Volume
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.memory import check_memory, fusion_memory, memory_limit
from panfocus.pipeline.options import Options
from panfocus.pipeline.palettes import depth_of, held_beside, system_of
from panfocus.pipeline.project_content import Place, PlaneStrokes, ProjectContent
from panfocus.pipeline.project_inputs import find_inputs, note_input
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.retouched import retouch_from
from panfocus.pipeline.volumes.check import FIXED
from panfocus.pipeline.volumes.choice import Choice, Group, Only
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.run import FusedStack, fuse_file, fuse_group
from panfocus.pipeline.volumes.summary import Summary
from panfocus.registration.stack import Registration
from panfocus.retouch.stroke import Stroke

#: Strokes by the place of the picture that they lie on.
StrokesAt = Mapping[Place, Sequence[Stroke]]


@dataclass(frozen=True)
class _Planes:
    """The planes along Z of one group; see `panfocus.pipeline.palettes.Palette`."""

    one: FusedStack
    settings: Options

    @property
    def names(self) -> Sequence[str]:
        """Of the planes."""
        return [f"Z {z}" for z in self.one.group.selection.depths]

    @property
    def has_alpha(self) -> bool:
        """Whether planes have opacity."""
        return self.one.position.samples in (2, 4)

    @property
    def budget(self) -> int:
        """Bytes that what strokes are painted from may take at once."""
        image = self.one.fusion.image
        held = held_beside(image.shape[0] * image.shape[1], image.nbytes)
        return memory_limit(self.settings) - held

    @property
    def threads(self) -> int | None:
        """Of the processor."""
        return self.settings.threads

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield planes by number."""
        return (replace(self.one.stack.frame(n), number=n) for n in numbers)

    def depth_of(self, number: int, frame: Frame) -> float:
        """Return where a plane lies, in the unit of the depth map."""
        report = self.one.fusion.report
        return depth_of(number, frame, report.settings["z_step_um"], report.depth_unit)

    def by_system(
        self, name: str, registration: Registration | None, held: int, cancel: Cancel | None
    ) -> FusedPicture:
        """Return the fusion of the same planes by another system; they are registered alike."""
        settings, system = system_of(name, self.settings)
        position = self.one.position
        needed = fusion_memory(
            system,
            replace(settings, **FIXED),
            count=self.one.group.planes,
            height=position.height,
            width=position.width,
            channels=position.samples,
            itemsize=position.dtype.itemsize,
        )
        check_memory(needed + held, memory_limit(settings), "planes by another system")
        return fuse_group(self.one.stack, self.one.group, settings, system, cancel=cancel)


def place_of(group: Group) -> Place | None:
    """Return the place of a group that strokes can lie on: all planes of a single channel."""
    chosen = group.selection
    if len(group.channels) > 1 or len(chosen.depths) < chosen.position.depths:
        return None
    return chosen.number, group.time, group.channels[0]


@dataclass(frozen=True)
class StrokeMender:
    """Puts strokes onto the pictures of a volume; see `panfocus.pipeline.volumes.run.Mender`.

    Attributes:
        strokes: in their order, by place.
        progress: told of each stroke.
        cancel: asked before every plane.
    """

    strokes: StrokesAt
    progress: Progress | None = None
    cancel: Cancel | None = None

    def check(self, volume: Volume, choice: Choice) -> None:
        """Refuse strokes on what is not fused alone, or not there; what is not chosen is left out.

        Raises:
            UsageError: there are some.
        """
        groups = choice.groups(choice.selected(volume))
        fused = {place for group in groups if (place := place_of(group)) is not None}
        chosen = {(g.selection.number, g.time, c) for g in groups for c in g.channels}
        for place, strokes in self.strokes.items():
            is_left_out = choice.only is not None and place not in chosen
            if strokes and place not in fused and not is_left_out:
                p, t, c = place
                raise UsageError(
                    "strokes lie on a picture that is not fused",
                    where=f"position {p}, T {t}, C {c}",
                    expected="all planes along Z of this channel, fused by themselves",
                    remedy="leave out `guide_channel` and a choice of planes, or the strokes",
                )

    def mended(self, one: FusedStack, choice: Choice) -> FusedStack:
        """Return a fusion with the strokes of its place on it."""
        place = place_of(one.group)
        strokes = () if place is None else self.strokes.get(place, ())
        palette = _Planes(one, choice.settings)
        fusion = retouch_from(
            one.fusion, palette, strokes, progress=self.progress, cancel=self.cancel
        )
        return replace(one, fusion=fusion)


def volume_project(
    source: Path, settings: Options, strokes: StrokesAt, folder: Path
) -> ProjectContent:
    """Return the project of a volume: its hash is worked out, nothing is saved.

    Args:
        source: file or folder.
        settings: how it is fused; of `volume_settings`.
        strokes: by place.
        folder: that the project file shall lie in.

    Raises:
        InputError: the volume is gone meanwhile.
    """
    noted = note_input(source, folder)
    return ProjectContent((noted,), settings, folder=folder, planes=planes_of(strokes))


def planes_of(strokes: StrokesAt) -> tuple[PlaneStrokes, ...]:
    """Return strokes as a project has them; places without any are left out."""
    return tuple(PlaneStrokes(p, tuple(strokes[p])) for p in sorted(strokes) if strokes[p])


def strokes_at(project: ProjectContent) -> dict[Place, tuple[Stroke, ...]]:
    """Return the strokes of a volume's project by their places."""
    return {each.place: each.strokes for each in project.planes or ()}


def fuse_volume_project(
    project: ProjectContent,
    outputs: VolumeOutputs,
    *,
    only: Only | None = None,
    accept_changed: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> tuple[Summary, list[Path]]:
    """Fuse the volume of a project, and write it with the strokes on it.

    Args:
        project: of a volume, read from a file or with its `folder` told.
        outputs: files.
        only: what of the volume is fused, with the strokes that lie on it; None for all.
        accept_changed: whether a volume that is not as it was is taken all the same.
        progress: as for `fuse_file`.
        cancel: as for `fuse_file`.

    Returns:
        What was done, and the files.

    Raises:
        InputError: the volume is gone, changed or unreadable.
        OutputError: an output exists or cannot be written.
        UsageError: strokes lie on nothing that is fused, or options that cannot be.
        Cancelled: `cancel` said so.
    """
    (source,), notes = find_inputs(
        project.inputs, project.folder, accept_changed=accept_changed, folders=True
    )
    strokes = strokes_at(project)
    mender = StrokeMender(strokes, cancel=cancel) if strokes else None
    choice = Choice(project.options, only=only, **asdict(project.reading))
    summary, files = fuse_file(
        source, outputs, choice, mender=mender, progress=progress, cancel=cancel
    )
    summary.warnings[:0] = notes
    return summary, files
