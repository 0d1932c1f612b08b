"""What a fusion of files would do and need, known from their headers before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from panfocus import io
from panfocus.errors import UsageError
from panfocus.fusion.restoration import restorer_of
from panfocus.io.volumes.open import check_is_photographs
from panfocus.pipeline.bounds import check_count, check_sides
from panfocus.pipeline.memory import check_decoding, check_memory, fusion_memory, memory_limit
from panfocus.pipeline.options import FILES, Options
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.working_scale import decided_at
from panfocus.registration.options import resolve_reference
from panfocus.registration.stack import Registration
from panfocus.resources.paths import is_file, listed
from panfocus.schema import said
from panfocus.systems import (
    PictureSystem,
    System,
    load_system,
)
from panfocus.systems.checks import adopt
from panfocus.systems.traits import measures_alone


@dataclass(frozen=True)
class Plan:
    """A fusion of files that has been checked and not begun.

    Attributes:
        infos: the frames, in focus order.
        notes: for the user, such as files that were ignored.
        settings: resolved.
        system: what decides.
        height: of a frame, pixels, upright.
        width: of a frame.
        channels: with opacity.
        dtype: of the frames.
        working_factor: how far the picture is shrunk for the decision.
        reference: name of the frame whose metadata is kept.
        memory_bytes: estimated peak.
        memory_limit: bytes allowed.
        registration: where the frames lie, if that is known before they are looked at.
    """

    infos: Sequence[io.FrameInfo]
    notes: Sequence[str]
    settings: Options
    system: System | PictureSystem
    height: int
    width: int
    channels: int
    dtype: str
    working_factor: int
    reference: str
    memory_bytes: int
    memory_limit: int
    registration: Registration | None = None

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.infos)

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        facts: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        facts["frames"] = [info.name for info in facts.pop("infos")]
        facts.pop("registration")
        facts["settings"] = asdict(self.settings)
        facts["system"] = self.system.card.name
        return facts


def settings_files(settings: Options) -> list[Path]:
    """Return the files that settings name: transforms, and those of a system of the user's own."""
    files = [Path(getattr(settings, name)) for name in FILES if getattr(settings, name)]
    folder = Path(settings.system)
    if is_file(folder / "card.json"):
        files += [path for path in listed(folder) if is_file(path)]
    return files


def check_system(settings: Options, system: System | PictureSystem) -> None:
    """Refuse what the system cannot do: prefer a depth, or restore detail.

    Raises:
        UsageError: it does not.
    """
    if settings.prefer != "none" and not measures_alone(system):
        raise UsageError(
            f"the system {system.card.name} cannot prefer near or far",
            where="prefer",
            expected="a system that measures each frame alone, such as guided",
        )
    if settings.mode == "restore":
        restorer_of(system)


def _by_own_step(settings: Options, infos: Sequence[io.FrameInfo]) -> tuple[Options, list[str]]:
    """Make depth a length where all frames are pages of one file that tells its step."""
    paths = {info.path for info in infos}
    if settings.z_step_um is not None or len(paths) > 1 or infos[0].format != "TIFF":
        return settings, []
    step = io.step_um(infos[0].path)
    if step is None:
        return settings, []
    note = f"the file tells its step, {step:g} µm: depth is in micrometres"
    return replace(settings, z_step_um=step), [note]


def _calibrated(
    settings: Options, infos: Sequence[io.FrameInfo]
) -> tuple[Sequence[io.FrameInfo], list[str], int]:
    """Return the frames, calibrated as they are read where that is asked; notes; bytes held."""
    asked = settings.flat_field, settings.dark, settings.hot_pixels
    if asked == (None, None, "off"):
        return infos, [], 0
    from panfocus.io.calibrate import calibrated  # noqa: PLC0415  few stacks are

    return calibrated(infos, *asked)


