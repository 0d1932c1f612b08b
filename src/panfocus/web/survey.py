"""What is known of the frames of a stack from a first look, and of places that are not shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from panfocus.pipeline.quality import Finding
from panfocus.web.levels import PLAIN, ScreenLevels
from panfocus.web.results import Result
from panfocus.web.thumbs import Thumb


@dataclass
class Survey:
    """What a first look at all frames has shown.

    Attributes:
        findings: frames that spoil the stack.
        sharpness: of each frame.
        thumbs: of each frame, small, in the numbers of its file.
        levels: between which the brightness of all frames lies.
        aligned: what registration said of each frame, on the draft.
    """

    findings: list[Finding] = field(default_factory=list[Finding])
    sharpness: list[float] = field(default_factory=list[float])
    thumbs: list[Thumb] = field(default_factory=list[Thumb])
    levels: ScreenLevels = PLAIN
    aligned: list[dict[str, Any] | None] = field(default_factory=list[dict[str, Any] | None])


@dataclass
class PlaceFacts:
    """What is known of a place of a volume while another is shown.

    Attributes:
        survey: of its frames; empty until they were looked at.
        levels: by which they are shown.
        results: by their names in addresses.
    """

    survey: Survey = field(default_factory=Survey)
    levels: ScreenLevels = PLAIN
    results: dict[str, Result] = field(default_factory=dict[str, Result])
