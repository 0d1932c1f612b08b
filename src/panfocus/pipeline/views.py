"""The stack as it looks from aside: each frame moved by its depth, and all fused anew.

So what is seen through something in front stays seen, and what stands before something covers what
it should: moving the pixels of the fused picture by its depth map tears both (looked at on made
scenes of hair, layers and things that are seen through). Strokes go along with the frames that they
are painted from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.retouched import retouch
from panfocus.pipeline.run import run_fusion
from panfocus.pipeline.sources import FileStack
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.stack import Registration
from panfocus.registration.transforms import Crop, normalised
from panfocus.registration.warp import warp
from panfocus.retouch.apply import Layers, apply
from panfocus.retouch.moved import moved
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import FrameSource, Source, Stroke, SystemSource

#: Side of a picture below which systems do not judge focus.
_LEAST_SIDE = 16


def plan_of(fusion: FusedPicture, where: str) -> Plan:
    """Return the plan of a fusion of files.

    Raises:
        UsageError: it is one of arrays, whose frames are not kept.
    """
    if fusion.plan is None:
        raise UsageError(
            "this is made of the frames, and those of arrays are not kept",
            where=where,
            expected="a fusion of files",
        )
    return fusion.plan


def frames_in_place(fusion: FusedPicture, plan: Plan) -> Iterator[Frame]:
    """Yield the frames of a fusion as it had them, one at a time, at the picture's bit depth."""
    for number, frame in enumerate(FileStack(plan.infos).frames()):
        placed = frame
        if fusion.registration is not None:
            placed = fusion.registration.place(number, frame)
        yield replace(placed, pixels=at_depth_of(placed.pixels, fusion.image), number=number)


def at_depth_of(pixels: Pixels, picture: Pixels) -> Pixels:
    """Return pixels at the bit depth of a picture."""
    if pixels.dtype == picture.dtype:
        return pixels
    return io.to_depth(pixels, "uint8" if picture.dtype == np.uint8 else "uint16")


def shifts_of(count: int, parallax: float, *, near_first: bool) -> NDArray[np.float64]:
    """Return by how many pixels each frame moves to the right, ``(count,)``.

    Args:
        count: frames.
        parallax: by how many pixels the nearest moves against the farthest; positive for the left
            eye, for which near things are further right.
        near_first: the first frame is focused nearest.
    """
    steps = np.linspace(0.5, -0.5, count) * parallax
    return steps if near_first else -steps


def side_view(fusion: FusedPicture, plan: Plan, parallax: float) -> Pixels:
    """Return the stack from aside at full scale, ``(H, W - margin[, C])``, streaming.

    Args:
        fusion: of files.
        plan: of it.
        parallax: see `shifts_of`, pixels; views of the same size up to its sign fit together.
    """
    settings = replace(plan.settings, maps=False, bit_depth="same", cull=False)
    near_first = settings.order == "near-first"
    shifts = shifts_of(plan.count, parallax, near_first=near_first)
    placed = _shifted(fusion, plan, shifts)
    made = run_fusion(replace(plan, settings=settings, registration=placed))
    margin = _margin(parallax)

    def between(source: Source) -> NDArray[np.float64]:
        out = np.eye(3)
        out[0, 2] = -margin
        if isinstance(source, FrameSource):
            out[0, 2] += shifts[source.number]
        return out

    made = retouch(made, replace(plan, settings=settings), moved(_seen(fusion), between))
    return at_depth_of(made.image, fusion.image)


def _margin(parallax: float) -> int:
    """Return the columns at either side that some frame does not show from aside."""
    return math.ceil(abs(parallax) / 2) + 1


def _seen(fusion: FusedPicture) -> list[Stroke]:
    """Return the strokes that are seen from aside: another system's result has no place there."""
    return [stroke for stroke in fusion.strokes if not isinstance(stroke.source, SystemSource)]


def _shifted(fusion: FusedPicture, plan: Plan, shifts: NDArray[np.float64]) -> Registration:
    """Return the registration that moves each frame by its shift, and is as much narrower."""
    found = fusion.registration
    if found is None:
        still = tuple(Placed(info.name, np.eye(3), "identity", "in place") for info in plan.infos)
        alignment = Alignment(plan.height, plan.width, 0, still)
        found = Registration(alignment, [None] * plan.count, alignment.whole())
    frames = [
        replace(placed, matrix=normalised(placed.matrix @ _aside(-shift)))
        for placed, shift in zip(found.alignment.frames, shifts, strict=True)
    ]
    margin = _margin(float(np.ptp(shifts)))
    field = found.field
    field = replace(field, left=field.left + margin, right=field.right - margin)
    alignment = replace(found.alignment, frames=tuple(frames))
    return replace(found, alignment=alignment, field=field, notes=())


