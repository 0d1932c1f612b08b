"""Time every metric on one core, and say how much memory the process needed.

    python benchmarks/speed_metrics.py [--width 520 --height 520] [--repeat 5] [NAME ...]

Prints the best processor time (user + system) of each metric on a colour triple, the best time of
all in one call of `evaluate_all`, and the peak resident memory of the process before and after.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from panfocus.metrics import METRICS, evaluate_all


def triple(width: int, height: int) -> list[np.ndarray]:
    """Return two half-sharp sources, a fused picture and the truth: random texture, RGB."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    truth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(truth, (0, 0), 2)
    a, b = truth.copy(), truth.copy()
    a[:, : width // 2] = soft[:, : width // 2]
    b[:, width // 2 :] = soft[:, width // 2 :]
    return [a, b, cv2.GaussianBlur(truth, (0, 0), 0.5), truth]


def best(work: Callable[[], object], repeat: int) -> float:
    """Return the least processor time of several runs, in seconds."""
    times: list[float] = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def peak() -> float:
    """Return the peak resident memory so far, in MB (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all metrics")
    parser.add_argument("--width", type=int, default=520)
    parser.add_argument("--height", type=int, default=520)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    names: list[str] = args.names or list(METRICS)
    a, b, fused, truth = triple(args.width, args.height)
    before = peak()
    for name in names:
        seconds = best(lambda name=name: evaluate_all([a, b], fused, truth, [name]), args.repeat)
        print(f"{name:10} {1000 * seconds:10.0f} ms")
    seconds = best(lambda: evaluate_all([a, b], fused, truth, names), args.repeat)
    print(f"{'together':10} {1000 * seconds:10.0f} ms")
    print(
        f"peak memory {before:.0f} MB before, {peak():.0f} MB after; load {os.getloadavg()[0]:.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
