"""What a page is told of an open stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from panfocus.pipeline.project_content import Place
from panfocus.registration.options import resolve_reference
from panfocus.web.frames import StackFrames, VolumeFile
from panfocus.web.levels import ScreenLevels
from panfocus.web.results import Result
from panfocus.web.survey import Survey


@dataclass(frozen=True)
class PlaceShown:
    """What a stack shows, all of it of one moment: another place of a volume has other frames.

    Attributes:
        key: name of the frames in the cache of pictures.
        place: position, T and C.
        frames: of that place.
        used: whether each of them is fused.
        survey: of them.
        levels: by which they are shown.
        results: of them, and whether each is of frames whose files have others besides.
        version: another one for every change of the results.
        strokes: how many lie there.
        mended: version of the strokes.
        volume: that the frames are planes of.
    """

    key: str
    place: Place
    frames: StackFrames
    used: Sequence[bool]
    survey: Survey
    levels: ScreenLevels
    results: Sequence[tuple[Result, bool]]
    version: int
    strokes: int
    mended: int
    volume: VolumeFile | None

    def facts(self) -> dict[str, Any]:
        """Return what a page is told of it."""
        count, height, width = self.frames.shape
        return {
            "key": self.key,
            "kind": "volume" if self.volume else "photos",
            "count": count,
            "height": height,
            "width": width,
            "reference": resolve_reference("middle", count),
            "version": self.version,
            "frames": self._frames(),
            "results": [{**result.facts(), "is_part": part} for result, part in self.results],
            "levels": self.levels.facts(),
            "levels_key": self.levels.tail,
            "found_levels": self.survey.levels.facts(),
            "strokes": self.strokes,
            "mended": self.mended,
            "pixel_um": self.frames.pixel_um,
            "volume": self.volume and {"positions": self.volume.facts(), "place": list(self.place)},
        }

    def _frames(self) -> list[dict[str, Any]]:
        survey = self.survey
        marks = {f.number: {"kind": f.kind, "text": f.text} for f in survey.findings}
        sharpness, aligned = survey.sharpness, survey.aligned
        return [
            {
                "number": n,
                "name": name,
                "used": self.used[n],
                "mark": marks.get(n),
                "sharpness": sharpness[n] if n < len(sharpness) else None,
                "align": aligned[n] if n < len(aligned) else None,
                "thumb": n < len(survey.thumbs),
            }
            for n, name in enumerate(self.frames.names)
        ]
