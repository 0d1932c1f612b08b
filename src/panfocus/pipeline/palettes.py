"""What strokes are painted from: frames, read one at a time, and other systems' results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from panfocus.errors import SystemError_
from panfocus.frame import Frame
from panfocus.pipeline.journal import Cancel
from panfocus.pipeline.memory import BASE_BYTES, check_memory
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import Plan, by_another
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import run_fusion
from panfocus.pipeline.sources import FileStack
from panfocus.registration.stack import Registration
from panfocus.systems import PictureSystem, System, list_systems, load_system

#: Of a picture with its three maps, bytes a pixel beside the picture.
MAP_BYTES = 10
#: Frames in memory while one is read and put in place, and the next is decoded.
_IN_WORK = 4


class Palette(Protocol):
    """What strokes are painted from: the frames of a fusion, wherever they lie."""

    @property
    def names(self) -> Sequence[str]:
        """Of the frames."""
        ...

    @property
    def has_alpha(self) -> bool:
        """Whether their last channel is opacity."""
        ...

    @property
    def budget(self) -> int:
        """Bytes that what strokes are painted from may take at once."""
        ...

    @property
    def threads(self) -> int | None:
        """Of the processor; None for all cores."""
        ...

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield frames by number, as they were taken."""
        ...

    def depth_of(self, number: int, frame: Frame) -> float:
        """Return where a frame lies, in the unit of the depth map."""
        ...

    def by_system(
        self, name: str, registration: Registration | None, held: int, cancel: Cancel | None
    ) -> FusedPicture:
        """Return the fusion of the same frames, placed alike, by another system.

        Args:
            name: of the system.
            registration: of the frames.
            held: bytes that are taken already.
            cancel: asked before every frame.

        Raises:
            SystemError_: there is no such system.
            UsageError: it needs more memory than is allowed.
        """
        ...


@dataclass(frozen=True)
class PlanPalette:
    """The frames of a plan; see `Palette`.

    Attributes:
        plan: its frames are those that strokes number.
        unit: of the depth map.
    """

    plan: Plan
    unit: str | None

    @property
    def names(self) -> Sequence[str]:
        """Of the frames."""
        return [info.name for info in self.plan.infos]

    @property
    def has_alpha(self) -> bool:
        """Whether their last channel is opacity."""
        return self.plan.infos[0].has_alpha

    @property
    def budget(self) -> int:
        """Bytes that what strokes are painted from may take at once."""
        return self.plan.memory_limit - held_bytes(self.plan)

    @property
    def threads(self) -> int | None:
        """Of the processor; None for all cores."""
        return self.plan.settings.threads

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield frames by number, as they were taken."""
        return FileStack([self.plan.infos[n] for n in numbers]).frames()

    def depth_of(self, number: int, frame: Frame) -> float:
        """Return where a frame lies, in the unit of the depth map."""
        return depth_of(number, frame, self.plan.settings.z_step_um, self.unit)

    def by_system(
        self, name: str, registration: Registration | None, held: int, cancel: Cancel | None
    ) -> FusedPicture:
        """Return the fusion of the same frames by another system; see `Palette`."""
        plan_ = by_system(self.plan, name, registration)
        check_memory(plan_.memory_bytes + held, plan_.memory_limit, "frames by another system")
        return run_fusion(plan_, cancel=cancel)


def depth_of(number: int, frame: Frame, step: float | None, unit: str | None) -> float:
    """Return where a frame lies, in the unit of a depth map."""
    if unit != "µm":
        return float(number)
    return number * step if step is not None else float(frame.place_um or 0.0)


def held_bytes(plan_: Plan) -> int:
    """Return what is held while strokes are put onto the picture of a plan; see `held_beside`."""
    pixels = plan_.height * plan_.width
    return held_beside(pixels, pixels * plan_.channels * np.dtype(plan_.dtype).itemsize)


def held_beside(pixels: int, frame: int) -> int:
    """Return what is held while strokes are put onto a picture, beside what they are painted from.

    The picture and its maps without and with strokes, and frames on their way.

    Args:
        pixels: of the picture.
        frame: bytes of a frame.
    """
    return BASE_BYTES + 2 * (frame + pixels * MAP_BYTES) + _IN_WORK * frame


def by_system(plan_: Plan, name: str, registration: Registration | None) -> Plan:
    """Return a plan of the same frames, placed alike, by another system.

    Args:
        plan_: of the fusion.
        name: of `list_systems`; a folder is none, as a project may come from anybody.
        registration: of the fusion.

    Raises:
        SystemError_: there is no such system.
    """
    settings, system = system_of(name, plan_.settings)
    return replace(by_another(plan_, settings, system), registration=registration)


def system_of(name: str, settings: Options) -> tuple[Options, System | PictureSystem]:
    """Return how another system fuses what was fused by some settings, and that system.

    Args:
        name: of `list_systems`; a folder is none, as a project may come from anybody.
        settings: of the fusion.

    Raises:
        SystemError_: there is no such system.
    """
    known = [card.name for card in list_systems()]
    if name not in known:
        raise SystemError_(
            "a stroke is painted from a system that is not there",
            where=f"the system {name}",
            expected=", ".join(known),
        )
    chosen = {"system": name, "mode": "blend", "prefer": "none"}
    settings = replace(settings, **chosen, bit_depth="same", cull=False)
    return settings, load_system(name, threads=settings.threads, device=settings.device)
