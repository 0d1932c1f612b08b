"""Stacks in which not all moves alike: `make_local_sets.py PICTURES OUT [--seed 0]`.

`PICTURES` is a folder of sharp photographs. One transform a frame cannot align these: a camera held
by hand sees layers at different depths shift by different amounts (*parallax*), a leaf or a leg
sways between frames (*motion*), or *both*; on a *rail* what is near grows more. Beside them are
stacks that must lose nothing by being looked at more closely: *still*, *breathing*, and *bokeh*, in
place, with blur of up to 14 px at depth edges. Layers are moved before they are blurred, and what
is in front hides what lies behind, so the truth is exact: focus everywhere, as the reference frame
(the middle one) has it.

The same seed gives the same sets. Choose with one seed and photographs, report with others.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from make_registration_sets import Picture, eight_bit, light, moved, photographs, ramp, slanted
from panfocus.synthesis.defocus import defocus, expose
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.motion import Motion

#: Border that is cut off, so that moved layers fill every frame.
MARGIN = 56
KINDS = ("parallax", "motion", "both", "rail", "still", "breathing", "bokeh")


@dataclass
class Thing:
    """One layer: what it looks like, where it is, and how it moves by itself.

    Attributes:
        colour: ``(H, W, 3)`` linear light, known everywhere.
        matte: ``(H, W)`` coverage in [0, 1].
        depth: 0 near to 1 far.
        poses: ``(3, 3)`` for each frame, from the scene to where the thing is; empty at rest.
    """

    colour: Picture
    matte: Picture
    depth: float
    poses: Sequence[np.ndarray] = ()


@dataclass
class Shot:
    """How one frame is taken.

    Attributes:
        focus: depth in focus.
        whole: ``(3, 3)``, what the camera's turning, shifting and breathing do to the picture.
        travel: (x, y) in pixels by which depth 1 is shifted against depth 0.
        growth: by which depth 0 is larger against depth 1, as along a rail.
    """

    focus: float
    whole: np.ndarray = field(default_factory=lambda: np.eye(3))
    travel: tuple[float, float] = (0.0, 0.0)
    growth: float = 0.0


@dataclass(frozen=True)
class LocalSet:
    """A stack in which not all moves alike.

    Attributes:
        name: of the set, unique.
        kind: of `KINDS`.
        frames: ``(H, W, 3)`` uint8 each.
        truth: ``(H, W, 3)`` uint8, focus everywhere, as the reference frame has it.
        poses: the same with what moves by itself as each frame has it; one where nothing does.
        swept: ``(H, W)`` bool, where something that moves by itself is in any frame.
    """

    name: str
    kind: str
    frames: list[Picture]
    truth: Picture
    poses: list[Picture]
    swept: np.ndarray


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _seen(shot: Shot, depth: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return the matrix from the scene to a frame for one depth."""
    grow = Motion(1 + shot.growth * (0.5 - depth)).matrix(*shape[:2])
    away = _shift(*(t * (depth - 0.5) for t in shot.travel))
    return shot.whole @ away @ np.vstack([grow, [0, 0, 1]])


