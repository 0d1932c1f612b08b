"""How near pictures come to another author's: `agreement.py PAIRS PICTURES --systems a,b`.

`PAIRS` holds ``A/ B/`` with equal stems, `PICTURES` one picture of the same stem for each pair.
Mean and lowest RGB PSNR between ours and theirs; there is no truth in it. Prints Markdown.
"""

import argparse
from datetime import date
from pathlib import Path

import numpy as np

import panfocus
from pairs_with_truth import find, psnr, read


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--systems", default="drpl")
    args = parser.parse_args()
    stems = sorted(p.stem for p in (args.pairs / "A").iterdir())
    print(f"{date.today()}; {args.pairs.name}, {len(stems)} pairs, 4 px cut\n")
    print("| ours | mean RGB PSNR to theirs, dB | lowest |\n|---|---|---|")
    for name in args.systems.split(","):
        rows = []
        for stem in stems:
            pair = np.stack([read(find(args.pairs / side, stem)) for side in "AB"])
            # theirs are of frames as they are, and of their size
            fused = panfocus.fuse(pair, system=name, maps=False, align="none").image
            rows.append(psnr(fused, read(find(args.pictures, stem)), 4))
        print(f"| {name} | {np.mean(rows):.2f} | {min(rows):.2f} |")


if __name__ == "__main__":
    main()
