"""What adapting to one's own material brought: `adapting.py RUN...`.

Each run is the folder given to ``panfocus train dualpath --init bundled --out``. Reads what the
training itself measured on held-out frames, before and after (report.json), and prints Markdown.
"""

import argparse
import json
from datetime import date
from pathlib import Path

from panfocus.train import checkpoint as checkpoints


def row(run: Path) -> str:
    """Return one line of the table."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    facts = checkpoints.read(run / checkpoints.NAME).facts
    before, after = report["before"], report["after"]
    judged = [told["disagreement"] for told in (before, after)]
    agreement = " | ".join("no pairs" if d is None else f"{d:.4f}" for d in judged)
    verdict = "new" if report["helped"] else "old kept"
    psnr = f"{before['redefocus_psnr']:.2f} | {after['redefocus_psnr']:.2f}"
    gain = f"{report['gain']:+.2f} ± {report['doubt']:.2f}"
    spent = f"{facts['seconds'] / 60:.0f} | {facts['step']}"
    cells = (run.name, report["held_out"], spent, psnr, gain, agreement, verdict)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    args = parser.parse_args()
    print(f"{date.today()}, re-defocus PSNR in dB (higher is better), disagreement (lower)\n")
    print(
        "| material | held out | minutes | steps | PSNR before | after | gain ± standard error "
        "| disagreement before | after | system |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for run in args.runs:
        print(row(run))


if __name__ == "__main__":
    main()
