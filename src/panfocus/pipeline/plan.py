"""What a fusion of files would do and need, known from their headers before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from panfocus import io
from panfocus.arrays.pixels import working_factor
from panfocus.errors import UsageError
from panfocus.fusion.restoration import restorer_of
from panfocus.pipeline.options import Options, make_settings
from panfocus.registration.options import resolve_reference
from panfocus.resources.memory import available_memory, parse_size
from panfocus.systems import (
    PictureSystem,
    System,
    load_system,
    traits,
)
from panfocus.systems.checks import adopt
from panfocus.systems.traits import holds_all, measures_alone, working_bytes

#: What Python, NumPy, OpenCV and the file libraries take before the first frame.
BASE_BYTES = 120 * 2**20
#: Frames that a system for any number is shown at once, at most, and what they may take.
MOST_AT_ONCE = 8
HELD_BYTES = 512 * 2**20


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

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.infos)

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        facts: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        facts["frames"] = [info.name for info in facts.pop("infos")]
        facts["settings"] = asdict(self.settings)
        facts["system"] = self.system.card.name
        return facts


def memory_limit(settings: Options) -> int:
    """Return the bytes that a fusion may take: as told, or 70 % of what is free."""
    return parse_size(settings.max_memory) or int(0.7 * available_memory())


def check_memory(needed: int, limit: int, what: str) -> None:
    """Refuse work that would take more memory than is allowed.

    Args:
        needed: bytes.
        limit: bytes allowed.
        what: is fused, in the plural.

    Raises:
        UsageError: it would.
    """
    if needed > limit:
        raise UsageError(
            f"fusing these {what} needs more memory than is allowed",
            where="--max-memory",
            expected=f"at least {needed / 2**20:.0f} MiB",
            got=f"{limit / 2**20:.0f} MiB",
            remedy=f"allow more, free some, or fuse smaller {what}",
        )


def held_bytes(frame_bytes: int, working_pixels: int) -> int:
    """Return what holding a frame for a comparison takes: itself, and twice its working copy.

    Args:
        frame_bytes: of native pixels.
        working_pixels: at the working scale.
    """
    return frame_bytes + 2 * working_pixels * 3 * 4


def group_size(system: System, held: int, budget: int) -> int:
    """Return how many frames a system may compare at once.

    Args:
        system: a system that compares frames.
        held: bytes of one frame, see `held_bytes`.
        budget: bytes that the whole fusion may take.
    """
    if measures_alone(system):
        return 1
    if system.card.max_frames is not None:
        return system.card.max_frames
    return int(min(max(min(HELD_BYTES, budget // 4) // held, 2), MOST_AT_ONCE))


def decision_memory(
    system: System, count: int, frame_bytes: int, working_pixels: int, budget: int
) -> int:
    """Return the bytes that a system which compares frames takes beyond the streaming fusion."""
    if measures_alone(system):
        return 0
    held = held_bytes(frame_bytes, working_pixels)
    group = min(group_size(system, held, budget), count)
    return group * held + working_bytes(system, group, working_pixels)


def estimate_memory(
    height: int,
    width: int,
    channels: int,
    itemsize: int,
    factor: int,
    *,
    maps: bool,
    moved: bool = False,
) -> int:
    """Return the bytes that a streaming fusion holds at its peak; it does not grow with N.

    Args:
        height: pixels.
        width: pixels.
        channels: with opacity.
        itemsize: bytes per sample.
        factor: of the working scale.
        maps: whether index, depth and confidence are made.
        moved: whether frames may have to be resampled, or their exposure matched.
    """
    pixels = height * width
    frame = pixels * channels * itemsize
    # running picture, frame in use, frame being decoded and its decoder's copy
    frames = 4 * frame + 3 * pixels * itemsize
    if moved:  # a frame in place, matched before, and the pixels that it shows
        frames += 2 * frame + pixels
    # derivatives (two of 2 or 4 bytes and a sum) and their energy, float32
    measure = pixels * (10 if itemsize == 1 else 16)
    # evidence, decision, its softening and its peak, float32 each
    working = pixels // factor**2 * 4 * 16
    full_maps = pixels * 14 if maps else 0
    # the survey's frame, the one before, and what they are compared by
    survey = min(pixels, 1536 * 1536) * 4 * 6
    return BASE_BYTES + frames + measure + working + full_maps + survey


def fusion_memory(
    system: System | PictureSystem,
    settings: Options,
    *,
    count: int,
    height: int,
    width: int,
    channels: int,
    itemsize: int,
) -> int:
    """Return the bytes that a fusion takes at its peak, whatever kind of file the frames are of.

    Args:
        system: what decides.
        settings: `mode`, `maps`, `align`, `exposure` and `max_memory` matter.
        count: frames; what compares frames holds up to a group of them, a network that makes a
            picture all.
        height: of a frame, pixels.
        width: of a frame.
        channels: with opacity, or all those that one of them decides for.
        itemsize: bytes per sample.
    """
    moved = settings.align != "none" or settings.exposure != "none"
    # the best plane is chosen without a system
    decides = system if traits.decides(system) and settings.mode != "best-plane" else None
    factor = working_factor(height, width, decides.card.working_pixels) if decides else 1
    needed = estimate_memory(
        height, width, channels, itemsize, factor, maps=settings.maps, moved=moved
    )
    if decides:
        pixels = height * width
        limit = memory_limit(settings)
        frame = pixels * channels * itemsize
        needed += decision_memory(decides, count, frame, pixels // factor**2, limit)
    elif holds_all(system) and settings.mode != "best-plane":
        # as they come and side by side, float32; and the picture
        samples = height * width * channels
        needed += (2 * count + 1) * samples * 4 + working_bytes(system, count, height * width)
        if settings.guard == "auto" and system.card.is_guarded:  # which keeps the frames as well
            needed += count * samples * itemsize
    return needed


def settings_files(settings: Options) -> list[Path]:
    """Return the files that settings name: transforms, and those of a system of the user's own."""
    files = [Path(settings.load_transforms)] if settings.load_transforms else []
    folder = Path(settings.system)
    if (folder / "card.json").is_file():
        files += [path for path in folder.iterdir() if path.is_file()]
    return files


