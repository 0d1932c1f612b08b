"""The options of `panfocus.fuse` as keyword arguments, for those who check types."""

from __future__ import annotations

from typing import Literal, TypedDict

from panfocus.fusion.modes import Mode
from panfocus.pipeline.options import (
    AlignTo,
    Banding,
    BitDepth,
    Exposure,
    GuardOption,
    HotPixels,
    Order,
    Prefer,
    RawTone,
    Spread,
    Void,
    WorkingScale,
)


class Chosen(TypedDict, total=False):
    """The keyword arguments of `panfocus.fuse`: fields of `Options`, numbers where natural."""

    device: str
    align: str
    align_dof: str
    align_to: AlignTo
    reference: str | int
    exposure: Exposure
    keep_size: bool
    load_transforms: object  # a str or a path of any kind
    mode: Mode
    banding: Banding
    spread: Spread
    working_scale: WorkingScale
    void: Void
    guard: GuardOption
    prefer: Prefer
    order: Order
    cull: bool
    maps: bool
    z_step_um: float | None
    raw_tone: RawTone
    prefer_raw: bool
    flat_field: object  # a str or a path of any kind, as is `dark`
    dark: object
    hot_pixels: HotPixels
    lenient: bool
    bit_depth: BitDepth | Literal[8, 16]
    max_memory: str | int
    threads: int | None
