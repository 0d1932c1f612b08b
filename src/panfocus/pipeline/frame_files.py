"""Write what shows a fusion's frames: layers, an animation, views from aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import white
from panfocus.io.animation import write_animation
from panfocus.io.layered import write_layers
from panfocus.io.psd_layers import LayeredPicture, LayerPixels, PsdLayer
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.made import told_metadata
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import FusedPicture, fitting
from panfocus.pipeline.views import (
    at_eight_bits,
    frames_in_place,
    plan_of,
    reduced,
    rocking,
    side_view,
)

#: Time that an animation through the stack takes one way, and bounds of a picture's, milliseconds.
_ONE_WAY, _SHORTEST, _LONGEST = 2000, 40, 250
#: Views of a rocking animation, and for how long each is shown.
_VIEWS, _VIEW_MS = 24, 60


def write_frame_files(
    of_frames: FrameOutputs,
    fusion: FusedPicture,
    slabs: Iterator[FusedPicture],
    count: int,
    *,
    quality: int,
    overwrite: bool,
) -> list[str]:
    """Write all that is wanted, each file whole or not at all; return notes.

    Args:
        of_frames: the files.
        fusion: of frames in files.
        slabs: fused as the whole stack lies; taken where layers are wanted.
        count: how many slabs there are.
        quality: of JPEG and WebP, 1 to 100.
        overwrite: whether existing files may be replaced.

    Raises:
        OutputError: exists, or cannot be written.
        UsageError: the fusion is one of arrays, or a number is out of range.
    """
    of_frames.check_values()
    plan = plan_of(fusion, ", ".join(option for option, _ in of_frames.named()))
    size, share = of_frames.animation_size, of_frames.parallax / 100
    if of_frames.layers is not None:
        _write_layers(of_frames.layers, fusion, plan, slabs, count, overwrite=overwrite)
    if of_frames.animation is not None:
        small = [at_eight_bits(reduced(f, size)) for f in frames_in_place(fusion, plan)]
        time = int(np.clip(_ONE_WAY / len(small), _SHORTEST, _LONGEST))
        pictures = iter([*small, *small[-2:0:-1]])  # there and back
        write_animation(
            of_frames.animation, pictures, milliseconds=time, quality=quality, overwrite=overwrite
        )
    if of_frames.rocking is not None:
        views = rocking(fusion, plan, size, share, _VIEWS)
        write_animation(
            of_frames.rocking, views, milliseconds=_VIEW_MS, quality=quality, overwrite=overwrite
        )
    if of_frames.stereo is None:
        return []
    aside = share * fusion.image.shape[1] / 2  # half to either side
    eyes = [side_view(fusion, plan, parallax) for parallax in (aside, -aside)]
    asked = fusion.report.settings.get("bit_depth", "same")
    both, notes = fitting(of_frames.stereo, np.concatenate(eyes, axis=1), asked)
    return notes + io.write_image(
        of_frames.stereo,
        both,
        told_metadata(fusion),
        quality=quality,
        overwrite=overwrite,
        is_result=True,
    )


def _write_layers(
    path: Path,
    fusion: FusedPicture,
    plan: Plan,
    slabs: Iterator[FusedPicture],
    count: int,
    *,
    overwrite: bool,
) -> None:
    has_alpha = plan.infos[0].has_alpha
    # where frames are cropped to what all show, all of each is shown
    found = fusion.registration
    is_partly_shown = (
        found is not None
        and found.field == found.alignment.whole()
        and any(found.alignment.moves(n) for n in range(plan.count))
    )
    frames_alpha = has_alpha or is_partly_shown
    layers = [
        PsdLayer(info.name, frames_alpha, has_mask=fusion.index is not None) for info in plan.infos
    ]
    layers += [PsdLayer(f"slab {n + 1}", has_alpha) for n in range(count)]
    layers.append(PsdLayer("fused", has_alpha))
    pixels = _layers(fusion, plan, slabs, needs_alpha=frames_alpha and not has_alpha)
    layered = LayeredPicture(fusion.image, layers, pixels, has_alpha)
    write_layers(path, layered, told_metadata(fusion), overwrite=overwrite)


def _layers(
    fusion: FusedPicture, plan: Plan, slabs: Iterator[FusedPicture], *, needs_alpha: bool
) -> Iterator[LayerPixels]:
    """Yield the frames, from the first up, the slabs, and the fused picture above them."""
    top = fusion.image.dtype.type(white(fusion.image.dtype))
    for number, frame in enumerate(frames_in_place(fusion, plan)):
        pixels = frame.pixels
        if needs_alpha:
            shown = np.full(pixels.shape[:2], top, pixels.dtype)
            if frame.cover is not None:
                shown[frame.cover == 0] = 0
            pixels = np.dstack([pixels, shown])
        mask: NDArray[np.uint8 | np.uint16 | np.float32] | None = None
        if fusion.index is not None:
            mask = np.where(fusion.index == number, top, top.dtype.type(0)).astype(pixels.dtype)
        yield pixels, mask
    for slab in slabs:
        yield slab.image, None
    yield fusion.image, None
