"""The strokes of an open stack by the place that they lie on, and which of them are saved."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock

from panfocus.pipeline.project_content import Place
from panfocus.web.mending import DrawnStrokes


class PlacedStrokes:
    """Strokes at every position, T and C of a volume; photographs have a single place."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._at: dict[Place, DrawnStrokes] = {}
        self._saved: dict[Place, int] = {}

    def at(self, place: Place) -> DrawnStrokes:
        """Return those of a place."""
        with self._lock:
            return self._at.setdefault(place, DrawnStrokes())

    def all(self) -> dict[Place, DrawnStrokes]:
        """Return those of all places."""
        with self._lock:
            return dict(self._at)

    @property
    def count(self) -> int:
        """How many there are at all places."""
        return sum(len(each.drawn) for each in self.all().values())

    @property
    def are_saved(self) -> bool:
        """Whether all are as they were saved."""
        return all(each.version == self._saved.get(p, 0) for p, each in self.all().items())

    def versions(self) -> dict[Place, int]:
        """Return the version of each place's strokes."""
        return {place: each.version for place, each in self.all().items()}

    def note_saved(self, versions: Mapping[Place, int]) -> None:
        """Note that strokes of these versions are saved."""
        with self._lock:
            self._saved.update(versions)
