"""One stack fused by several systems, registered once, and a sheet on which to compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from panfocus import io
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.frame import Metadata
from panfocus.io.endings import beside
from panfocus.pipeline.cull import culled
from panfocus.pipeline.journal import Progress
from panfocus.pipeline.memory import check_memory
from panfocus.pipeline.plan import Plan, by_another, check_system, plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import run_fusion
from panfocus.pipeline.settings import make_settings
from panfocus.resources.paths import is_folder
from panfocus.systems import label_of, load_system
from panfocus.systems.checks import adopt


def systems_named(text: str) -> list[str]:
    """Return the names in a list of systems by commas; the folder of a system is one name.

    Raises:
        UsageError: a name twice, or an empty one.
    """
    if "," not in text or is_folder(Path(text)):
        return [text]
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len({label_of(name).casefold() for name in names}) < len(names):
        raise UsageError(
            "these are not several systems",
            where="system",
            expected="different names by commas, such as dualpath,guided",
            got=text,
        )
    return names


def named_by(path: Path, system: str) -> Path:
    """Return a file's name with the system in it: ``fused_guided.png``."""
    return beside(path, f"_{label_of(system)}")


def sheet_path(picture: Path) -> Path:
    """Return where the sheet goes, beside the pictures."""
    return beside(picture, "_sheet", ".png")


def plan_each(
    inputs: Sequence[str | Path],
    systems: Sequence[str],
    settings: Mapping[str, object],
    *,
    exclude: Sequence[Path] = (),
) -> list[Plan]:
    """Return a plan for every system, all of the same frames.

    Args:
        inputs: as for `plan`.
        systems: names or folders.
        settings: fields of `Options`, without the system.
        exclude: as for `plan`.

    Raises:
        InputError, UsageError, SystemError_: as `plan` does; the pictures to be compared need more
            memory than is allowed.
    """
    name, *others = systems
    first = plan(inputs, make_settings(**{**settings, "system": name}), exclude=exclude)
    plans = [first, *(_by(first, system) for system in others)]
    if first.settings.cull:  # what is left out of the first is left out of all
        left = culled(first)
        plans = [_among(each, left) for each in plans]
    picture = first.height * first.width * first.channels * np.dtype(first.dtype).itemsize
    kept = len(plans) * picture
    most = max(each.memory_bytes for each in plans)
    check_memory(most + kept, first.memory_limit, "frames by several systems")
    return plans


def _by(first: Plan, name: str) -> Plan:
    """Return a plan of the frames of another by a system of this name."""
    settings = replace(first.settings, system=name)
    system = adopt(load_system(name, threads=settings.threads, device=settings.device))
    check_system(settings, system)
    made = by_another(first, settings, system)
    check_memory(made.memory_bytes, made.memory_limit, "frames")
    return made


def _among(plan_: Plan, left: Plan) -> Plan:
    """Return a plan of those of its frames that are left in another."""
    settings = replace(plan_.settings, cull=left.settings.cull)
    return replace(plan_, infos=left.infos, notes=left.notes, settings=settings)


def fuse_beside(
    plan_: Plan, first: FusedPicture | None, *, progress: Progress | None = None
) -> FusedPicture:
    """Fuse by one of several systems.

    Args:
        plan_: see `plan_each`.
        first: the fusion by the first of them, whose frames lie as these do; None for itself.
        progress: as for `fuse`.
    """
    if first is None:
        return run_fusion(plan_, progress=progress)
    made = run_fusion(replace(plan_, registration=first.registration), progress=progress)
    made.report.registration = first.report.registration
    made.report.cropped_to = first.report.cropped_to
    return made


def write_sheet(path: Path, pictures: Mapping[str, Pixels], *, overwrite: bool) -> None:
    """Write the sheet of pictures by their labels.

    Raises:
        OutputError: exists, or cannot be written.
    """
    from panfocus.surface.contact_sheet import draw_contact_sheet  # noqa: PLC0415  few make one

    sheet = draw_contact_sheet(pictures)
    io.write_image(path, sheet, Metadata(), overwrite=overwrite, is_result=True)
