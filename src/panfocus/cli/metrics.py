"""`panfocus metrics`: the numbers of one fused picture."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from panfocus.errors import UsageError
from panfocus.evaluate.pictures import read_picture
from panfocus.metrics import METRICS, evaluate_all, metric


def run(
    fused: Path,
    sources: Sequence[Path],
    reference: Path | None,
    names: Sequence[str] | None,
    *,
    as_json: bool,
) -> None:
    """Print them: a table, or one flat JSON object."""
    chosen = [metric(name) for name in names or METRICS]
    fitting = [m.name for m in chosen if m.fits(len(sources), reference is not None)]
    left_out = [m for m in chosen if m.name not in fitting]
    if not fitting:
        raise UsageError(
            "none of these metrics can be computed from what was given",
            got=", ".join(m.name for m in left_out),
            remedy="give the --reference, or exactly two --sources",
        )
    truth = None if reference is None else read_picture(reference)
    frames = [read_picture(path) for path in sources]
    values = evaluate_all(frames, read_picture(fused), truth, fitting)
    for m in left_out:
        why = "needs --reference" if m.takes == "reference" else "is defined for two sources"
        print(f"note: {m.name} left out: it {why}", file=sys.stderr)
    for name, value in values.items():
        if not math.isfinite(value):
            print(f"note: {name} is {value}, null in JSON", file=sys.stderr)
    if as_json:
        safe = {name: v if math.isfinite(v) else None for name, v in values.items()}
        print(json.dumps(safe))
    else:
        print("\n".join(_lines(values)))


def _lines(values: dict[str, float]) -> list[str]:
    arrows = {"higher": "↑", "lower": "↓"}
    return [
        f"{name:<9} {value:>14.6f} {arrows[METRICS[name].better]}  {METRICS[name].title}"
        for name, value in values.items()
    ]