def _needed(
    system: System | PictureSystem, settings: Options, infos: Sequence[io.FrameInfo]
) -> int:
    """Return the bytes that fusing frames takes, but for what calibrates them."""
    info = infos[0]
    return fusion_memory(
        system,
        settings,
        count=len(infos),
        height=info.height,
        width=info.width,
        channels=info.channels,
        itemsize=np.dtype(info.dtype).itemsize,
    )


def of_frames(plan_: Plan, infos: Sequence[io.FrameInfo]) -> Plan:
    """Return a plan of some of its frames.

    Raises:
        UsageError: they have no such reference frame.
    """
    reference = resolve_reference(plan_.settings.reference, len(infos))
    return replace(plan_, infos=infos, reference=infos[reference].name)


def by_another(plan_: Plan, settings: Options, system: System | PictureSystem) -> Plan:
    """Return a plan of the same frames by another system: no file is looked at again.

    Args:
        plan_: of the frames.
        settings: how the other system fuses.
        system: the other one; whether it can do as asked is not checked.
    """
    before = _needed(plan_.system, plan_.settings, plan_.infos)
    needed = plan_.memory_bytes - before + _needed(system, settings, plan_.infos)
    return replace(
        plan_,
        settings=settings,
        system=system,
        working_factor=decided_at(system, settings, plan_.height, plan_.width),
        memory_bytes=needed,
    )


def plan(
    inputs: Sequence[str | Path],
    settings: Options,
    *,
    exclude: Sequence[Path] = (),
    system: System | PictureSystem | None = None,
) -> Plan:
    """Find and check the frames, and say what fusing them takes.

    Args:
        inputs: files, globs, folders.
        settings: how to fuse.
        exclude: files in folders and globs that are no frames, such as an earlier result.
        system: an object of the caller's own in place of the settings' name.

    Raises:
        InputError: no frames, or frames that do not fit together.
        UsageError: no such reference frame, or more memory needed than allowed.
        SystemError_: no such system.

    Example:
        >>> import tempfile
        >>> import cv2
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for n in (1, 2, 3):
        ...         _ = cv2.imwrite(f"{folder}/{n}.png", np.full((32, 48, 3), 60 * n, np.uint8))
        ...     told = plan([folder], Options(system="guided"))
        >>> told.count, told.height, told.width, told.reference
        (3, 32, 48, '2.png')
    """
    if not isinstance(cast("object", settings), Options):
        raise UsageError(
            "these are no settings", where="settings", expected="Options", got=said(settings)
        )
    settings = make_settings(**asdict(settings))  # whoever has made them
    check_is_photographs(inputs)
    others = [*exclude, *(Path(p) for p in (settings.flat_field, settings.dark) if p)]
    infos, notes = io.find_frames(inputs, exclude=others, prefer_raw=settings.prefer_raw)
    infos = [replace(info, lenient=settings.lenient) for info in infos]
    limit = memory_limit(settings)
    if len({info.tag for info in infos}) > 1:  # then some are looked at, small
        check_decoding(infos, limit)
    infos, turned = io.settle_orientation(infos)
    io.check_frames(infos)
    reference = resolve_reference(settings.reference, len(infos))
    settings, measured = _by_own_step(settings, infos)
    if system is None:
        system = load_system(settings.system, threads=settings.threads, device=settings.device)
    system = adopt(system)
    check_system(settings, system)
    info = infos[0]
    check_count(len(infos))
    check_sides(info.height, info.width, settings, str(info.path))
    needed = _needed(system, settings, infos)
    check_memory(needed, limit, "frames")
    infos, developed = io.develop_alike(infos, reference, settings.raw_tone)
    infos, even, held = _calibrated(settings, infos)
    if held:
        check_memory(needed := needed + held, limit, "frames and what calibrates them")
    return Plan(
        infos=infos,
        notes=[*notes, *turned, *developed, *even, *measured],
        settings=settings,
        system=system,
        height=info.height,
        width=info.width,
        channels=info.channels,
        dtype=info.dtype,
        working_factor=decided_at(system, settings, info.height, info.width),
        reference=infos[reference].name,
        memory_bytes=needed,
        memory_limit=limit,
    )
