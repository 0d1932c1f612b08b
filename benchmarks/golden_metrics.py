"""Compare every metric with golden values computed by the authors' own programs.

    python benchmarks/golden_metrics.py PATH

PATH holds `metrics.json` ({"values": {triple: {metric: value}}}) and, for each triple, the
pictures `<triple>_A.png`, `_B.png`, `_F.png` and `_GT.png`. Prints the relative error of each
value and fails (exit code 1) if one exceeds 1e-6.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from panfocus.metrics import METRICS, Grey, evaluate_all

TOLERANCE = 1e-6


def relative_errors(folder: Path, triple: str, golden: dict[str, float]) -> dict[str, float]:
    """Return |ours / golden - 1| of every golden value of one triple."""
    a, b, fused, truth = (
        Grey.of(np.asarray(Image.open(folder / f"{triple}_{part}.png")))
        for part in ("A", "B", "F", "GT")
    )
    ours = evaluate_all([a, b], fused, truth, [name for name in golden if name in METRICS])
    ours["gray_mean_A"] = float(a.plane.mean())
    return {name: abs(value / golden[name] - 1) for name, value in ours.items() if name in golden}


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    golden = json.loads((folder / "metrics.json").read_text())["values"]
    errors = {triple: relative_errors(folder, triple, values) for triple, values in golden.items()}
    names = list(dict.fromkeys(name for values in golden.values() for name in values))
    print(f"{'metric':12}" + "".join(f"{triple:>12}" for triple in errors))
    missing = 0
    for name in names:
        cells = [row.get(name) for row in errors.values()]
        missing += sum(cell is None for cell in cells)
        print(f"{name:12}" + "".join(f"{'-' if c is None else f'{c:.1e}':>12}" for c in cells))
    worst = max(error for row in errors.values() for error in row.values())
    print(f"worst {worst:.1e}, tolerance {TOLERANCE:g}; {missing} golden values not computed")
    return int(not worst <= TOLERANCE or missing > 0)


if __name__ == "__main__":
    sys.exit(main())
