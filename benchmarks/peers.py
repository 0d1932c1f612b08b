"""Let installed peers fuse sets with known truth: `peers.py SETS BIN OUT [--kinds layers,...]`.

`SETS` was made by `make_sets.py` (a folder per kind and scene), or holds ``A/ B/`` (pairs of equal
stems, written to ``OUT/<peer>/<stem>.png``). `BIN` is the bin folder of an environment with
``focusweave`` and ``openfocus``. What `quality.py` and `pairs_with_truth.py` then read with
``--results NAME=OUT/NAME``. Pictures that exist already are kept, so a run can be resumed.

Exposure matching and alignment are off: the frames are registered and equally exposed, and peers
lose up to 2 dB by treating them otherwise.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

OPENFOCUS = ("stackmffv3", "guided_filter", "gfgfgf")


def stacks(sets: Path, kinds: list[str], scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield where a stack's result goes, relative and without suffix, and its folder."""
    if (sets / "A").is_dir():
        for first in sorted((sets / "A").iterdir()):
            second = next(p for p in (sets / "B").iterdir() if p.stem == first.stem)
            folder = scratch / first.stem
            folder.mkdir()
            for n, frame in enumerate((first, second)):
                shutil.copy(frame, folder / f"{n}{frame.suffix}")
            yield first.stem, folder
        return
    for kind in kinds:
        for scene in sorted((sets / kind).iterdir()):
            yield f"{kind}/{scene.name}", scene


def command(peer: str, programs: Path, folder: Path, out: Path) -> list[str]:
    """Return the words that make a peer fuse a folder."""
    if peer == "focusweave":
        return [str(programs / peer), str(folder), "--no-align", "--output", str(out)]
    words = ["-i", str(folder), "-o", str(out), "-m", peer, "--no-exposure-match", "--cpu"]
    return [str(programs / "openfocus"), *words]


def main() -> None:
    """Run every peer on every stack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("programs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kinds", default="layers,depth,bokeh,void")
    parser.add_argument("--peers", default=",".join(("focusweave", *OPENFOCUS)))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in stacks(args.sets, args.kinds.split(","), Path(scratch)):
            for peer in args.peers.split(","):
                out = args.out / peer / f"{name}.png"
                if out.exists():
                    continue
                out.parent.mkdir(parents=True, exist_ok=True)
                words = command(peer, args.programs, folder, out)
                done = subprocess.run(words, capture_output=True, text=True, check=False)
                if done.returncode != 0 or not out.exists():
                    print(f"{peer} failed on {name}: {done.stderr[-300:]}", file=sys.stderr)


if __name__ == "__main__":
    main()
