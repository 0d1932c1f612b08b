"""`panfocus fuse FOLDER --watch-frames S`: fuse frames as they arrive, and show what there is."""

from __future__ import annotations

from pathlib import Path

from panfocus import io
from panfocus.arrays.types import Pixels
from panfocus.cli.fuse import finish, say
from panfocus.cli.request import Request
from panfocus.errors import UsageError
from panfocus.frame import Metadata
from panfocus.io.endings import beside
from panfocus.io.frames import FrameInfo
from panfocus.io.outputs import check_apart, earlier_results
from panfocus.pipeline.arriving import ArrivingFrames, fuse_as_they_arrive
from panfocus.pipeline.map_files import check_makes_maps
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.result import written_dtype
from panfocus.pipeline.settings import make_settings
from panfocus.resources.paths import as_path, is_folder
from panfocus.systems import load_system


def run_watching(request: Request, idle_s: float) -> None:
    """Fuse what arrives in a folder.

    Raises:
        UsageError: no folder, or outputs that need all frames once more.
    """
    folder, output = _places(request)
    outputs = request.outputs(output)
    settings = make_settings(**request.settings, maps=outputs.need_maps)
    preview = beside(output, "_preview", ".jpg")
    _check(outputs, preview, settings.system)

    def first(info: FrameInfo) -> None:
        io.check_output(
            outputs.picture,
            overwrite=outputs.overwrite,
            dtype=written_dtype(outputs.picture, info.dtype, settings.bit_depth),
            channels=info.channels,
            size=(info.height, info.width),
        )

    def show(picture: Pixels, _count: int) -> None:
        colours = picture[..., :-1] if picture.ndim == 3 and picture.shape[2] in (2, 4) else picture
        small = io.to_depth(colours, "uint8")
        io.write_image(preview, small, Metadata(), quality=85, overwrite=True, is_result=True)

    ours = [preview, *(path for _, path in outputs.named(0))]
    frames = ArrivingFrames(folder, exclude=earlier_results(ours), prefer_raw=settings.prefer_raw)
    result = fuse_as_they_arrive(
        frames,
        settings,
        idle_s=idle_s,
        begun=lambda: say(request, [f"watching {folder}; {preview} grows"]),
        first=first,
        told=lambda name, count: say(request, [f"[{count}] {name}"]),
        trouble=lambda text: say(request, f"waiting: {text}".splitlines()),
        preview=show,
    )
    say(request, [f"note: {note}" for note in result.report.warnings])
    written, notes = outputs.write(result)
    say(request, [f"note: {note}" for note in notes])
    finish(request, result, written)


def _places(request: Request) -> tuple[Path, Path]:
    """Return the folder that is watched, and the picture that is made."""
    folder = as_path(request.inputs[0]) if len(request.inputs) == 1 else None
    again = {
        "--slab": request.slab,
        "--layers": request.layers,
        "--animation": request.animation,
        "--stereo": request.stereo,
        "--rocking": request.rocking,
        "--save-project": request.save_project,
        "--align-only": request.align_only,
        "--dry-run": request.dry_run or None,
    }
    given = [option for option, value in again.items() if value is not None]
    if request.output is None or folder is None or not is_folder(folder) or given:
        raise UsageError(
            "frames are watched for in one folder, and read once",
            where=", ".join(["--watch-frames", *given]),
            expected="FOLDER -o PICTURE, with maps, mesh and report if wanted",
        )
    return folder, request.output


def _check(outputs: Outputs, preview: Path, system: str) -> None:
    """Refuse what cannot be written, before waiting for anything."""
    named = outputs.named(0)
    check_apart([], [*named, ("", preview)])
    if outputs.need_maps:
        check_makes_maps(load_system(system).card, "depth_map, index_map, confidence_map")
    io.output_format(outputs.picture)
    for path in (preview, *(path for _, path in named)):
        io.check_place(path, overwrite=outputs.overwrite)
