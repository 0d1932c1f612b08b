"""How pairs and stacks fare whose blurs are wide: `wide_blurs.py PICTURES`.

PICTURES is a folder of sharp photographs. *Layers*: a thing with the shape of a blob, of one
photograph, is put before another; in a stack a third lies between them. *Ramp*: a ground that
slopes through all depths, and three things before it. Prints RGB PSNR in dB against the truth, by
the radius of what is most out of focus in pixels, as Markdown: what choosing the closest source
pixel gives, and what systems make of it, with spread light mended and without.
"""

import argparse
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import numpy as np
from PIL import Image

import panfocus
from panfocus.synthesis.defocus import expose, to_linear
from panfocus.synthesis.focal_stacks import depth_light
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from quality import psnr

RADII = (6, 12, 24, 48)
#: Frames of a scene.
COUNTS = {"layers": (2, 5, 10, 30), "ramp": (10, 30)}
#: Frames from which on a scene is long, and how many photographs are the grounds of such.
LONG, FEW = 10, 2
SIZE = 768, 512
OPTIONS = {"align": "none", "exposure": "none", "maps": False}
Scene = tuple[list[np.ndarray], np.ndarray]


def photographs(folder: Path) -> list[np.ndarray]:
    """Return linear light of all pictures, `SIZE`."""
    wide = (Image.open(path).convert("RGB") for path in sorted(folder.iterdir()))
    lying = (one if one.width > one.height else one.rotate(90, expand=True) for one in wide)
    return [to_linear(np.asarray(one.resize(SIZE), np.float32) / 255) for one in lying]


def scenes(light: list[np.ndarray], radius: float, count: int) -> Iterator[Scene]:
    """Yield frames and truth, a scene for each photograph."""
    for n, back in enumerate(light):
        rng = np.random.default_rng(n)
        layers = [Layer(back, None, 1.0)]
        if count > 2:
            middle = light[(n + 3) % len(light)]
            layers.append(Layer(middle, blob_matte(rng, *back.shape[:2], 0.1, 0.25), 0.5))
        front = light[(n + 5) % len(light)]
        layers.append(Layer(front, blob_matte(rng, *back.shape[:2], 0.25, 0.5), 0.0))

        def shot(blurs: list[float], layers: list[Layer] = layers) -> np.ndarray:
            return np.rint(expose(render(layers, blurs)) * 255).astype(np.uint8)

        foci = np.linspace(0, 1, count)
        frames = [shot([abs(each.depth - f) * radius for each in layers]) for f in foci]
        yield frames, shot([0.0] * len(layers))


def ramps(light: list[np.ndarray], radius: float, count: int) -> Iterator[Scene]:
    """Yield frames and truth of scenes with a ramp of depth, a scene for each photograph."""
    pictures = [np.rint(expose(one) * 255).astype(np.uint8) for one in light]
    for n in range(len(light)):
        shown = [pictures[(n + step) % len(pictures)] for step in (0, 3, 5, 7)]
        made = depth_light(np.random.default_rng(n), shown, count, radius).expose()
        yield list(made.frames), made.truth


def bound(frames: list[np.ndarray], truth: np.ndarray) -> float:
    """Return the PSNR of choosing the closest pixel."""
    away = np.stack([np.square(frame.astype(np.float64) - truth).sum(axis=-1) for frame in frames])
    return float(10 * np.log10(255**2 * 3 / away.min(axis=0).mean()))


def main(folder: Path, systems: list[str], counts: list[int], radii: list[int]) -> None:
    """Fuse and print."""
    light = photographs(folder)
    ways = [(system, spread) for system in systems for spread in ("mend", "off")]
    print("| kind | frames | radius | bound |", *(f"{a}, {b} |" for a, b in ways))
    print("|---|---|---|---|" + "---|" * len(ways))
    for kind, count, radius in product(COUNTS, counts, radii):
        if count not in COUNTS[kind]:
            continue
        rows = []
        make = ramps if kind == "ramp" else scenes
        most = FEW if count >= LONG else None
        for frames, truth in islice(make(light, radius, count), most):
            row = [bound(frames, truth)]
            for system, spread in ways:
                made = panfocus.fuse(frames, system=system, spread=spread, **OPTIONS)
                row.append(psnr(made.image, truth))
            rows.append(row)
        means = (f"{value:.2f}" for value in np.mean(rows, axis=0))
        print("|", " | ".join([kind, str(count), str(radius), *means]), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--systems", default="dualpath,guided")
    parser.add_argument("--counts", default="2,5,10,30")
    parser.add_argument("--radii", default=",".join(map(str, RADII)))
    args = parser.parse_args()
    counts, radii = ([int(n) for n in each.split(",")] for each in (args.counts, args.radii))
    main(args.folder, args.systems.split(","), counts, radii)
