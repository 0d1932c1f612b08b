"""What a report says of strokes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.retouch.stroke import FrameSource, Stroke, SystemSource


def strokes_facts(strokes: Sequence[Stroke], names: Sequence[str]) -> dict[str, Any]:
    """Return what the report says of strokes on frames of some names."""
    counts: Counter[str] = Counter()
    for stroke in strokes:
        source = stroke.source
        if isinstance(source, FrameSource):
            counts[names[source.number]] += 1
        else:
            counts[source.name if isinstance(source, SystemSource) else "fused"] += 1
    return {"strokes": len(strokes), "sources": dict(counts)}


def with_shares(
    frames: Sequence[dict[str, Any]],
    before: NDArray[np.uint16] | None,
    after: NDArray[np.uint16] | None,
) -> list[dict[str, Any]]:
    """Return the facts of frames with their shares changed by as much as the index map is."""
    out = [dict(facts) for facts in frames]
    if before is None or after is None:
        return out
    counts = [np.bincount(index.ravel(), minlength=len(out)) for index in (before, after)]
    for facts in out:
        if facts.get("share") is not None:
            more = int(counts[1][facts["number"]]) - int(counts[0][facts["number"]])
            facts["share"] = min(max(facts["share"] + more / before.size, 0.0), 1.0)
    return out
