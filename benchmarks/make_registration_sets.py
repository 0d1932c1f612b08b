"""Stacks whose true transforms are known: `make_registration_sets.py PICTURES OUT [--seed 0]`.

`PICTURES` is a folder of sharp photographs. *Registered* sets lie in place and look as if they did
not: blur to 12 px that differs everywhere, dark, bright and textured frames along the sides that
bleed inwards, repeated texture, little detail, noise, 12 bit, bright-field microscopy whose
contrast turns over with focus, microscopy nearly without texture. *Moving* sets breathe, shake or
travel along a rail. Sharp layers are moved before they are blurred, so the truth is exact.

`registered` and `moving` yield the sets one by one, the same for the same seed; the command writes
them as ``OUT/<kind>/<name>/f0.png ...`` with ``truth.json`` (matrices from pixels of
frame 0 to those of each frame). Choose with one seed and photographs, report with others.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from panfocus.synthesis.defocus import defocus, expose, to_linear
from panfocus.synthesis.mattes import blob_matte, hair_matte
from panfocus.synthesis.motion import Motion

#: Border that is cut off, so that moved layers fill every frame.
MARGIN = 56
#: Radii between which a slanted background's blur is interpolated.
LADDER = (0.0, 0.7, 1.4, 2.2, 3.2, 4.5, 6.0, 8.0, 10.0, 12.0, 16.0)

Picture = np.ndarray
Sensor = Callable[[Generator, Picture], Picture]


@dataclass(frozen=True)
class Made:
    """A stack and where its frames lie.

    Attributes:
        name: of the set, unique.
        kind: of the set.
        frames: ``(H, W[, 3])`` uint8 or uint16 each.
        matrices: ``(3, 3)`` each, coordinates of the scene to those of the frame, pixels.
        truth: the scene in focus everywhere, encoded, in [0, 1].
    """

    name: str
    kind: str
    frames: list[Picture]
    matrices: list[np.ndarray]
    truth: Picture

    def step(self, first: int, second: int) -> np.ndarray:
        """Return the true matrix from one frame to another."""
        out = self.matrices[second] @ np.linalg.inv(self.matrices[first])
        return out / out[2, 2]


@dataclass
class Plan:
    """Layers before a slanted background, and how each frame is taken.

    Attributes:
        back: ``(H, W, 3)`` linear light.
        depth: ``(H, W)`` of the background, 0 to 1.
        fronts: colour, matte and depth of each layer, far to near.
        foci: depth in focus of each frame.
        gain: circle of confusion per unit of depth, pixels.
        motions: of each frame; None for a stack in place.
        parallax: further growth per unit of depth and of focus, as along a rail.
        sensor: what becomes of encoded light in [0, 1].
    """

    back: Picture
    depth: Picture
    fronts: list[tuple[Picture, Picture, float]]
    foci: Sequence[float]
    gain: float
    motions: Sequence[Motion] | None
    parallax: float = 0.0
    sensor: Sensor | None = None


def photographs(folder: Path) -> list[Picture]:
    """Return the folder's pictures, landscape, RGB."""
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg"})
    photos = [cv2.imread(str(p))[..., ::-1] for p in names]
    return [p if p.shape[0] <= p.shape[1] else np.rot90(p).copy() for p in photos]


def light(photo: Picture) -> Picture:
    """Return a photograph's linear light."""
    return to_linear(photo.astype(np.float32) / np.float32(255))


