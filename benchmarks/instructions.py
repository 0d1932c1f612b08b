"""Whether a fusion takes more instructions than it did: `instructions.py [--write]`.

Seconds of a busy machine tell little; instructions of user code hardly scatter. Fuses the first
stack of `make demo` by `guided` on one thread in a process of its own, and counts them by
``perf stat -e instructions:u``, or by valgrind's cachegrind where the machine has no counters for
perf. Compares with ``benchmarks/instructions.json``, which has a figure for each of the two, and
fails beyond a quarter more. Where neither counts, it says so and passes.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from compiled import environment
from panfocus.demo import stories

KNOWN = Path(__file__).with_suffix(".json")
#: By how much other versions of NumPy and OpenCV may differ, and then some.
TOLERANCE = 0.25
#: Valgrind knows no AVX-512, and not all that OpenCV's and NumPy's other paths for AVX2 have.
PLAIN = {
    "OPENCV_CPU_DISABLE": "AVX512_SKX,AVX2,FP16,AVX,FMA3",
    "OPENCV_IPP": "disabled",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
}


def by_perf(command: list[str], env: dict[str, str]) -> int | None:
    """Return the instructions that perf counts; None where it cannot."""
    words = ["perf", "stat", "-x,", "-e", "instructions:u", *command]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    match = re.search(r"^(\d+),[^,]*,instructions", done.stderr, re.MULTILINE)
    return int(match[1]) if match and done.returncode == 0 else None


def by_valgrind(command: list[str], env: dict[str, str]) -> int | None:
    """Return the instructions that cachegrind counts; None where it cannot."""
    words = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        [*words, *command], env=env | PLAIN, capture_output=True, text=True, check=False
    )
    match = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    return int(match[1].replace(",", "")) if match and done.returncode == 0 else None


COUNTERS = {"perf": by_perf, "valgrind": by_valgrind}


def count(folder: Path) -> tuple[str, int] | None:
    """Return what counted the instructions of a fusion, and how many; None where nothing can."""
    frames = folder / "frames"
    frames.mkdir()
    for n, frame in enumerate(stories()[0].scene.frames):
        Image.fromarray(frame).save(frames / f"{n}.png")
    command = [sys.executable, "-m", "panfocus", "fuse", str(frames), "-o", str(folder / "out.png")]
    command += ["-s", "guided", "-q", "--overwrite", "--threads", "1", "--align", "none"]
    env = environment() | {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, env=env, check=True)  # compiled from here on
    for name, counter in COUNTERS.items():
        if shutil.which(name):
            found = counter(command, env)
            if found is not None:
                return name, found
    return None


def main() -> int:
    """Count, and compare or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figure as the one to be met")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = count(Path(scratch))
    if found is None:
        print("not checked: neither perf nor valgrind can count instructions here")
        return 0
    name, instructions = found
    known = json.loads(KNOWN.read_text(encoding="utf-8")) if KNOWN.is_file() else {}
    if args.write:
        KNOWN.write_text(json.dumps(known | {name: instructions}, indent=1) + "\n", "utf-8")
        print(f"{instructions:,} instructions by {name} written to {KNOWN}")
        return 0
    if name not in known:
        print(f"not checked: {instructions:,} instructions by {name}, and no figure to be met")
        return 0
    change = instructions / known[name] - 1
    print(f"{instructions:,} instructions by {name}, {change:+.1%} beside {known[name]:,}")
    return 1 if change > TOLERANCE else 0


if __name__ == "__main__":
    sys.exit(main())
