"""What is kept of fluorescence: `sectioned.py [STACK.tif ...] [--systems dualpath guided]`.

For every system, with and without the guard: the least share of a spot's light that is kept and how
many of the spots lose more than a tenth, over the made stacks of `panfocus.synthesis.fluorescence`
(`large` ones are decided at a reduced scale);
the share of the light of structures in optical sections; and of Z-stacks in files (each channel by
itself), the mean over the brightest tenth of the maximum projection as a share of the projection's.
Prints Markdown.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

import panfocus
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.stack import ZStack
from panfocus.synthesis.fluorescence import Sparse, kept, spots, structures
from panfocus.synthesis.microscope import Camera, CircleSpread, Optics
from panfocus.systems import load_system

CAMERAS = {
    "12 bit, ground 0": Camera(ground=0),
    "12 bit, ground 100": Camera(ground=100),
    "16 bit, ground 200": Camera(top=65535, gain=4, ground=200),
    "12 bit, RGB, ground 20": Camera(channels=3, ground=20),
}
COUNTS = ((1, 8), (12, 8), (50, 8), (25, 20))
#: Height and width at which decisions are made at half of the scale.
LARGE = (1900, 2200)


def spot_stacks(optics: Optics) -> list[Sparse]:
    """Return stacks of spots seen by every camera, bright ones and faint ones."""
    return [
        spots(
            np.random.default_rng(number),
            count=count,
            planes=planes,
            optics=optics,
            camera=camera,
            peak=0.3 if number % 2 else 0.06,
        )
        for number, (camera, (count, planes)) in enumerate(
            itertools.product(CAMERAS.values(), COUNTS)
        )
    ]


def large_stacks(optics: Optics) -> list[Sparse]:
    """Return stacks of spots that are decided at a reduced scale: fine ones and coarse ones."""
    return [
        spots(
            np.random.default_rng([2, number]),
            count=120,
            planes=6,
            size=LARGE,
            radii=radii,
            optics=optics,
            camera=CAMERAS["12 bit, ground 100"],
            peak=0.2,
        )
        for number, radii in enumerate(((0.5, 2.0), (1.0, 4.0)))
    ]


def channels(path: Path) -> list[tuple[str, np.ndarray]]:
    """Return the first Z-stack of every channel of a file."""
    volume = open_volume(path, None)
    position = volume.positions[0]
    out = []
    for c in range(len(position.channels)):
        planes = [item.pixels for item in ZStack(path, position, 0, [c], c)]
        out.append((f"{path.stem}, channel {c}", np.stack(planes)))
    volume.close()
    return out


def light_kept(stack: np.ndarray, image: np.ndarray) -> float:
    """Return the mean over the projection's brightest tenth, as a share of the projection's."""
    projection = stack.max(axis=0).astype(np.float64)
    top = projection >= np.quantile(projection, 0.9)
    return float(image[top].mean() / projection[top].mean())


def main(files: list[Path], names: list[str]) -> None:
    """Fuse and print."""
    contestants = [(n, g) for n in names for g in ("off", "auto")]
    loaded = {name: load_system(name) for name in names}
    print("| stack |" + "".join(f" {n}, guard {g} |" for n, g in contestants))
    print("|---|" + "---|" * len(contestants))

    def fused(stack: np.ndarray) -> list[np.ndarray]:
        options = {"exposure": "none", "maps": False}
        return [
            panfocus.fuse(stack, system=loaded[n], guard=g, **options).image for n, g in contestants
        ]

    def row(title: str, cells: list[str]) -> None:
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)

    kinds = itertools.product((spot_stacks, large_stacks), ("gaussian", "disc"), (None, 1.0))
    for stacks, aperture, section in kinds:
        shares = [[] for _ in contestants]
        for scene in stacks(Optics(CircleSpread(1.2, aperture), section)):
            for out, image in zip(shares, fused(scene.frames), strict=True):
                out.append(kept(scene, image))
        alls = [np.concatenate(out) for out in shares]
        size = "large, " if stacks is large_stacks else ""
        title = f"spots, {size}{aperture}, {'sections' if section else 'widefield'}"
        row(title, [f"{a.min():.2f}, {(a < 0.9).sum()} of {a.size} lost" for a in alls])
    for section in (0.8, 1.2, 2.0, 3.5):
        scene = structures(np.random.default_rng(0), optics=Optics(CircleSpread(0.8), section))
        there = scene.truth > scene.ground + 50
        light = (scene.truth[there] - scene.ground).sum()
        images = fused(scene.frames)
        cells = [f"{(i[there].astype(float) - scene.ground).sum() / light:.2f}" for i in images]
        row(f"structures, sections of {section} planes", cells)
    for path in files:
        for title, stack in channels(path):
            row(title, [f"{light_kept(stack, image):.3f}" for image in fused(stack)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--systems", nargs="+", default=["dualpath", "guided"])
    arguments = parser.parse_args()
    main(arguments.files, arguments.systems)
