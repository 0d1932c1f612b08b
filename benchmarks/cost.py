"""What every system costs: `cost.py FRAMES... [--systems dualpath,drpl] [--device cpu]`.

Parameters and multiply-adds, as papers have them in a table of their own; the file that is shipped;
and CPU seconds of a fusion from these files in this process, the least of several after a first one
that starts the network. Prints Markdown.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
import onnx

import panfocus
from panfocus import io
from panfocus.systems import BUNDLED, load_system


def parameters(model: Path) -> int:
    """Count the numbers in the weights of an ONNX file: what convolutions hold, as papers count."""
    graph = onnx.load(str(model)).graph
    sizes = {t.name: int(np.prod(t.dims)) for t in graph.initializer}
    # weights in 8 bits come through a node that gives them their scale back
    source = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DequantizeLinear"}
    used = {
        source.get(name, name)
        for node in graph.node
        if node.op_type in {"Conv", "MatMul", "Gemm"}
        for name in node.input[1:]
    }
    return sum(sizes.get(name, 0) for name in used)


def folder_of(name: str) -> Path | None:
    """Return the folder of a network, or None for a system without one."""
    if Path(name).is_dir():
        return Path(name)
    found = [p for p in BUNDLED.iterdir() if name in (p.name, p.name.rpartition("-")[0])]
    return max(found, default=None)


def costs(name: str) -> str:
    """Return the multiply-adds of a network, and of what each pixel is."""
    card = load_system(name).card
    unit = "of a pair" if card.max_frames == 2 else "of each frame"
    return f"{card.macs_per_pixel:,} {unit}" if card.macs_per_pixel else ""


def seconds(name: str, frames: list[np.ndarray], device: str, runs: int) -> tuple[float, str]:
    """Return the least CPU seconds of a fusion, and the device it ran on."""
    system = load_system(name, device=device)
    best = float("inf")
    for number in range(runs + 1):
        begin = time.process_time()
        result = panfocus.fuse(frames, system=system, device=device, maps=False)
        if number:
            best = min(best, time.process_time() - begin)
    facts = result.report.system["device"]
    return best, facts["device"] if facts else "cpu"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", nargs="+", type=Path)
    parser.add_argument("--systems", default="dualpath,drpl,guided")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    frames = [
        np.asarray(io.read_frame(info).pixels)
        for info in io.find_frames([str(path) for path in args.frames])[0]
    ]
    height, width = frames[0].shape[:2]
    print(f"{date.today()}; {len(frames)} frames of {width} x {height}, fused from memory\n")
    print("| | parameters | multiply-adds a pixel | file, MB | device | CPU s |")
    print("|---|---|---|---|---|---|")
    for name in args.systems.split(","):
        spent, device = seconds(name, frames, args.device, args.runs)
        folder = folder_of(name)
        words = ["none", "", ""]
        if folder is not None:
            model = folder / "model.onnx"
            words = [f"{parameters(model):,}", costs(name)]
            words.append(f"{model.stat().st_size / 1e6:.1f}")
        print(f"| {name} | {' | '.join(words)} | {device} | {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main()
