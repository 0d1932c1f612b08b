"""Save: what the command line can write, by the same code, and the line that writes it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from panfocus.errors import OutputError, UsageError
from panfocus.io.endings import beside
from panfocus.pipeline.command_text import command, project_command
from panfocus.pipeline.frame_outputs import SIZES, FrameOutputs
from panfocus.pipeline.map_files import map_path
from panfocus.pipeline.options import MAP_KINDS
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project_content import ProjectContent
from panfocus.pipeline.project_file import save_project
from panfocus.pipeline.result import FusedPicture, at_depth
from panfocus.pipeline.retouched import retouch
from panfocus.pipeline.volumes.project import strokes_at
from panfocus.retouch import Stroke
from panfocus.web import mendings, unsaved, volume_saving
from panfocus.web.jobs import Jobs, PageJob
from panfocus.web.places import Places
from panfocus.web.requests import list_of, real, whole
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack
from panfocus.web.volume_saving import VolumeWish

_ENDINGS = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".webp")
_VOLUME_ENDINGS = (*_ENDINGS, ".zarr")


@dataclass(frozen=True)
class SaveRequest:
    """What a page wants saved.

    Attributes:
        wanted: files of the picture.
        project: file of the project; None for none.
        wish: what is wanted of a volume.
    """

    wanted: Outputs
    project: Path | None
    wish: VolumeWish

    def replacing(self) -> SaveRequest:
        """Return the same with leave to replace files, which its user may give yet."""
        return replace(self, wanted=replace(self.wanted, overwrite=True))

    @classmethod
    def of(
        cls, body: Mapping[str, Any], stack: OpenStack, result: Result, places: Places
    ) -> SaveRequest:
        """Read it.

        Raises:
            UsageError: a name that is none, or an ending that is not written.
            RefusedError: a place that the page may not write to.
        """
        folder = places.resolve(body.get("folder") or str(stack.folder))
        picture = _file(folder, body.get("name"), places)
        endings = _VOLUME_ENDINGS if stack.volume else _ENDINGS
        if picture.suffix.lower() not in endings:
            raise UsageError(
                "a picture is not written in this format",
                where=picture.name,
                expected=", ".join(endings),
            )
        asked = list_of(body.get("maps"))
        maps = {kind: map_path(picture, kind) for kind in MAP_KINDS if kind in asked}

        def wished(key: str, tail: str) -> Path | None:
            return beside(picture, tail, "") if body.get(key) else None

        mesh, layers = (str(body.get(key) or "") for key in ("mesh", "layers"))
        wanted = Outputs(
            picture,
            maps,
            height_map=wished("height_map", "_height.png"),
            mesh=wished("mesh", f"_mesh.{mesh}") if mesh in ("glb", "ply", "obj") else None,
            pixel_um=_number(body, "pixel_um"),
            slab=_slab(body.get("slab")),
            scale_bar="auto" if body.get("scale_bar") else None,
            transforms=wished("transforms", "_transforms.json"),
            report=wished("report", "_report.json"),
            of_frames=FrameOutputs(
                wished("layers", f"_layers.{layers}") if layers in ("psd", "psb", "tif") else None,
                wished("animation", f"_stack{_moving(body.get('animation'))}"),
                wished("stereo", f"_stereo{picture.suffix}"),
                wished("rocking", f"_rocking{_moving(body.get('rocking'))}"),
                _whole(body, "animation_size", FrameOutputs.animation_size, SIZES),
                _or(_number(body, "parallax"), FrameOutputs.parallax),
            ),
            quality=_whole(body, "quality", Outputs.quality, (1, 100)),
            overwrite=bool(body.get("overwrite")),
        )
        project = wished("project", ".panfocus.json")
        project = stack.project if project and stack.project else project
        return cls(wanted, project, VolumeWish.of(body, stack, result))


def _file(folder: Path, name: object, places: Places) -> Path:
    text = name if isinstance(name, str) else ""
    plain = Path(text).name
    if not plain or plain != text or plain.startswith(".") or len(plain) > 200:
        raise UsageError(
            "this is no name for a file", expected="a name without folders", got=repr(name)[:80]
        )
    return places.resolve(str(folder / plain))


def _moving(value: object) -> str:
    return ".gif" if value == "gif" else ".webp"


def _slab(value: object) -> tuple[int, int] | None:
    found = list_of(value)
    if not found:
        return None
    if len(found) != 2:
        raise UsageError(
            "these are no slabs", expected="their size, and how many frames they share"
        )
    return whole("slab", found[0], most=10**6), whole("slab", found[1], most=10**6)


def _whole(body: Mapping[str, Any], name: str, default: int, bounds: tuple[int, int]) -> int:
    told = body.get(name)
    return default if told is None else whole(name, told, least=bounds[0], most=bounds[1])


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _number(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return real(name, value)


def line(stack: OpenStack, result: Result, request: SaveRequest) -> str:
    """Return the command line that does the same."""
    if request.project is not None and (_is_mended(stack, result) or stack.is_part(result.used)):
        return project_command(request.project, request.wanted, of_volume=request.wish.of_project)
    inputs = [str(path) for path in stack.inputs_of(result.used)]
    return command(inputs, result.options, request.wanted, of_volume=request.wish.words)


def standing(stack: OpenStack, result: Result, request: SaveRequest) -> list[Path]:
    """Return the files that are there already and would be replaced; projects count revisions."""
    if stack.volume is not None:
        files = volume_saving.files(stack, result, request.wanted, request.wish)
    else:
        count = stack.frames.shape[0]
        files = [path for _, path in request.wanted.named(count)]
    if request.project is not None and request.project != stack.project:
        files.append(request.project)
    return [path for path in files if path.exists()]


def check(stack: OpenStack, result: Result, request: SaveRequest) -> None:
    """Refuse what cannot be written, before any work.

    Raises:
        OutputError, UsageError: as `Outputs.check` does.
    """
    if _is_mended(stack, result) and request.project is None:
        raise UsageError(
            "strokes are repeated from a project file", remedy="save the project as well"
        )
    if stack.is_part(result.used) and request.project is None:
        raise UsageError(
            "which frames of a file are taken is told by a project file alone",
            remedy="save the project as well",
        )
    if request.project is not None and result.guide is not None:
        raise UsageError(
            "a project knows of no channel that decides for others",
            where="guide_channel",
            remedy="leave the project out, or let each channel decide",
        )
    if mendings.carried(stack, result).missing:
        raise UsageError(
            "a stroke is painted from a frame that this result leaves out",
            remedy="fuse with that frame, or take the stroke back",
        )
    if stack.volume is not None:
        volume_saving.check(stack, result, request.wanted, request.wish)
    elif result.plan is not None:
        request.wanted.check(result.plan)


def _is_mended(stack: OpenStack, result: Result) -> bool:
    """Whether strokes lie on what is saved, at any place of a volume."""
    return stack.strokes.count > 0 and mendings.can_be_mended(result)


def finished(result: Result, strokes: Sequence[Stroke], job: PageJob, jobs: Jobs) -> FusedPicture:
    """Return a result as it is saved: strokes on it, at the bit depth that was asked for.

    The same steps as `panfocus.pipeline.replay.fuse_project` takes.
    """
    fusion = result.fusion
    if result.plan is not None and strokes:
        tell = jobs.teller(job)
        fusion = retouch(fusion, result.plan, strokes, progress=tell, cancel=job.stop.is_set)
    return at_depth(fusion, result.options.bit_depth)


def save(
    stack: OpenStack, result: Result, request: SaveRequest, job: PageJob, jobs: Jobs
) -> list[str]:
    """Write it all, and return the files.

    Raises:
        OutputError: exists, or cannot be written.
        RevisionError: the project was saved by somebody else meanwhile.
    """
    # picture and project have the strokes of one moment: others may be drawn meanwhile
    versions = stack.strokes.versions()
    project = None if request.project is None else mendings.project_of(stack, result)
    tell = jobs.teller(job)
    if stack.volume is not None:
        placed = strokes_at(project) if project is not None else mendings.placed(stack, result)
        strokes = placed if _is_mended(stack, result) else {}
        told = {"progress": tell, "cancel": job.stop.is_set}
        written = volume_saving.write(
            stack, result, request.wanted, request.wish, strokes=strokes, **told
        )
    else:
        tell(0.0, "save", request.wanted.picture.name)
        strokes = (project or mendings.carried(stack, result)).strokes
        fusion = finished(result, strokes, job, jobs)
        tell(0.7, "save", request.wanted.picture.name)
        written, _ = request.wanted.write(fusion, plan=result.plan)
    if request.project is not None and project is not None:
        written.append(_save_project(stack, project, request.project, request.wanted.overwrite))
        stack.strokes.note_saved(versions)
        unsaved.keep(stack)  # what was drawn meanwhile; else nothing
    return [str(path) for path in written]


def _save_project(stack: OpenStack, project: ProjectContent, path: Path, overwrite: bool) -> Path:
    if path == stack.project:
        saved = save_project(path, project, stack.revision)
    elif path.exists() and not overwrite:
        raise OutputError("the output exists already", where=str(path))
    else:
        saved = save_project(path, project, None)
    stack.project, stack.revision = path, saved.revision
    return path