def _background(back: Picture, depth: Picture, shot: Shot) -> tuple[Picture, Picture]:
    """Return a slanted background and its depth as a frame has them, in focus.

    Where it is nearer it shifts otherwise; what lies at a place of the frame is found by going back
    by the shift of the depth that is found there, a few times.
    """
    height, width = depth.shape
    y, x = (m.astype(np.float32) for m in np.mgrid[:height, :width])
    from_x, from_y = x, y
    inverse = np.linalg.inv(shot.whole)
    base_x, base_y = (inverse[r, 0] * x + inverse[r, 1] * y + inverse[r, 2] for r in (0, 1))
    centre = (width - 1) / 2, (height - 1) / 2
    for _ in range(4):
        far = cv2.remap(
            depth,
            np.float32(from_x),
            np.float32(from_y),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        grow = 1 + shot.growth * (0.5 - far)
        from_x = (base_x - shot.travel[0] * (far - 0.5) - centre[0]) / grow + centre[0]
        from_y = (base_y - shot.travel[1] * (far - 0.5) - centre[1]) / grow + centre[1]
    maps = np.float32(from_x), np.float32(from_y)
    border = cv2.BORDER_REFLECT_101
    seen = cv2.remap(back, *maps, cv2.INTER_LANCZOS4, borderMode=border)
    return np.maximum(seen, 0), cv2.remap(depth, *maps, cv2.INTER_LINEAR, borderMode=border)


@dataclass(frozen=True)
class Stage:
    """What is photographed.

    Attributes:
        back: linear light of the background.
        depth: ``(H, W)`` of the background.
        things: far to near.
        gain: circle of confusion per unit of depth, pixels.
    """

    back: Picture
    depth: Picture
    things: Sequence[Thing]
    gain: float


def photograph(stage: Stage, shot: Shot, pose: int, *, is_sharp: bool = False) -> Picture:
    """Return the encoded light ``(H, W, 3)`` of a frame in [0, 1], margin cut off.

    Args:
        stage: what is taken.
        shot: how it is taken.
        pose: number of the frame whose poses the things have.
        is_sharp: focus everywhere.
    """
    colour, far = _background(stage.back, stage.depth, shot)
    out = colour if is_sharp else slanted(colour, far, shot.focus, stage.gain)
    for thing in stage.things:
        matrix = _seen(shot, thing.depth, stage.depth.shape)
        if thing.poses:
            matrix = matrix @ thing.poses[pose]
        radius = 0.0 if is_sharp else abs(thing.depth - shot.focus) * stage.gain
        shape = np.clip(moved(thing.matte, matrix), 0, 1)
        lit = defocus(moved(thing.colour, matrix) * shape[..., None], radius)
        out = lit + (1 - defocus(shape, radius))[..., None] * out
    return expose(np.asarray(out, np.float32))[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _swaying(
    rng: Generator, colour: Picture, depth: float, count: int, reference: int
) -> tuple[Thing, np.ndarray]:
    """Return a leaf or a leg that turns about its foot, and the foot (x, y)."""
    height, width = colour.shape[:2]
    foot = np.array(
        [rng.uniform(0.3, 0.7) * width, rng.uniform(0.35, 0.65) * height], dtype=np.float64
    )
    angle = float(rng.uniform(0, 2 * np.pi))
    length = float(rng.uniform(70, 130))
    along = np.array([np.cos(angle), np.sin(angle)])
    canvas = np.zeros((4 * height, 4 * width), np.uint8)
    if rng.uniform() < 0.5:  # a leaf
        middle = 4 * (foot + along * length / 2)
        axes = (int(2 * length), int(2 * length * rng.uniform(0.2, 0.45)))
        cv2.ellipse(
            canvas, middle.astype(int).tolist(), axes, float(np.degrees(angle)), 0, 360, 255, -1
        )
    else:  # a leg with a knee
        knee = foot + along * length / 2
        bend = angle + float(rng.uniform(-0.9, 0.9))
        tip = knee + length / 2 * np.array([np.cos(bend), np.sin(bend)])
        path = (4 * np.array([foot, knee, tip])).astype(np.int32)
        cv2.polylines(canvas, [path], False, 255, int(rng.integers(20, 60)), cv2.LINE_AA)
    matte = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    matte = matte.astype(np.float32) / np.float32(255)
    # the tip moves by 5 to 30 px from frame to frame, to and fro
    steps = rng.uniform(5, 30, count) / length * rng.choice([-1, 1], count)
    angles = np.cumsum(steps)
    angles -= angles[reference]
    poses = []
    for a in angles:
        turn = np.eye(3)
        turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        turn[:2, 2] = foot - turn[:2, :2] @ foot
        poses.append(turn)
    return Thing(colour, matte, depth, poses), foot


def make(rng: Generator, name: str, kind: str, lights: Sequence[Picture]) -> LocalSet:
    """Return one set.

    Args:
        rng: source of randomness.
        name: of the set.
        kind: of `KINDS`.
        lights: linear light of five photographs.
    """
    height, width = lights[0].shape[:2]
    count = int(rng.integers(4, 9))
    reference = count // 2
    gain = float(rng.uniform(8, 14) if kind == "bokeh" else rng.uniform(3, 8))
    depth = (1 - float(rng.uniform(0.1, 0.5)) * ramp(rng, height, width)).astype(np.float32)
    things = [
        Thing(lights[1 + k], blob_matte(rng, height, width, float(rng.uniform(0.08, 0.2)), 0.45), d)
        for k, d in enumerate(sorted(rng.uniform(0, 0.7, int(rng.integers(1, 4))))[::-1])
    ]
    shots = [Shot(float(f)) for f in np.linspace(0, 1, count)]
    if kind in ("parallax", "both"):
        _hold_by_hand(rng, shots, reference, (height, width))
    elif kind == "breathing" or (kind == "motion" and rng.uniform() < 0.5):
        _breathe(rng, shots, reference, (height, width))
    elif kind == "rail":
        _travel(rng, shots, reference, (height, width))
    if kind in ("motion", "both"):
        away = float(rng.uniform(0, 0.8))
        thing, _ = _swaying(rng, lights[4], away, count, reference)
        things = sorted([*things, thing], key=lambda t: -t.depth)
    stage = Stage(lights[0], depth, things, gain)
    frames = [eight_bit(rng, photograph(stage, shot, n)) for n, shot in enumerate(shots)]
    stands = [reference]
    if kind in ("motion", "both"):
        stands = list(range(count))
    view = shots[reference]
    poses = [np.rint(255 * photograph(stage, view, n, is_sharp=True)) for n in stands]
    poses = [p.astype(np.uint8) for p in poses]
    truth = poses[reference] if len(poses) > 1 else poses[0]
    swept = np.zeros(truth.shape[:2], bool)
    for pose in poses:
        swept |= (np.abs(pose.astype(int) - truth).max(axis=2) > 3) & (pose is not truth)
    return LocalSet(name, kind, frames, truth, poses, swept)


def _hold_by_hand(rng: Generator, shots: list[Shot], reference: int, size: tuple[int, int]) -> None:
    """Let the camera shake, and travel sideways by up to some pixels from frame to frame."""
    wide = float(rng.uniform(2, 8))
    walk = np.cumsum(rng.uniform(-wide, wide, (len(shots), 2)), axis=0)
    walk = np.clip(walk - walk[reference], -24, 24)
    for n, shot in enumerate(shots):
        shot.travel = (float(walk[n, 0]), float(walk[n, 1]))
        if n != reference:
            motion = Motion(1.0, *map(float, (rng.uniform(-0.7, 0.7), *rng.uniform(-12, 12, 2))))
            shot.whole = np.vstack([motion.matrix(*size), [0, 0, 1]])


def _breathe(rng: Generator, shots: list[Shot], reference: int, size: tuple[int, int]) -> None:
    growth = float(np.exp(rng.uniform(np.log(0.001), np.log(0.008)))) * rng.choice([-1, 1])
    for n, shot in enumerate(shots):
        shot.whole = np.vstack([Motion(1 + growth * (n - reference)).matrix(*size), [0, 0, 1]])


def _travel(rng: Generator, shots: list[Shot], reference: int, size: tuple[int, int]) -> None:
    parallax = float(rng.uniform(0.01, 0.08))
    _breathe(rng, shots, reference, size)
    for n, shot in enumerate(shots):
        shot.growth = parallax * (n - reference) / len(shots)


def local_sets(
    photos: Sequence[Picture], seed: int, count: int, kinds: Sequence[str] = KINDS
) -> Iterator[LocalSet]:
    """Yield `count` sets of every kind, kind after kind."""
    for k in range(count):
        for kind in kinds:
            rng = np.random.default_rng([k, seed, 73, KINDS.index(kind)])
            lights = [light(photos[c]) for c in rng.permutation(len(photos))[:5]]
            yield make(rng, f"{kind}-{k:03d}", kind, lights)


def main() -> None:
    """Write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=4, help="sets of every kind")
    parser.add_argument("--kinds", default=",".join(KINDS))
    args = parser.parse_args()
    photos = photographs(args.pictures)
    for made in local_sets(photos, args.seed, args.count, args.kinds.split(",")):
        folder = args.out / made.name
        folder.mkdir(parents=True, exist_ok=True)
        for n, frame in enumerate(made.frames):
            cv2.imwrite(str(folder / f"f{n}.png"), frame[..., ::-1])
        cv2.imwrite(str(folder / "truth.png"), made.truth[..., ::-1])
        cv2.imwrite(str(folder / "swept.png"), made.swept.astype(np.uint8) * 255)
        for n, pose in enumerate(made.poses if len(made.poses) > 1 else ()):
            cv2.imwrite(str(folder / f"pose{n}.png"), pose[..., ::-1])


if __name__ == "__main__":
    main()
