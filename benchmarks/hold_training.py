"""Whether a change of the code changed a training: `hold_training.py OUT.json [--against FIRST]`.

Hashes made scenes of every kind, training's samples of every kind, and the weights after six steps
of every recipe (`--quick`: no weights), on one thread in float32; tells which differ from an
earlier run. With `--pictures FOLDER` the scenes are made of those photographs.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import make_unseen
import make_validation
from panfocus.synthesis import fluorescence as shining
from panfocus.synthesis.kinds import NAMES
from panfocus.synthesis.material import SetMaterial
from panfocus.synthesis.microscope import Camera
from panfocus.synthesis.sets import SetRecipe, make_scene
from panfocus.train import loop, pairs, pictures, synthesis
from panfocus.train.drpl import config as drpl
from panfocus.train.drpl import teacher as teachers
from panfocus.train.drpl.step import DrplTask
from panfocus.train.dualpath import fluorescence, recipes, redefocus
from panfocus.train.dualpath.task import DualPathTask, Supply
from panfocus.train.export import folder_of

SIDE = (200, 232)
STEPS = 6
SCENES = 2
SAMPLES = range(12)
DRPL = ("better", "small", "published-short", "published")
DUALPATH = ("dualpath", "paper")
NEVER, ALWAYS = 0.0, 1.0


def photograph(seed: int) -> np.ndarray:
    """Return a made picture RGB of size `SIDE` with texture at all scales."""
    rng = np.random.default_rng(seed)
    out = np.zeros((*SIDE, 3), np.float32)
    for cells in (4, 12, 32, 64):
        coarse = rng.random((cells, cells, 3), dtype=np.float32)
        out += cv2.resize(coarse, SIDE[::-1], interpolation=cv2.INTER_CUBIC) / 4
    fine = rng.random((*SIDE, 1), dtype=np.float32) - 0.5
    return (255 * np.clip(out + 0.3 * fine, 0, 1)).astype(np.uint8)


def digest(*arrays: Any) -> str:
    """Return what tells arrays apart: types, shapes and bytes."""
    told = hashlib.sha256()
    for array in map(np.asarray, arrays):
        told.update(f"{array.dtype}{array.shape}".encode())
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()[:16]


def scenes(material: list[SetMaterial], depths: list[SetMaterial]) -> Iterator[tuple[str, str]]:
    """Make scenes of every kind, by depth maps as well."""
    for source, kinds in ((material, NAMES), (depths, ("depth", "breathing"))):
        for kind in kinds:
            for number in range(SCENES):
                scene, _ = make_scene(SetRecipe(kind, SCENES), number, source)
                where = "by depth map " if source is depths else ""
                held = (scene.frames, scene.truth, scene.index, scene.band)
                yield f"scene {where}{kind} {number}", digest(*held)


def stacks() -> Iterator[tuple[str, str]]:
    """Make stacks of fluorescence, and what other benchmarks make by hand."""
    for number, camera in enumerate((Camera(), Camera(65535, 200, 4, 2, 3))):
        for make in (shining.spots, shining.structures):
            made = make(np.random.default_rng(number), camera=camera)
            held = (made.frames, made.truth, made.places, made.planes)
            yield f"microscope {make.__name__} {number}", digest(*held)
    for kind in ("sections", "spots"):
        made = make_validation.fluorescence(np.random.default_rng(3), kind)
        yield f"validation {kind}", digest(*made)
    rng = np.random.default_rng(4)
    large = [cv2.resize(photograph(n)[..., 1], make_unseen.SIZE[::-1]) / 255 for n in (0, 1)]
    made = make_unseen.scene(rng, *(np.asarray(p, np.float32) for p in large))
    yield "unseen", digest(*made)


def samples(sharp: synthesis.Sources, soft: synthesis.Sources) -> Iterator[tuple[str, str]]:
    """Make samples of both systems, with usual odds and with unusual ones."""
    usual = synthesis.Odds()
    often = replace(usual, **dict.fromkeys(("hairy", "translucent", "crisp", "ringed"), 0.5))
    for odds, name in ((usual, "usual"), (often, "often")):
        for what in ("varied", "published"):
            stream = synthesis.Stream(what, sharp, 5, odds)
            yield f"pairs {what} {name}", digest(*stream.batch(0, SAMPLES, 64))
        for count in (2, 3, 5, 8):
            for shown in (NEVER, ALWAYS):
                these = replace(odds, fluorescent=shown, misfired=0.3)
                made = redefocus.batch(soft, 64, count, (6, count), SAMPLES, odds=these)
                yield f"stacks {name} {count} fluorescent {shown:g}", digest(*made)
    for count in (2, 6):
        made = fluorescence.stack(np.random.default_rng(7), soft, 64, count, usual)
        yield f"fluorescence {count}", digest(*made)


def weights(
    sharp: synthesis.Sources, material: pairs.Material, folder: Path
) -> Iterator[tuple[str, str]]:
    """Train every recipe for a few steps."""
    tasks: dict[str, Any] = {}
    for name in DRPL:
        chosen = drpl.recipe(name)
        stages = tuple(replace(stage, size=64, batch=4) for stage in chosen.stages)
        teacher = teachers.load(folder_of("bundled", "drpl")) if chosen.loss.teacher else None
        tasks[f"drpl {name}"] = (replace(chosen, stages=stages), sharp, 1, teacher)
    for name in DUALPATH:
        chosen = replace(recipes.recipe(name), size=64)
        tasks[f"dualpath {name}"] = (chosen, Supply.of(material, chosen.fused_by), 1)
    for name, told in tasks.items():
        task = (DrplTask if name.startswith("drpl") else DualPathTask)(*told)
        run = loop.Run(folder / name, STEPS, seed=1, precision="float32", device="cpu")
        state = loop.train(task, run)
        for where, tensors in (("model", task.model.state_dict()), ("average", state.average)):
            yield f"weights {name} {where}", digest(*(tensors[k] for k in sorted(tensors)))


def write_made(folder: Path) -> None:
    """Write made pictures, their depth maps, and pairs of them out of focus."""
    for n in range(4):
        picture = photograph(n)
        depth = np.linspace(0, 255, SIDE[1])[None].repeat(SIDE[0], 0).astype(np.uint8)
        depth[40:120, 60:150] = 30 * n
        soft = cv2.GaussianBlur(picture, (0, 0), 2.5)
        left = np.arange(SIDE[1])[None, :, None] < SIDE[1] // 2
        for name, pixels in (
            ("sharp", picture),
            ("depth", depth),
            ("pairs/A", np.where(left, picture, soft)),
            ("pairs/B", np.where(left, soft, picture)),
        ):
            (folder / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name / f"{n}.png"), pixels)


def everything(photographs: Path | None, *, quick: bool) -> Iterator[tuple[str, str]]:
    """Yield the name and the digest of all that is held."""
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        write_made(folder)
        sharp_files = sorted((photographs or folder / "sharp").glob("*.png"))[:4]
        material = [SetMaterial(path) for path in sharp_files]
        depths = [SetMaterial(p, folder / "depth" / p.name) for p in (folder / "sharp").iterdir()]
        yield from scenes(material, sorted(depths, key=lambda m: m.path))
        yield from stacks()
        sharp = synthesis.Sources(pictures.load([folder / "sharp"], 100))
        found = pairs.load([folder / "pairs"], 100)
        yield from samples(sharp, redefocus.sources_of(found.pictures()))
        if not quick:
            yield from weights(sharp, found, folder)


def main(out: Path, against: Path | None, photographs: Path | None, *, quick: bool) -> int:
    """Hash, write, compare; return how many differ."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    now: dict[str, str] = {}
    for name, value in everything(photographs, quick=quick):
        now[name] = value
    out.write_text(json.dumps(now, indent=1), encoding="utf-8")
    if against is None:
        print(f"{len(now)} digests")
        return 0
    before = json.loads(against.read_text(encoding="utf-8"))
    known = now if quick else now.keys() | before.keys()
    different = sorted(name for name in known if now.get(name) != before.get(name))
    print(f"{len(different)} of {len(now)} differ")
    print("\n".join(different))
    return len(different)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args()
    sys.exit(min(main(told.out, told.against, told.pictures, quick=told.quick), 1))
