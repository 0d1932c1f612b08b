"""What a fusion gives back: the picture, its maps, and the report of how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.types import Float, Pixels
from panfocus.io.outputs import check_apart
from panfocus.registration.alignment import Alignment


@dataclass
class Report:
    """What was done, in values that JSON can hold."""

    settings: dict[str, Any]
    versions: dict[str, str]
    system: dict[str, Any]
    size: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reference: str | None = None
    working_factor: int = 1
    warnings: list[str] = field(default_factory=list[str])
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    #: the part of the reference frame that the picture shows; None when it shows all
    cropped_to: dict[str, int] | None = None
    #: what the second opinion on a network's decision found; None where none was asked
    guard: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class Fusion:
    """The result of `fuse`.

    Attributes:
        image: ``(H, W[, C])``, sharp everywhere; dtype and channels of the frames, unless
            another bit depth was asked for.
        index: ``(H, W)`` uint16, which frame won; None when not asked for or not to be had.
        depth: ``(H, W)`` float32, frame number with fractions (the peak of the evidence, or the
            weighted mean), or micrometres with a z-step; or None.
        confidence: ``(H, W)`` float32 in [0, 1], how clear the decision is; or None.
        report: settings, versions, system, shares, warnings, timings.
        metadata: of the reference frame, for saving.
        transforms: where the frames lie; None when nothing was asked about it.
        sources: files of the frames, which `save` does not replace; none for arrays.
    """

    image: Pixels
    index: NDArray[np.uint16] | None
    depth: Float | None
    confidence: Float | None
    report: Report
    metadata: io.Metadata
    transforms: Alignment | None = None
    sources: tuple[Path, ...] = ()

    def save(self, path: str | Path, *, quality: int = 95, overwrite: bool = False) -> list[str]:
        """Write the image with its metadata, atomically.

        Args:
            path: its extension decides the format.
            quality: for JPEG and WebP, 1 to 100.
            overwrite: whether an existing file may be replaced.

        Returns:
            Notes for the user, such as metadata that the format cannot hold.

        Raises:
            OutputError: exists, cannot be written, is one of the frames, or the format cannot
                hold the picture.
        """
        path = Path(path)
        check_apart(self.sources, [("", path)])
        channels = 1 if self.image.ndim == 2 else self.image.shape[2]
        io.check_output(
            path,
            overwrite=overwrite,
            dtype=str(self.image.dtype),
            channels=channels,
            kind="image",
        )
        return io.write_image(
            path,
            self.image,
            self.metadata,
            quality=quality,
            overwrite=overwrite,
            is_result=True,
        )