def _aside(shift: float) -> NDArray[np.float64]:
    return np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1]], np.float64)


@dataclass(frozen=True)
class SmallFrames:
    """The frames of a fusion at a size to look at, all held.

    Attributes:
        pixels: ``(h, w[, C])`` of each, of the picture's dtype, without opacity.
        scale: pixels of full scale that one of them is wide.
    """

    pixels: Sequence[Pixels]
    scale: float

    @classmethod
    def of(cls, fusion: FusedPicture, plan: Plan, size: int) -> SmallFrames:
        """Read the frames, and shrink each to `size` pixels at its longer side."""
        small = [reduced(frame, size) for frame in frames_in_place(fusion, plan)]
        return cls(small, fusion.image.shape[1] / small[0].shape[1])

    def layers(self, source: FrameSource | SystemSource, region: Region, /) -> Layers:
        """Return a region of a frame, for strokes."""
        number = cast("FrameSource", source).number  # `_seen` leaves no others
        return Layers(self.pixels[number][region.slices])


def reduced(frame: Frame, size: int) -> Pixels:
    """Return a frame's colours with `size` pixels at the longer side, or as it is if smaller."""
    pixels = frame.pixels[..., :-1] if frame.has_alpha else frame.pixels
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    height, width = pixels.shape[:2]
    share = size / max(height, width)
    if share >= 1:
        return np.ascontiguousarray(pixels)
    factor = max(int(1 / share) // 2, 1)  # by whole blocks first, which is many times as fast
    pixels = shrink(np.ascontiguousarray(pixels), factor)
    wanted = (max(round(width * share), _LEAST_SIDE), max(round(height * share), _LEAST_SIDE))
    return np.asarray(cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA), pixels.dtype)


def small_view(
    fusion: FusedPicture, plan: Plan, frames: SmallFrames, parallax: float, margin: int
) -> Pixels:
    """Return the stack from aside at the size of `frames`, less a margin at either side.

    Args:
        fusion: of files.
        plan: of it.
        frames: of the fusion.
        parallax: see `shifts_of`, in pixels of `frames`.
        margin: columns at either side that are left out.
    """
    shifts = shifts_of(plan.count, parallax, near_first=plan.settings.order == "near-first")
    height, width = frames.pixels[0].shape[:2]
    field = Crop(0, height, margin, width - margin)
    placed = [
        warp(pixels, _aside(-float(shift)), field)
        for pixels, shift in zip(frames.pixels, shifts, strict=True)
    ]
    chosen: dict[str, Any] = {name: getattr(plan.settings, name) for name in _CHOSEN}
    made = run_fusion(
        placed, system=plan.system, align="none", exposure="none", maps=False, **chosen
    )
    held = SmallFrames(placed, frames.scale)

    def between(source: Source) -> NDArray[np.float64]:
        aside = float(shifts[source.number]) if isinstance(source, FrameSource) else 0.0
        return _aside((aside - margin) * frames.scale)

    strokes = [replace(s, match_brightness=False) for s in moved(_seen(fusion), between)]
    whole = Region(0, 0, width - 2 * margin, height, frames.scale)
    return apply(strokes, whole, Layers(made.image), held).pixels


#: Options of the fusion that its views share.
_CHOSEN = ("mode", "banding", "spread", "void", "guard", "prefer", "order", "max_memory", "threads")


def rocking(
    fusion: FusedPicture, plan: Plan, size: int, share: float, count: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield views that rock from one side to the other and back, 8 bit.

    Args:
        fusion: of files.
        plan: of it.
        size: pixels at the longer side.
        share: of the width by which the nearest moves against the farthest.
        count: views of one turn.
    """
    frames = SmallFrames.of(fusion, plan, size)
    most = share * frames.pixels[0].shape[1] / 2  # half to either side
    margin = _margin(most)
    made: dict[float, NDArray[np.uint8]] = {}  # the way back shows the same views
    for n in range(count):
        aside = round(math.sin(2 * math.pi * n / count), 6) * most
        if aside not in made:
            view = small_view(fusion, plan, frames, aside, margin)
            made[aside] = np.asarray(at_eight_bits(view), np.uint8)
        yield made[aside]


def at_eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Return pixels as an animation has them."""
    return np.asarray(io.to_depth(pixels, "uint8"), np.uint8)
