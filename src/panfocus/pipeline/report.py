"""How a fusion came about, in values that JSON can hold."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from panfocus._version import __version__
from panfocus.io.atomic import write_atomic


def versions() -> dict[str, str]:
    """Return the versions of what makes a picture."""
    return {
        "panfocus": __version__,
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


@dataclass
class Report:
    """What was done, in values that JSON can hold."""

    settings: dict[str, Any]
    versions: dict[str, str]
    system: dict[str, Any]
    size: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reference: str | None = None
    working_factor: int = 1
    warnings: list[str] = field(default_factory=list[str])
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    #: the part of the reference frame that the picture shows; None when it shows all
    cropped_to: dict[str, int] | None = None
    #: of the depth map: "frames" or "µm"; None where none was made
    depth_unit: str | None = None
    #: what registration did, see `panfocus.registration.summary`; None where it was not asked for
    registration: dict[str, Any] | None = None
    #: what the second opinion on a network's decision found; None where none was asked
    guard: dict[str, Any] | None = None
    #: the part of the picture whose detail was raised between two depths, in [0, 1]; None where
    #: that was not asked for
    mended_bands: float | None = None
    mended_spread: float | None = None
    #: strokes that were put onto the picture, and what they were painted from; None for none
    retouch: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)


def report_text(report: Report) -> str:
    """Return a report as JSON."""
    return json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"


def write_report(path: Path, report: Report, *, overwrite: bool) -> None:
    """Write a report as JSON.

    Raises:
        OutputError: exists, or cannot be written.
    """
    write_atomic(path, [report_text(report).encode(errors="backslashreplace")], overwrite=overwrite)
