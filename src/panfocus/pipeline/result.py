"""What a fusion gives back: the picture, its maps, and the report of how it came about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.pipeline.options import BitDepth
from panfocus.pipeline.report import Report
from panfocus.registration.alignment import Alignment
from panfocus.registration.stack import Registration

if TYPE_CHECKING:
    from panfocus.pipeline.plan import Plan
    from panfocus.retouch.stroke import Stroke


@dataclass(frozen=True, repr=False)
class FusedPicture:
    """A fused stack: `panfocus.Fusion` without its way into files, on which the pipeline works.

    The attributes are told there.
    """

    image: Pixels
    index: NDArray[np.uint16] | None
    depth: Float | None
    confidence: Float | None
    report: Report
    metadata: io.Metadata
    sources: tuple[Path, ...] = ()
    registration: Registration | None = None
    plan: Plan | None = None
    strokes: tuple[Stroke, ...] = ()

    @property
    def transforms(self) -> Alignment | None:
        """Where the frames lie; None when nothing was asked about it."""
        return None if self.registration is None else self.registration.alignment

    def __repr__(self) -> str:
        """Tell in one line what was made of what."""
        maps = [n for n in ("index", "depth", "confidence") if getattr(self, n) is not None]
        height, width = self.image.shape[:2]
        made = f"{width} x {height} {self.image.dtype} from {len(self.report.frames)} frames"
        by = f"by {self.report.system['name']}"
        return f"<{type(self).__name__}: {made} {by}; maps: {', '.join(maps) or 'none'}>"


def convert_depth(pixels: Pixels, bit_depth: BitDepth) -> Pixels:
    """Return the picture at 8 or 16 bit, full range to full range, rounded."""
    if bit_depth == "same":
        return pixels
    if pixels.dtype == np.float32:
        target = np.dtype(f"uint{bit_depth}")
        return np.rint(np.clip(pixels, 0, 1) * np.float32(white(target))).astype(target)
    return io.to_depth(pixels, "uint8" if bit_depth == "8" else "uint16")


def written_dtype(path: Path, dtype: str, bit_depth: BitDepth) -> str:
    """Return the dtype as which a picture is written: as asked, else what the format holds of it.

    Args:
        path: its extension decides the format.
        dtype: of the frames.
        bit_depth: that was asked for.
    """
    return io.held_dtype(path, dtype) if bit_depth == "same" else f"uint{bit_depth}"


def fitting(path: Path, pixels: Pixels, bit_depth: BitDepth) -> tuple[Pixels, list[str]]:
    """Return pixels as a file's format holds them, and a note where it holds fewer bits.

    Args:
        path: its extension decides the format.
        pixels: of any dtype.
        bit_depth: that was asked for; only "same" may be changed.
    """
    if bit_depth != "same" or written_dtype(path, str(pixels.dtype), "same") == pixels.dtype:
        return pixels, []
    note = f"16 bits per channel became 8: a {path.suffix.lower()} holds no more"
    return io.to_depth(pixels, "uint8"), [f"{note} (.tif and .png do)"]


def at_depth(fusion: FusedPicture, bit_depth: BitDepth) -> FusedPicture:
    """Return a fusion at a bit depth, of which its report tells."""
    image = convert_depth(fusion.image, bit_depth)
    told = fusion.report
    converted = f"converted from {fusion.image.dtype} to {image.dtype}"
    notes = [converted] if image.dtype != fusion.image.dtype else []
    settings = {**told.settings, "bit_depth": bit_depth}
    report = replace(told, settings=settings, warnings=[*told.warnings, *notes])
    return replace(fusion, image=image, report=report)
