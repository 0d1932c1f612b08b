"""How pairs and stacks fare whose blurs are wide: `wide_blurs.py PICTURES`.

PICTURES is a folder of sharp photographs. A thing with the shape of a blob, of one photograph, is
put before another; in a stack a third lies between them. Prints RGB PSNR in dB against the truth,
by the radius of what is most out of focus in pixels, as Markdown: what choosing the closest source
pixel gives, and what systems make of it, with spread light mended and without.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import panfocus
from panfocus.synthesis.defocus import expose, to_linear
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from quality import psnr

RADII = (6, 12, 24, 48)
#: Frames of a scene.
COUNTS = (2, 5)
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


def bound(frames: list[np.ndarray], truth: np.ndarray) -> float:
    """Return the PSNR of choosing the closest pixel."""
    away = np.stack([np.square(frame.astype(np.float64) - truth).sum(axis=-1) for frame in frames])
    return float(10 * np.log10(255**2 * 3 / away.min(axis=0).mean()))


def main(folder: Path, systems: list[str]) -> None:
    """Fuse and print."""
    light = photographs(folder)
    ways = [(system, spread) for system in systems for spread in ("mend", "off")]
    print("| frames | radius | bound |", *(f"{a}, {b} |" for a, b in ways))
    print("|---|---|---|" + "---|" * len(ways))
    for count in COUNTS:
        for radius in RADII:
            rows = []
            for frames, truth in scenes(light, radius, count):
                row = [bound(frames, truth)]
                for system, spread in ways:
                    made = panfocus.fuse(frames, system=system, spread=spread, **OPTIONS)
                    row.append(psnr(made.image, truth))
                rows.append(row)
            means = (f"{value:.2f}" for value in np.mean(rows, axis=0))
            print("|", " | ".join([str(count), str(radius), *means]), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--systems", default="dualpath,guided")
    args = parser.parse_args()
    main(args.folder, args.systems.split(","))
