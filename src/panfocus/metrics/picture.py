"""Pictures as the metrics see them: one grey plane, float64, 0..255.

The published values of fusion metrics are those of MATLAB programs that read 8-bit files, turn
colour into 8-bit grey and work in doubles from 0 to 255. Constants inside the formulas (1e-4,
C2 = 58.5, sigma_n^2 = 325.1 ...) only mean something on that scale, so every metric takes its
pictures through `Grey.of`, and no metric guesses a range from the values that it meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError, UsageError

Plane = NDArray[np.float64]
#: BT.601 luma to six decimals, as MATLAB-like `rgb2gray` uses it; they sum to exactly 1.
LUMA = (0.298936, 0.587043, 0.114021)
#: The 11 x 11 windows of SSIM and of Q_P need some room to be statistics at all.
SMALLEST = 16


@dataclass(frozen=True, eq=False)
class Grey:
    """One picture, ready to be measured.

    Attributes:
        plane: ``(H, W)`` float64 in 0..255; whole numbers if the picture had 8 bits.
    """

    plane: Plane

    @classmethod
    def of(cls, picture: Picture, where: str = "picture") -> Grey:
        """Turn any supported picture into its grey plane.

        Args:
            picture: ``(H, W)``, ``(H, W, 1)`` or RGB ``(H, W, 3)``. uint8 is taken as it is, its
                colour weighted by BT.601 and **rounded to whole levels**, as the MATLAB programs
                do. uint16 is divided by 257 and floating point, which must lie in [0, 1], is
                multiplied by 255; neither is rounded.
            where: how an error calls the picture.

        Raises:
            InputError: another shape or dtype, a side under 16 pixels, floating point outside
                [0, 1] or not finite.
        """
        if isinstance(picture, Grey):
            return picture
        array = np.asarray(picture)
        _check_shape(array, where)
        scale = _scale_of(array, where)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[..., 0]
        if array.ndim == 2:
            return cls(np.ascontiguousarray(array, np.float64) * scale)
        luma = np.zeros(array.shape[:2])
        for channel, weight in enumerate(LUMA):
            luma += array[..., channel] * np.float64(weight)
        return cls(np.floor(luma + 0.5) if array.dtype == np.uint8 else luma * scale)

    @cached_property
    def levels(self) -> NDArray[np.uint8]:
        """The plane stretched to its full range 0..255 and rounded half up; constant: all 0."""
        low, high = float(self.plane.min()), float(self.plane.max())
        if high == low:
            return np.zeros(self.plane.shape, np.uint8)
        stretched = (self.plane - low) / (high - low) * 255
        return np.floor(stretched + 0.5).astype(np.uint8)

    @property
    def stretched(self) -> Plane:
        """`levels` as float64."""
        return self.levels.astype(np.float64)


Picture = NDArray[Any] | Grey
#: Sources are a sequence of pictures, or one array with the sources along its first axis.
Sources = Sequence[Picture] | NDArray[Any]


def _check_shape(array: NDArray[Any], where: str) -> None:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3):
        raise InputError(
            "a metric takes one grey or RGB picture at a time",
            where=where,
            expected="an array (H, W), (H, W, 1) or (H, W, 3)",
            got=f"shape {array.shape}",
            remedy="Drop an alpha channel; pass several sources as a list.",
        )
    if min(array.shape[:2]) < SMALLEST:
        raise InputError(
            "the picture is too small for the windows of the metrics",
            where=where,
            expected=f"at least {SMALLEST} x {SMALLEST} pixels",
            got=f"{array.shape[0]} x {array.shape[1]}",
        )


def _scale_of(array: NDArray[Any], where: str) -> float:
    """Return what the values are multiplied by to lie in 0..255."""
    if array.dtype == np.uint8:
        return 1.0
    if array.dtype == np.uint16:
        return 1 / 257
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            "the metrics do not know the range of this kind of number",
            where=where,
            expected="uint8, uint16, or floating point in [0, 1]",
            got=str(array.dtype),
        )
    low, high = float(array.min()), float(array.max())
    # written so that NaN fails it too
    if not (low >= 0 and high <= 1):
        raise InputError(
            "a floating-point picture must lie in [0, 1]",
            where=where,
            expected="finite values from 0 to 1",
            got=f"values from {low:g} to {high:g}",
            remedy="Clip it, or convert it to uint8 or uint16 first.",
        )
    return 255.0


def greys(sources: Sources, fused: Picture) -> tuple[list[Grey], Grey]:
    """Turn sources and fused picture into grey planes of one size.

    Raises:
        UsageError: no source at all.
        InputError: a picture is unfit (see `Grey.of`) or not as large as the fused one.
    """
    if len(sources) == 0:
        raise UsageError("a fusion metric needs at least one source", got="no source")
    out = Grey.of(fused, "fused picture")
    planes = [Grey.of(source, f"source {i}") for i, source in enumerate(sources)]
    for i, source in enumerate(planes):
        same_size(source, out, f"source {i}")
    return planes, out


def pair(reference: Picture, fused: Picture) -> tuple[Grey, Grey]:
    """Turn reference and fused picture into grey planes of one size."""
    truth, out = Grey.of(reference, "reference"), Grey.of(fused, "fused picture")
    same_size(truth, out, "reference")
    return truth, out


def same_size(picture: Grey, fused: Grey, where: str) -> None:
    """Raise InputError unless the picture is as large as the fused one."""
    if picture.plane.shape != fused.plane.shape:
        raise InputError(
            "the pictures are not of one size",
            where=where,
            expected=f"{fused.plane.shape[0]} x {fused.plane.shape[1]} like the fused picture",
            got=f"{picture.plane.shape[0]} x {picture.plane.shape[1]}",
        )


def exactly_two(sources: Sequence[Grey], metric: str) -> tuple[Grey, Grey]:
    """Return both sources of a metric whose definition has no third.

    Raises:
        UsageError: not exactly two sources.
    """
    if len(sources) != 2:
        raise UsageError(
            f"{metric} is defined for two sources only",
            expected="2 sources",
            got=f"{len(sources)} sources",
            remedy="Use Q_W, Q_G or Q_CB, which are defined for any number.",
        )
    return sources[0], sources[1]