def eight_bit(rng: Generator, encoded: Picture) -> Picture:
    """Expose to 8 bit with a little noise."""
    noisy = encoded * 255 + rng.normal(0, 0.6, encoded.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def dim(rng: Generator, encoded: Picture) -> Picture:
    """Expose to 8 bit in low light: a fifth of the range, noise of four levels."""
    noisy = encoded * 50 + rng.normal(0, 4, encoded.shape) + 8
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def twelve_bit(rng: Generator, encoded: Picture) -> Picture:
    """Expose linearly to 12 of 16 bit, photon noise."""
    linear = to_linear(encoded) * 4095
    noisy = linear + rng.normal(0, 1, encoded.shape) * np.sqrt(linear * 0.3 + 9)
    return np.clip(np.rint(noisy), 0, 4095).astype(np.uint16)


def moved(picture: Picture, matrix: np.ndarray | None) -> Picture:
    """Return a layer where a matrix takes it."""
    if matrix is None:
        return picture
    size = (picture.shape[1], picture.shape[0])
    border = cv2.BORDER_REFLECT_101
    out = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=border)
    return np.maximum(out, 0)


def slanted(back: Picture, depth: Picture, focus: float, gain: float) -> Picture:
    """Return the light of a surface at a slant, out of focus by its depth."""
    wanted = np.abs(depth - focus) * gain
    out = np.zeros_like(back)
    for k, radius in enumerate(LADDER):
        knots = [LADDER[max(k - 1, 0)], radius, LADDER[min(k + 1, len(LADDER) - 1)]]
        share = np.interp(wanted, *_tent(knots)).astype(np.float32)
        if share.max() > 0:
            out += share[..., None] * defocus(back, radius)
    return out


def _tent(knots: list[float]) -> tuple[list[float], list[float]]:
    if knots[0] == knots[1]:
        return knots[1:], [1.0, 0.0]
    if knots[1] == knots[2]:
        return knots[:2], [0.0, 1.0]
    return knots, [0.0, 1.0, 0.0]


def _take(plan: Plan, focus: float | None, motion: np.ndarray | None) -> Picture:
    """Return the encoded light of one frame; in focus everywhere for no focus."""

    def place(picture: Picture, depth: float) -> Picture:
        if focus is None or motion is None:
            return picture
        height, width = picture.shape[:2]
        grow = Motion(1 + plan.parallax * (depth - 0.5) * (focus - 0.5))
        near = np.vstack([grow.matrix(height, width), [0, 0, 1]])
        return moved(picture, motion @ near)

    middle = float(plan.depth.mean())
    back = place(plan.back, middle)
    if focus is not None and np.ptp(plan.depth) > 0:
        out = slanted(back, place(plan.depth, middle), focus, plan.gain)
    else:
        out = back if focus is None else defocus(back, abs(middle - focus) * plan.gain)
    for colour, matte, depth in plan.fronts:
        radius = 0.0 if focus is None else abs(depth - focus) * plan.gain
        shape = np.minimum(place(matte, depth), 1)
        lit = defocus(place(colour, depth) * shape[..., None], radius)
        out = lit + (1 - defocus(shape, radius))[..., None] * out
    return expose(np.asarray(out, np.float32))


def _develop(rng: Generator, name: str, kind: str, plan: Plan) -> Made:
    height, width = plan.back.shape[:2]
    sensor = plan.sensor or eight_bit
    inner = (slice(MARGIN, height - MARGIN), slice(MARGIN, width - MARGIN))
    out = np.array([[1, 0, MARGIN], [0, 1, MARGIN], [0, 0, 1]], np.float64)
    frames: list[Picture] = []
    matrices: list[np.ndarray] = []
    for n, focus in enumerate(plan.foci):
        whole = None
        if plan.motions is not None:
            whole = np.vstack([plan.motions[n].matrix(height, width), [0, 0, 1]])
        encoded = _take(plan, focus, whole)[inner]
        frames.append(np.ascontiguousarray(sensor(rng, encoded)))
        matrices.append(np.eye(3) if whole is None else np.linalg.inv(out) @ whole @ out)
    return Made(name, kind, frames, matrices, _take(plan, None, None)[inner])


