"""Small stacks with options, as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fuzz.made import stack

_SIDES = st.one_of(st.integers(16, 40), st.integers(16, 40), st.integers(41, 140))
_SYSTEMS = ("guided", "guided-tenengrad", "guided-sf", "guided-variance", "pyramid")


@dataclass(frozen=True)
class Drawn:
    """A stack, and how it is fused.

    Attributes:
        frames: ``(N, H, W[, C])``.
        options: of `panfocus.fuse`.
        is_textured: whether frames differ in focus everywhere, so that few places are near a tie.
    """

    frames: NDArray[Any]
    options: dict[str, Any]
    is_textured: bool = True


#: How light lies in a frame, (H, W) of 0 to 255; None for texture.
_PATTERNS: tuple[Callable[[int, int], NDArray[Any]] | None, ...] = (
    None, None, None, None,
    lambda y, x: np.arange(x)[None] % 4 * 60 + np.zeros((y, 1)),
    lambda y, x: np.arange(y)[:, None] % 8 * 28 + np.zeros((1, x)),
    lambda y, x: np.indices((y, x)).sum(axis=0) % 2 * 255.0,
    lambda y, x: (np.indices((y, x)).sum(axis=0) == y) * 255.0,
    lambda y, x: np.full((y, x), 200.0),
)  # fmt: skip


def _patterned(frames: NDArray[Any], pattern: Callable[[int, int], NDArray[Any]]) -> NDArray[Any]:
    """Return frames of the same kind that show a pattern, the later the softer."""
    top = 1.0 if frames.dtype == np.float32 else float(np.iinfo(frames.dtype).max)
    light = pattern(*frames.shape[1:3]).astype(np.float32) / 255
    soft = [cv2.GaussianBlur(light, (0, 0), 1.5 * n) if n else light for n in range(len(frames))]
    tail = (1,) * (frames.ndim - 3)
    same = np.stack(soft).reshape(*frames.shape[:3], *tail)
    return (np.broadcast_to(same, frames.shape) * top).astype(frames.dtype)


@st.composite
def stacks(draw: st.DrawFn, systems: tuple[str, ...] = _SYSTEMS) -> Drawn:
    """Draw a small stack with options."""
    frames = stack(
        draw(st.integers(2, 5)), draw(_SIDES), draw(_SIDES),
        draw(st.sampled_from((1, 2, 3, 4))), draw(st.sampled_from(("uint8", "uint16", "float32"))),
        draw(st.integers(0, 2**31)),
    )  # fmt: skip
    pattern = draw(st.sampled_from(_PATTERNS))
    frames = frames if pattern is None else _patterned(frames, pattern)
    # dim ones, and black ones
    frames = (frames * draw(st.sampled_from((1.0, 1.0, 0.3, 0.02, 0.0)))).astype(frames.dtype)
    options = {
        "system": draw(st.sampled_from(systems)),
        "mode": draw(st.sampled_from(("blend", "select", "best-plane"))),
        "align": draw(st.sampled_from(("none", "none", "auto", "translation", "local"))),
        "exposure": draw(st.sampled_from(("auto", "none"))),
        "banding": draw(st.sampled_from(("mend", "off"))),
        "void": draw(st.sampled_from(("smooth", "off"))),
        "guard": draw(st.sampled_from(("auto", "off"))),
        "keep_size": True,
        "maps": draw(st.booleans()),
        "order": draw(st.sampled_from(("near-first", "far-first"))),
        "threads": draw(st.sampled_from((None, 1))),
    }
    if options["system"] == "pyramid":
        options |= {"mode": "blend", "maps": False}
    return Drawn(frames, options, pattern is None)
