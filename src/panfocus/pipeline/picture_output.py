"""Write the picture of a fusion, and what is known of the size of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from panfocus import io
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.frozen import frozen
from panfocus.io.endings import split_ending
from panfocus.io.outputs import check_apart
from panfocus.pipeline.made import told_metadata
from panfocus.pipeline.result import FusedPicture, fitting


def pixel_size(files: Sequence[Path], told: float | None) -> tuple[float, float] | None:
    """Return the sizes (rows, columns) of a pixel in µm: as told, or as the only file of all says.

    Args:
        files: of the frames.
        told: by the user, micrometres; None where he does not.

    Returns:
        None where nobody says it.
    """
    if told is not None:
        return told, told
    if len(set(files)) != 1 or files[0].suffix.lower() not in (".tif", ".tiff"):
        return None
    return io.pixel_um(files[0])


@frozen
class ScaleBarOutput:
    """A copy of a picture with a scale bar painted into it.

    Attributes:
        path: of the copy.
        length: of the bar, with its unit, or "auto".
    """

    path: Path
    length: str

    def check(self, width: int, pixel_um: tuple[float, float] | None) -> None:
        """Refuse a bar of unknown length, before any work.

        Args:
            width: of the picture.
            pixel_um: sizes (rows, columns) of a pixel; None where they are not known.

        Raises:
            UsageError: they are not, or the bar does not fit.
        """
        from panfocus.surface.scale_bar import fitting, length_of  # noqa: PLC0415  few have one

        fitting(length_of(self.length), width, self._known(pixel_um))

    def write(
        self,
        pixels: Pixels,
        metadata: io.Metadata,
        pixel_um: tuple[float, float] | None,
        **how: Any,  # noqa: ANN401  as `io.write_image` takes it
    ) -> None:
        """Write the copy; arguments as of `check` and `io.write_image`."""
        from panfocus.surface.scale_bar import (  # noqa: PLC0415  few pictures have one
            fitting,
            length_of,
            with_scale_bar,
        )

        size, told = self._known(pixel_um), length_of(self.length)
        length = told if told is not None else fitting(None, pixels.shape[1], size)
        painted = with_scale_bar(pixels, length, size)
        io.write_image(self.path, painted, metadata, is_result=True, pixel_um=pixel_um, **how)

    @staticmethod
    def _known(pixel_um: tuple[float, float] | None) -> float:
        if pixel_um is None:
            raise UsageError(
                "how long a scale bar is cannot be told: the size of a pixel is not known",
                where="scale_bar",
                expected="micrometres a pixel, in the file or told",
                got="neither",
                remedy="say it by `pixel_um`",
            )
        return pixel_um[1]


def scale_bars(picture: Path, length: str | None) -> list[ScaleBarOutput]:
    """Return the copy with a scale bar beside a picture, in its format; none if none is wanted."""
    if length is None:
        return []
    stem, ending = split_ending(picture)
    return [ScaleBarOutput(picture.with_name(f"{stem}_scalebar{ending}"), length)]


def write_picture(
    path: Path,
    fusion: FusedPicture,
    *,
    quality: int,
    overwrite: bool,
    pixel_um: float | None = None,
) -> list[str]:
    """Write the fused picture with its metadata; return notes."""
    check_apart(fusion.sources, [("", path)])
    pixels, told = fitting(path, fusion.image, fusion.report.settings.get("bit_depth", "same"))
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    kind: dict[str, Any] = {"dtype": str(pixels.dtype), "channels": channels, "kind": "image"}
    io.check_output(path, overwrite=overwrite, **kind)
    size = pixel_size(fusion.sources, pixel_um)
    keep: dict[str, Any] = {"quality": quality, "overwrite": overwrite, "is_result": True}
    return [*told, *io.write_image(path, pixels, told_metadata(fusion), pixel_um=size, **keep)]