def ramp(rng: Generator, height: int, width: int) -> Picture:
    """Return depths 0 to 1 of a slanted, somewhat wavy surface."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = x * np.cos(angle) + y * np.sin(angle) + 0.15 * np.sin(3 * x + rng.uniform(0, 6))
    return ((slope - slope.min()) / np.ptp(slope)).astype(np.float32)


def _pair(rng: Generator, lights: Sequence[Picture], radius: float) -> Plan:
    """Two frames of an object before a plane, both blurred by up to `radius` where not in focus."""
    height, width = lights[0].shape[:2]
    matte = blob_matte(rng, height, width, float(rng.uniform(0.15, 0.45)), rng.uniform(0.3, 0.7))
    depth = np.ones((height, width), np.float32)
    return Plan(lights[0], depth, [(lights[1], matte, 0.0)], (1.0, 0.0), radius, None)


def _deep(rng: Generator, lights: Sequence[Picture], count: int, radius: float) -> Plan:
    """A slanted background with three objects before it, focused through."""
    height, width = lights[0].shape[:2]
    shapes = [blob_matte(rng, height, width, float(rng.uniform(0.05, 0.1)), 0.35) for _ in range(3)]
    depths = sorted(rng.uniform(0, 1, 3), reverse=True)
    fronts = [
        (lights[1 + k], m, float(d)) for k, (m, d) in enumerate(zip(shapes, depths, strict=True))
    ]
    foci = [float(f) for f in np.linspace(0, 1, count)]
    return Plan(lights[0], ramp(rng, height, width), fronts, foci, radius, None)


def _framed(rng: Generator, plan: Plan, filling: Picture | float, *, all_layers: bool) -> Plan:
    """Lay a frame along the sides of the background, or of every layer."""
    height, width = plan.back.shape[:2]
    inside = np.zeros((height, width), np.float32)
    top, bottom, left, right = (MARGIN + int(v) for v in rng.integers(4, 40, 4))
    inside[top : height - bottom, left : width - right] = 1
    inside = inside[..., None]

    def frame(picture: Picture) -> Picture:
        return np.asarray(picture * inside + (1 - inside) * filling, np.float32)

    plan.back = frame(plan.back)
    if all_layers:
        plan.fronts = [(frame(c), m, d) for c, m, d in plan.fronts]
    else:
        plan.fronts = [(c, m * inside[..., 0], d) for c, m, d in plan.fronts]
    return plan


def _tiled(rng: Generator, photo: Picture) -> Picture:
    """Repeat a piece of a photograph."""
    side = int(rng.integers(12, 40))
    y, x = (int(rng.integers(0, n - side)) for n in photo.shape[:2])
    piece = photo[y : y + side, x : x + side]
    height, width = photo.shape[:2]
    return np.tile(piece, (height // side + 1, width // side + 1, 1))[:height, :width]


def _sparse(rng: Generator, height: int, width: int) -> Picture:
    """A few strokes and specks on a plain ground."""
    canvas = np.full((4 * height, 4 * width), 200, np.uint8)
    for _ in range(int(rng.integers(6, 25))):
        a, b = rng.uniform(0, 4, (2, 2)) * (width, height)
        if rng.uniform() < 0.5:
            b = a + rng.uniform(-300, 300, 2)
            tint, wide = int(rng.integers(0, 150)), int(rng.integers(4, 24))
            cv2.line(
                canvas, a.astype(int).tolist(), b.astype(int).tolist(), tint, wide, cv2.LINE_AA
            )
        else:
            cv2.circle(
                canvas,
                a.astype(int).tolist(),
                int(rng.integers(4, 60)),
                int(rng.integers(0, 150)),
                -1,
            )
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return light(np.repeat(small[..., None], 3, 2))


def _bright_field(
    rng: Generator, name: str, height: int, width: int, motions: Sequence[Motion] | None
) -> Made:
    """Cells whose contrast turns over as focus passes through them."""
    count = len(motions) if motions else int(rng.integers(2, 8))
    dots = np.zeros((height, width), np.float32)
    planes = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(40, 160))):
        at = [int(rng.integers(0, width)), int(rng.integers(0, height))]
        cv2.circle(dots, at, int(rng.integers(3, 14)), float(rng.uniform(0.3, 1)), -1, cv2.LINE_AA)
        cv2.circle(planes, at, 22, float(rng.uniform(0, 1)), -1)
    fine = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 2)
    dots = cv2.GaussianBlur(dots, (0, 0), 0.8) + 0.5 * fine * (dots > 0)
    planes = cv2.GaussianBlur(planes, (0, 0), 6)
    ground = 0.7 - 0.2 * np.hypot(*np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j])
    inner = (slice(MARGIN, height - MARGIN), slice(MARGIN, width - MARGIN))
    out = np.array([[1, 0, MARGIN], [0, 1, MARGIN], [0, 0, 1]], np.float64)
    frames: list[Picture] = []
    matrices: list[np.ndarray] = []
    for n, z in enumerate(np.linspace(0, 1, count)):
        whole = None
        if motions:
            whole = np.vstack([motions[n].matrix(height, width), [0, 0, 1]])
        thick, where = (moved(p, whole) for p in (dots, planes))
        away = where - np.float32(z)
        seen = np.zeros_like(dots)
        for k, radius in enumerate(LADDER[:7]):
            knots = [LADDER[max(k - 1, 0)], radius, LADDER[k + 1]]
            share = np.interp(np.abs(away) * 5, *_tent(knots)).astype(np.float32)
            seen += share * defocus(thick, radius)
        tone = ground + 0.3 * np.clip(away * 3, -1, 1) * seen
        frames.append(eight_bit(rng, np.clip(tone[inner], 0, 1)))
        matrices.append(np.eye(3) if whole is None else np.linalg.inv(out) @ whole @ out)
    return Made(name, "bright-field", frames, matrices, np.clip(ground + 0.3 * dots, 0, 1)[inner])


def _smooth(rng: Generator, height: int, width: int) -> Picture:
    """A specimen with hardly any detail."""
    soft = blob_matte(rng, height, width, 0.4, 0.5)
    soft = cv2.GaussianBlur(soft, (0, 0), float(rng.uniform(4, 12)))
    specks = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(0, 8))):
        at = [int(rng.integers(0, width)), int(rng.integers(0, height))]
        cv2.circle(specks, at, int(rng.integers(2, 6)), 0.3, -1, cv2.LINE_AA)
    tone = np.clip(0.6 - 0.25 * soft - specks, 0, 1)
    return np.repeat(to_linear(tone.astype(np.float32))[..., None], 3, 2)


REGISTERED = (
    *("layers", "dark frame", "bright frame", "textured frame", "repeated", "sparse", "low light"),
    *("12 bit", "bright-field", "textureless", "depth", "hair", "lights"),
)


def registered(photos: Sequence[Picture], seed: int, count: int) -> Iterator[Made]:
    """Yield `count` sets whose frames lie in place, kind after kind."""
    for k in range(count):
        rng = np.random.default_rng([k, seed, 71])
        kind = REGISTERED[k % len(REGISTERED)]
        chosen = rng.permutation(len(photos))[:4]
        lights = [light(photos[c]) for c in chosen]
        yield _registered(rng, f"{kind.replace(' ', '-')}-{k:03d}", kind, lights)


def _registered(rng: Generator, name: str, kind: str, lights: list[Picture]) -> Made:
    height, width = lights[0].shape[:2]
    radius = float(rng.uniform(2, 12))
    if kind == "bright-field":
        return _bright_field(rng, name, height, width, None)
    if kind == "textureless":
        smooth = [_smooth(rng, height, width) for _ in range(4)]
        plan = _deep(rng, smooth, int(rng.integers(3, 9)), radius)
        plan.fronts = []
        return _develop(rng, name, kind, plan)
    if kind == "repeated":
        lights = [_tiled(rng, lights[0]), *lights[1:]]
        if rng.uniform() < 0.5:
            lights[1] = _tiled(rng, lights[1])
    if kind == "sparse":
        lights = [_sparse(rng, height, width) for _ in range(4)]
    is_pair = bool(rng.uniform() < 0.6) and kind != "depth"
    plan = (
        _pair(rng, lights, radius)
        if is_pair
        else _deep(rng, lights, int(rng.integers(4, 9)), radius)
    )
    if kind.endswith("frame"):
        fillings = {"dark": 0.0, "bright": 1.0, "textured": lights[3]}
        plan = _framed(
            rng, plan, fillings[kind.split(maxsplit=1)[0]], all_layers=bool(rng.uniform() < 0.5)
        )
    if kind == "hair":
        plan.fronts = [(lights[1], hair_matte(rng, height, width), 0.0)]
    if kind == "lights":
        for _ in range(40):
            at = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(plan.back, at, int(rng.integers(1, 4)), [float(rng.uniform(2, 25))] * 3, -1)
    plan.sensor = {"low light": dim, "12 bit": twelve_bit}.get(kind)
    return _develop(rng, name, kind, plan)


MOVING = (
    "breathing",
    "handheld",
    "rail",
    "breathing dim",
    "breathing 12 bit",
    "breathing bright-field",
)


def moving(photos: Sequence[Picture], seed: int, count: int) -> Iterator[Made]:
    """Yield `count` sets whose frames breathe, shake or travel, kind after kind."""
    for k in range(count):
        rng = np.random.default_rng([k, seed, 72])
        kind = MOVING[k % len(MOVING)]
        lights = [light(photos[c]) for c in rng.permutation(len(photos))[:4]]
        yield _moving(rng, f"{kind.replace(' ', '-')}-{k:03d}", kind, lights)


def _moving(rng: Generator, name: str, kind: str, lights: list[Picture]) -> Made:
    height, width = lights[0].shape[:2]
    count = int(rng.integers(4, 9))
    growth = float(np.exp(rng.uniform(np.log(0.0005), np.log(0.01)))) * rng.choice([-1, 1])
    bend = float(rng.uniform(-0.2, 0.2)) * growth / count
    steps = np.arange(count) - count // 2
    scales = 1 + growth * steps + bend * steps**2
    if kind == "handheld":
        motions = [
            Motion(float(s), *map(float, (rng.uniform(-1, 1), *rng.uniform(-20, 20, 2))))
            for s in scales
        ]
    else:
        drift = rng.uniform(-0.5, 0.5, 2)
        motions = [
            Motion(float(s), 0.0, *map(float, drift * n))
            for s, n in zip(scales, steps, strict=True)
        ]
    if kind.endswith("bright-field"):
        return _bright_field(rng, name, height, width, motions)
    plan = _deep(rng, lights, count, float(rng.uniform(4, 12)))
    plan.motions = motions
    plan.parallax = float(rng.uniform(0.005, 0.02)) if kind == "rail" else 0.0
    plan.sensor = {"breathing dim": dim, "breathing 12 bit": twelve_bit}.get(kind)
    return _develop(rng, name, kind, plan)


def main() -> None:
    """Write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--registered", type=int, default=200)
    parser.add_argument("--moving", type=int, default=60)
    args = parser.parse_args()
    photos = photographs(args.pictures)
    for group, made in (
        *(("registered", m) for m in registered(photos, args.seed, args.registered)),
        *(("moving", m) for m in moving(photos, args.seed, args.moving)),
    ):
        folder = args.out / group / made.name
        folder.mkdir(parents=True, exist_ok=True)
        for n, frame in enumerate(made.frames):
            cv2.imwrite(str(folder / f"f{n}.png"), frame if frame.ndim == 2 else frame[..., ::-1])
        matrices = [made.step(0, n).tolist() for n in range(len(made.frames))]
        (folder / "truth.json").write_text(json.dumps({"kind": made.kind, "matrices": matrices}))


if __name__ == "__main__":
    main()
