"""Where near things end: fit what `panfocus.fusion.spread.edge` decides by.

`spread_edge.py PICTURES [--pairs 40]` makes pairs of a thing before a background (half of them of
one photograph, so that colours tell little), fuses them by `dualpath`, and regresses whether a
pixel that was given to the near frame is background on how deep it lies there and on its colour.
Prints the three numbers, and how often they are right on pairs of another seed.
"""

import argparse
from pathlib import Path

import numpy as np

import panfocus
from make_validation import photographs
from panfocus.fusion.spread import edge
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.scene import encode, linear_of

SEEDS = 501, 502


def made(rng: np.random.Generator, pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return two frames, near first, and the matte of the near thing."""
    one, other = rng.choice(len(pictures), 2, replace=False)
    other = one if rng.random() < 0.5 else other
    back, front = linear_of(pictures[one]), linear_of(pictures[other])
    matte = blob_matte(rng, *back.shape[:2], float(rng.uniform(0.15, 0.4)), 0.7)
    layers, radii = [Layer(back, None, 1.0), Layer(front, matte, 0.0)], rng.uniform(2, 8, 2)
    shots = render(layers, [radii[0], 0]), render(layers, [0, radii[1]])
    return np.stack([encode(shot) for shot in shots]), matte


def told(frames: np.ndarray, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return depth and colour of the pixels in question, and whether they are background."""
    index = panfocus.fuse(frames, system="dualpath", align="none", spread="off").index
    near = (index == 0).astype(np.float32)
    depth = edge.signed_distance(near)
    rim = (depth > 0) & (depth < edge.RIM)
    colour = edge.colour_of((frames[0] / frames.max()).astype(np.float32), depth)
    return np.stack([depth[rim], colour[rim]], axis=-1), matte[rim] < 0.5


def fitted(told: np.ndarray, is_back: np.ndarray) -> np.ndarray:
    """Return offset and weights of a logistic regression, by Newton's steps."""
    rows = np.concatenate([np.ones((len(told), 1)), told], axis=1).astype(np.float64)
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-rows @ weights))
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + 1e-3 * np.eye(len(weights))
        weights += np.linalg.solve(bend, rows.T @ (is_back - chance))
    return weights


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--pairs", type=int, default=40)
    asked = parser.parse_args()
    pictures = photographs(asked.pictures)
    sets = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        pairs = [told(*made(rng, pictures)) for _ in range(asked.pairs)]
        sets.append([np.concatenate([each[k] for each in pairs]) for k in (0, 1)])
    weights = fitted(*sets[0])
    score = weights[0] + sets[1][0] @ weights[1:]
    print("offset, per pixel, per colour:", np.round(weights, 3).tolist())
    print(f"right on other pairs: {np.mean((score > 0) == sets[1][1]):.3f} of pixels")


if __name__ == "__main__":
    main()
