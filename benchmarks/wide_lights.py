"""How pairs fare whose lights are wide discs out of focus: `wide_lights.py PICTURES`.

PICTURES is a folder of sharp photographs; they become scenes of 1152 x 768 pixels in which one
stands before another that has 40 lights beyond white (`panfocus.synthesis`). Prints RGB PSNR in dB
against the truth, by the radius of discs in pixels, for scenes by day and by night, as Markdown:
what choosing the closest source pixel gives, and what systems make of it, spread light left.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import panfocus
from panfocus.synthesis.focal_pairs import bokeh_scene
from quality import bound, psnr

SIZE = 1152, 768
#: By what lights are wider than those of ordinary scenes, whose discs have 4 to 9 pixels.
WIDER = (1, 2, 3, 4, 6)
#: Light of the background, share of what the photograph has.
LIGHT = {"day": 0.25, "night": 0.01}
OPTIONS = {"align": "none", "exposure": "none", "maps": False, "spread": "off"}


def photographs(folder: Path) -> list[np.ndarray]:
    """Return all pictures, `SIZE`, RGB."""
    wide = (Image.open(path).convert("RGB") for path in sorted(folder.iterdir()))
    lying = (one if one.width > one.height else one.rotate(90, expand=True) for one in wide)
    return [np.asarray(one.resize(SIZE)) for one in lying]


def main(folder: Path, systems: list[str], most: int) -> None:
    """Fuse and print."""
    pictures = photographs(folder)
    print("| lights | discs, px | bound |", " | ".join(systems), "|")
    print("|---|---|---|" + "---|" * len(systems))
    for name, light in LIGHT.items():
        for wider in WIDER:
            rows = []
            for n, back in enumerate(pictures[:most]):
                front = pictures[(n + 5) % len(pictures)]
                shown = [back, front if name == "day" else front // 6]
                made = bokeh_scene(np.random.default_rng(n), shown, wider=wider, light=light)
                row = [psnr(bound(made.frames, made.truth), made.truth)]
                for system in systems:
                    fused = panfocus.fuse(made.frames, system=system, **OPTIONS)
                    row.append(psnr(fused.image, made.truth))
                rows.append(row)
            means = (f"{value:.2f}" for value in np.mean(rows, axis=0))
            print("|", " | ".join([name, f"{4 * wider} to {9 * wider}", *means]), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--systems", default="dualpath,guided")
    parser.add_argument("--most", type=int, default=6, help="scenes a row")
    args = parser.parse_args()
    main(args.folder, args.systems.split(","), args.most)
