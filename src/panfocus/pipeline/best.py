"""Take the sharpest frame whole."""

from __future__ import annotations

from collections.abc import Iterator

from panfocus.frame import Frame
from panfocus.fusion.best_plane import best_plane_maps
from panfocus.pipeline.journal import Journal
from panfocus.pipeline.result import FusedPicture


def take_best(journal: Journal, source: Iterator[Frame]) -> FusedPicture:
    """Take the one frame of highest sharpness, whole, with its own metadata."""
    best: Frame | None = None
    scores: list[float] = []
    for frame, verdict in journal.watched(source):
        if verdict == "restart":
            scores = [0.0] * len(scores)
        scores.append(0.0 if verdict == "leave" else journal.report.frames[-1]["sharpness"])
        if best is None or scores[-1] > max(scores[:-1]):
            best = frame.without_caches()
    assert best is not None
    journal.report.reference, journal.metadata = best.name, best.metadata
    index = depth = confidence = None
    if journal.settings.maps:
        index, depth, confidence = best_plane_maps(best.pixels.shape, scores)
        depth = journal.measured(depth)
    return FusedPicture(best.pixels, index, depth, confidence, journal.report, journal.metadata)