def check_system(settings: Options, system: System | PictureSystem) -> None:
    """Refuse what the system cannot do: prefer a depth, or restore detail.

    Raises:
        UsageError: it does not.
    """
    if settings.prefer != "none" and not measures_alone(system):
        raise UsageError(
            f"the system {system.card.name} cannot prefer near or far",
            where="--prefer",
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
    """
    settings = make_settings(**asdict(settings))  # whoever has made them
    infos, notes = io.find_frames(inputs, exclude=exclude)
    infos = [replace(info, lenient=settings.lenient) for info in infos]
    infos, turned = io.settle_orientation(infos)
    io.check_frames(infos)
    reference = resolve_reference(settings.reference, len(infos))
    infos, developed = io.develop_alike(infos, reference, settings.raw_tone)
    settings, measured = _by_own_step(settings, infos)
    if system is None:
        system = load_system(settings.system, threads=settings.threads, device=settings.device)
    system = adopt(system)
    check_system(settings, system)
    info = infos[0]
    factor = 1
    if traits.decides(system):
        factor = working_factor(info.height, info.width, system.card.working_pixels)
    needed = fusion_memory(
        system,
        settings,
        count=len(infos),
        height=info.height,
        width=info.width,
        channels=info.channels,
        itemsize=np.dtype(info.dtype).itemsize,
    )
    limit = memory_limit(settings)
    check_memory(needed, limit, "frames")
    return Plan(
        infos=infos,
        notes=[*notes, *turned, *developed, *measured],
        settings=settings,
        system=system,
        height=info.height,
        width=info.width,
        channels=info.channels,
        dtype=info.dtype,
        working_factor=factor,
        reference=infos[reference].name,
        memory_bytes=needed,
        memory_limit=limit,
    )
