"""What a fusion of photographs would do, for people and for programs."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from panfocus.cli.request import Request
from panfocus.errors import in_one_line
from panfocus.pipeline.made import option_words
from panfocus.pipeline.options import FIELDS
from panfocus.pipeline.plan import Plan

#: Names of frames that are told, before the last one.
_MOST_NAMES = 6


def plan_facts(plan_: Plan, files: list[Path]) -> dict[str, Any]:
    """Return what would be done, in values that JSON can hold."""
    return {**plan_.to_dict(), "outputs": [str(path) for path in files]}


def show_plan(plan_: Plan, request: Request, files: list[Path]) -> None:
    """Print what would be done, as JSON when that was asked for."""
    if request.json_file is not None:
        print(json.dumps(plan_facts(plan_, files), indent=2))
        return
    print("\n".join(_plan_lines(plan_, files)))


def _plan_lines(plan_: Plan, files: list[Path]) -> list[str]:
    """Return a plan in words; its notes are told beside it."""
    names = [info.name for info in plan_.infos]
    shown = names[:_MOST_NAMES] + (["..."] if len(names) > _MOST_NAMES + 1 else [])
    shown += names[-1:] if len(names) > _MOST_NAMES else []
    colours = {1: "grey", 2: "grey and opacity", 3: "RGB", 4: "RGB and opacity"}[plan_.channels]
    options = {**asdict(plan_.settings), "system": FIELDS["system"].default}
    said = shlex.join(option_words(options, str))
    needed, limit = plan_.memory_bytes / 2**20, plan_.memory_limit / 2**20
    return [
        f"{plan_.count} frames of {plan_.width} x {plan_.height} pixels, {colours}, "
        f"{plan_.dtype}: {', '.join(shown)}",
        f"reference: {plan_.reference}",
        f"by {plan_.system.card.name}" + (f"; options: {said}" if said else ""),
        f"memory: about {needed:.0f} MiB of {limit:.0f} MiB allowed",
        "would write:",
        *(f"  {in_one_line(str(path))}" for path in files),
    ]
