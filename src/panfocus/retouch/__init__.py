"""Retouching: painting over a fused picture from another source, by strokes that are vectors.

The contract, for whoever draws strokes (a page, a program) and whoever replays them:

- **Places** are in pixels of the fused picture at full scale, floats; pixel centres have whole
  coordinates, so that the picture's left edge lies at -0.5. A picture shrunk by `scale` (8 for an
  eighth) has its pixel ``i`` at ``scale * (i + 0.5) - 0.5``.
- **A stroke** (`Stroke`) is "brush", a line through `points` with `radius`; or "rectangle", two
  opposite corners. Its **coverage** is 1 within ``hardness * radius`` of the line, and falls
  smoothly to 0 at `radius`; it is the largest over the line, so that dabs do not add up. Of a
  rectangle, `radius` is the width of its border, inside it. Coverage is worked out from distances
  and averaged over a pixel, so that it is the same at every scale.
- **Sources**: `FrameSource`, a frame by number; `Sharpest`, the frame that the index map names
  under the stroke's first point, which `resolved` makes a `FrameSource`; `SystemSource`, another
  system's result of the same registered stack; `FusedSource`, the fused picture: an eraser.
- `apply` puts strokes, in their order, onto **any rectangle at any scale** (`Region`). Later ones
  act on the result of earlier ones; undo is leaving out the last. What is not covered stays bit
  for bit; where a stroke covers all, native numbers are copied. Index, depth and confidence switch
  to the source where a stroke covers at least half.
- **Brightness**: with `match_brightness`, the source's levels are fitted to the picture around the
  stroke. `fit_brightness` measures that once, in the stroke's `surroundings`, on full scale or a
  preview, and `apply` only uses what is measured (`Stroke.levels`), so that all regions of a
  picture agree. A fusion without a page measures anew, at full scale.
- `touched` and `Retouching` say which tiles of a picture have to be made anew when strokes change.
- `stroke_from` and `stroke_to` are a stroke's record in JSON; everything wrong in a record is an
  `InputError` that says where.
"""

from __future__ import annotations

from panfocus.retouch.apply import Layers, StrokeSources, apply
from panfocus.retouch.brightness import fit_brightness, surroundings
from panfocus.retouch.coverage import coverage
from panfocus.retouch.records import stroke_from, stroke_to
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import (
    FrameSource,
    FusedSource,
    LevelMatch,
    Sharpest,
    Source,
    Stroke,
    SystemSource,
    resolved,
)
from panfocus.retouch.tiles import Retouching, touched

__all__ = [
    "FrameSource",
    "FusedSource",
    "Layers",
    "LevelMatch",
    "Region",
    "Retouching",
    "Sharpest",
    "Source",
    "Stroke",
    "StrokeSources",
    "SystemSource",
    "apply",
    "coverage",
    "fit_brightness",
    "resolved",
    "stroke_from",
    "stroke_to",
    "surroundings",
    "touched",
]
