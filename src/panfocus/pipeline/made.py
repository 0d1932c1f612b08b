"""How a fusion was made, in the words of the command line: in its files, and to be repeated."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from panfocus.frame import Metadata
from panfocus.io.history import with_history
from panfocus.pipeline.options import ABOUT, FIELDS, FILES, flag_of
from panfocus.pipeline.result import FusedPicture


def option_words(options: Mapping[str, Any], place: Callable[[str], str]) -> list[str]:
    """Return the flags of all options that are not as they are by default.

    Args:
        options: fields of `Options` by their names; others are left out.
        place: from the file that an option names to what is told of it.
    """
    out: list[str] = []
    for name, each in FIELDS.items():
        value = options.get(name, each.default)
        if value == each.default or ABOUT[name].flags == ():
            continue
        told = place(str(value)) if name in FILES else str(value)
        # what can be switched off is off by default
        out += [flag_of(name)] if ABOUT[name].kind == "truth" else [flag_of(name), told]
    return out


def told_metadata(fusion: FusedPicture) -> Metadata:
    """Return a fusion's metadata with how it was made; folders are nobody else's business."""
    report = fusion.report
    settings = {**report.settings, "system": Path(str(report.settings.get("system", ""))).name}
    words = shlex.join(option_words(settings, lambda file: Path(file).name))
    told = f"{len(report.frames)} frames fused by {report.system['name']}"
    strokes = (report.retouch or {}).get("strokes", 0)
    parts = [told, words and f"options {words}", strokes and f"retouched by {strokes} strokes"]
    frames = [str(facts["name"]) for facts in report.frames]
    xmp = with_history(fusion.metadata.xmp, "; ".join(filter(None, parts)), frames)
    return replace(fusion.metadata, xmp=xmp)
