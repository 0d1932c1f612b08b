"""Small stacks with options, as Hypothesis draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from numpy.typing import NDArray

from fuzz.made import stack

_SYSTEMS = ("guided", "guided-tenengrad", "guided-sf", "guided-variance", "pyramid")


@dataclass(frozen=True)
class Drawn:
    """A stack, and how it is fused."""

    frames: NDArray[Any]
    options: dict[str, Any]


@st.composite
def stacks(draw: st.DrawFn, systems: tuple[str, ...] = _SYSTEMS) -> Drawn:
    """Draw a small stack with options."""
    frames = stack(
        draw(st.integers(2, 5)), draw(st.integers(16, 40)), draw(st.integers(16, 40)),
        draw(st.sampled_from((1, 2, 3, 4))), draw(st.sampled_from(("uint8", "uint16", "float32"))),
        draw(st.integers(0, 2**31)),
    )  # fmt: skip
    # dim ones, and black ones
    frames = (frames * draw(st.sampled_from((1.0, 1.0, 0.3, 0.02, 0.0)))).astype(frames.dtype)
    options = {
        "system": draw(st.sampled_from(systems)),
        "mode": draw(st.sampled_from(("blend", "select", "best-plane"))),
        "align": draw(st.sampled_from(("none", "none", "auto", "translation", "local"))),
        "exposure": draw(st.sampled_from(("auto", "none"))),
        "void": draw(st.sampled_from(("smooth", "off"))),
        "guard": draw(st.sampled_from(("auto", "off"))),
        "keep_size": True,
        "maps": draw(st.booleans()),
        "order": draw(st.sampled_from(("near-first", "far-first"))),
        "threads": draw(st.sampled_from((None, 1))),
    }
    if options["system"] == "pyramid":
        options |= {"mode": "blend", "maps": False}
    return Drawn(frames, options)
