"""What others must know of a system besides its card, asked here and nowhere else.

Everything has an answer for a system that tells nothing: one with a card and ``decide`` alone is
whole. A system that knows better has the attribute that is named with each question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from panfocus.arrays.types import Float, Pixels
from panfocus.systems.base import EvidenceSystem, PictureSystem, System

if TYPE_CHECKING:
    from panfocus.systems.intensity import Stretch
    from panfocus.systems.long_stacks import ManyWeights
    from panfocus.systems.refiner import Refiner
    from panfocus.systems.restorer import Restorer

AnySystem = System | PictureSystem
#: From two frames ``(2, h, w, C)``, and what is done to their brightness, to ``(2, h, w)`` weights.
LooksCloser = Callable[[Pixels, "Stretch | None"], Float]


def decides(system: AnySystem) -> TypeGuard[System]:
    """Whether it gives weights, and so index, depth and confidence (``decide``)."""
    return isinstance(system, System)


def makes_picture(system: AnySystem) -> TypeGuard[PictureSystem]:
    """Whether it makes a picture without telling weights (``begin``)."""
    return not isinstance(system, System)


def measures_alone(system: AnySystem) -> TypeGuard[EvidenceSystem]:
    """Whether it measures each frame by itself, so that frames need not be held (``evidence``)."""
    return isinstance(system, EvidenceSystem)


def keeps_spots(system: AnySystem) -> bool:
    """Whether spots that it loses are taken from the frames that show them (``keeps_spots``)."""
    return bool(getattr(system, "keeps_spots", False)) and measures_alone(system)


def refinement(system: AnySystem) -> tuple[int, float] | None:
    """Return radius, pixels, and epsilon of the guided filter that its decisions need.

    From ``radius`` and ``epsilon``; None where they are taken as they are.
    """
    radius, epsilon = getattr(system, "radius", None), getattr(system, "epsilon", None)
    return None if radius is None or epsilon is None else (int(radius), float(epsilon))


def refiner(system: AnySystem) -> Refiner | None:
    """Return what refines decisions of a reduced scale (``refiner``); None for nothing."""
    return getattr(system, "refiner", None)


def closer(system: AnySystem) -> LooksCloser | None:
    """Return what decides at full scale about lights (``closer``); None for nothing."""
    return getattr(system, "closer", None)


def holds_all(system: AnySystem) -> bool:
    """Whether all frames are held until the end (``holds_all``); else one at a time is."""
    return bool(getattr(system, "holds_all", False))


def working_bytes(system: AnySystem, frames: int, pixels: int) -> int:
    """Return the bytes that looking at `frames` of `pixels` each takes, beyond the frames.

    From ``working_bytes(frames, pixels)``; 0 where it does not tell.
    """
    told: Any = getattr(system, "working_bytes", None)
    return 0 if told is None else int(told(frames, pixels))


def takes_native(system: AnySystem) -> bool:
    """Whether ``decide`` takes uint8 and uint16 as files have them (``takes_native``)."""
    return bool(getattr(system, "takes_native", False))


def at_once(system: System, frames: Pixels) -> int:
    """Return how many of frames ``(N, h, w, C)`` it compares best at once, >= 2.

    From ``at_once(frames)``; all of them where it does not tell.
    """
    told: Any = getattr(system, "at_once", None)
    return len(frames) if told is None else max(int(told(frames)), 2)


def compares_many(system: System) -> bool:
    """Whether it may have ``decide_many``, for more frames than lie side by side in floats.

    From ``compares_many``.
    """
    return bool(getattr(system, "compares_many", False))


def decide_many(system: System, frames: Sequence[Pixels]) -> ManyWeights | None:
    """Return weights of many frames, each ``(h, w, C)``; None where groups of them are better.

    From ``decide_many(frames)``.
    """
    asked: Any = system
    return asked.decide_many(frames) if compares_many(system) else None


def restorer(system: AnySystem) -> Restorer | None:
    """Return what restores detail in a fused picture (``restorer``); None where nothing does."""
    return getattr(system, "restorer", None)
