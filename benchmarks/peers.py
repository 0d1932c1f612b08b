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


def commands(peer: str, programs: Path, folders: list[Path], out: Path) -> list[list[str]]:
    """Return what makes a peer fuse folders into ``out/<folder>.png``."""
    if peer == "focusweave":
        words = [str(programs / peer), "--no-align", "--output"]
        return [[*words, str(out / f"{f.name}.png"), str(f)] for f in folders]
    words = [str(programs / "openfocus"), "-i", *map(str, folders), "-d", str(out), "-m", peer]
    return [[*words, "--no-exposure-match", "--cpu"]]


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
        found: dict[str, list[Path]] = {}
        for name, folder in stacks(args.sets, args.kinds.split(","), Path(scratch)):
            found.setdefault(str(Path(name).parent), []).append(folder)
        for kind, folders in found.items():
            for peer in args.peers.split(","):
                out = args.out / peer / kind
                out.mkdir(parents=True, exist_ok=True)
                missing = [f for f in folders if not (out / f"{f.name}.png").exists()]
                for words in commands(peer, args.programs, missing, out) if missing else []:
                    done = subprocess.run(words, capture_output=True, text=True, check=False)
                    if done.returncode != 0:
                        print(f"{peer} failed on {kind}: {done.stderr[-300:]}", file=sys.stderr)
                print(peer, kind, "done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
