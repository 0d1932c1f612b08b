"""What aligning costs beside fusing: `registration_cost.py STACK... [--systems guided dualpath]`.

Fuses each stack by `python -m panfocus fuse`, with `--align none` and `--align auto` in turn, and
prints Markdown: processor seconds of the whole process (user and system), the least of `--repeat`
runs, and their ratio. With `--make PICTURES` a stack of 10 frames of 12 megapixels that breathes
(0.4 % a frame, 2.5 px, 0.15 degrees) is made first, in each STACK that is no folder yet.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import cv2
import numpy as np

from compiled import environment
from make_large import mosaic
from panfocus.synthesis.defocus import expose, to_linear
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.motion import draw_motions

FRAMES, HEIGHT, WIDTH, REACH = 10, 3000, 4000, 10.0
#: Pixels around what is kept, so that moved frames show the scene up to their borders.
MARGIN = 96


def make(pictures: Path, out: Path) -> None:
    """Write a stack that breathes: an object before a plane, JPEGs of quality 95."""
    names = sorted(p for p in pictures.iterdir() if p.suffix.lower() in {".png", ".jpg"})
    photos = [cv2.imread(str(p)) for p in names]
    photos = [p if p.shape[0] < p.shape[1] else np.rot90(p) for p in photos]
    size = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
    back, front = (to_linear(mosaic(photos, *size, n).astype(np.float32) / 255) for n in (0, 5))
    matte = blob_matte(np.random.default_rng(1), *size, 0.3, 0.5)
    layers = [Layer(back, None, 1.0), Layer(front, matte, 0.0)]
    motions = draw_motions(np.random.default_rng(3), FRAMES)
    out.mkdir(parents=True)
    flags, border = cv2.INTER_LANCZOS4, cv2.BORDER_REFLECT_101
    for n, (focus, motion) in enumerate(zip(np.linspace(0, 1, FRAMES), motions, strict=True)):
        light = render(layers, [float(1 - focus) * REACH, float(focus) * REACH])
        matrix = motion.matrix(*size)
        light = cv2.warpAffine(light, matrix, size[::-1], flags=flags, borderMode=border)
        frame = np.clip(np.rint(expose(light) * 255), 0, 255).astype(np.uint8)
        inner = np.ascontiguousarray(frame[MARGIN:-MARGIN, MARGIN:-MARGIN])
        cv2.imwrite(str(out / f"f{n:02d}.jpg"), inner, [cv2.IMWRITE_JPEG_QUALITY, 95])


def seconds(stack: Path, system: str, align: str) -> float:
    """Return the processor seconds of one fusion, its start-up with it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "panfocus", "fuse", str(stack)]
        command += ["-o", str(Path(folder) / "fused.tif"), "--system", system, "--align", align]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", type=Path, nargs="+")
    parser.add_argument("--systems", nargs="+", default=["guided", "dualpath"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--make", type=Path)
    args = parser.parse_args()
    for stack in args.stacks:
        if args.make and not stack.exists():
            make(args.make, stack)
    print(f"{date.today()}; {os.cpu_count()} cores, least of {args.repeat} runs in turn\n")
    print("| stack | system | `none`, CPU s | `auto`, CPU s | ratio |\n|---|---|---:|---:|---:|")
    for stack in args.stacks:
        for system in args.systems:
            runs = [
                [seconds(stack, system, align) for align in ("none", "auto")]
                for _ in range(args.repeat)
            ]
            none, auto = np.min(runs, axis=0)
            ratio = auto / none
            print(
                f"| {stack.name} | {system} | {none:.2f} | {auto:.2f} | {ratio:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
