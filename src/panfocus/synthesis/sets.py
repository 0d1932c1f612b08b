"""Write sets of scenes with known truth, as `panfocus evaluate` and the benchmarks read them.

``OUT/<kind>/<scene>/f0.png ...`` are the frames; truth, index and band lie in
``OUT/<kind>-truth/``, where a tool that fuses ``OUT/<kind>/<scene>`` does not see them, with a
``manifest.json`` that tells how every scene was made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.random import Generator

from panfocus import io, schema
from panfocus._version import __version__
from panfocus.errors import OutputError, UsageError
from panfocus.io.atomic import write_atomic
from panfocus.io.digest import digest_of
from panfocus.io.outputs import Inputs
from panfocus.resources.paths import is_folder, is_there, listed
from panfocus.synthesis.breathing import breathe, breathing_scene
from panfocus.synthesis.depth_maps import depth_map_light
from panfocus.synthesis.focal_stacks import depth_scene, void_scene
from panfocus.synthesis.material import SetMaterial, fit, read_depth, read_rgb
from panfocus.synthesis.scene import Byte, Scene
from panfocus.synthesis.scenes import KINDS, MOVING_KINDS

#: Kinds with any number of frames, and how many they have if not told.
FRAMES = {"depth": 8, "void": 4, "breathing": 8}
_COUNTED: dict[str, Callable[[Generator, Sequence[Byte], int], Scene]] = {
    "depth": depth_scene,
    "void": void_scene,
    "breathing": breathing_scene,
}
_FROM_DEPTH = ("depth", "breathing")
_MANIFEST = "manifest.json"
_FRAME = re.compile(r"f(\d+)\.png")
#: A scene takes at most so many pictures: a background and three objects.
_PICTURES = 4


#: Scenes of a set, and frames of a scene, at most.
_MOST_SCENES, _MOST_FRAMES = 100_000, 1000


@dataclass(frozen=True)
class SetRecipe:
    """What to make.

    Attributes:
        kind: one of `KINDS` or `MOVING_KINDS`.
        count: scenes.
        frames: of a scene; None for the usual number of the kind.
        seed: with kind and number of a scene it fixes the scene.
    """

    kind: str
    count: int
    frames: int | None = None
    seed: int = 0

    def check(self, *, has_depth: bool) -> None:
        """Refuse what the kind cannot be.

        Raises:
            UsageError: an unknown kind, frames for a kind that has two, depth for one without; or
                more scenes, or frames, than anybody makes.
        """
        for name, value, least, most in (
            ("count", self.count, 1, _MOST_SCENES),
            ("frames", self.frames, 2, _MOST_FRAMES),
        ):
            if value is not None and not least <= value <= most:
                raise UsageError(
                    f"there cannot be so many {'scenes' if name == 'count' else 'frames'}",
                    where=name,
                    expected=f"{least} to {most}",
                    got=str(value),
                )
        if self.kind not in {**KINDS, **MOVING_KINDS}:
            raise UsageError(
                "there is no such kind of scene",
                expected=", ".join([*KINDS, *MOVING_KINDS]),
                got=self.kind,
            )
        if self.frames not in (None, 2) and self.kind not in FRAMES:
            raise UsageError(
                f"scenes of kind {self.kind} have two frames",
                where="frames",
                got=str(self.frames),
                remedy=f"leave it out, or take another kind ({', '.join(FRAMES)})",
            )
        if has_depth and self.kind not in _FROM_DEPTH:
            raise UsageError(
                f"scenes of kind {self.kind} are not made from depth maps",
                where="depth_maps",
                expected=f"kind {' or '.join(_FROM_DEPTH)}",
            )


def make_scene(
    recipe: SetRecipe, number: int, material: Sequence[SetMaterial]
) -> tuple[Scene, list[Path]]:
    """Render one scene; return it with the pictures that it was made from.

    The background is the picture of the scene's number; objects are drawn from the others.
    """
    rng = np.random.default_rng([recipe.seed, *recipe.kind.encode(), number])
    first = material[number % len(material)]
    back = read_rgb(first.path)
    height, width = back.shape[:2]
    if first.depth is not None:
        frames = recipe.frames or FRAMES[recipe.kind]
        light = depth_map_light(back, read_depth(first.depth, height, width), frames)
        scene = breathe(rng, light) if recipe.kind in MOVING_KINDS else light.expose()
        return scene, [first.path]
    others = [m for m in material if m is not first]
    drawn = rng.permutation(len(others))[: _PICTURES - 1]
    paths = [first.path, *(others[int(k)].path for k in drawn)]
    pictures = [back, *(fit(read_rgb(path), height, width) for path in paths[1:])]
    if recipe.kind in _COUNTED:
        return _COUNTED[recipe.kind](rng, pictures, recipe.frames or FRAMES[recipe.kind]), paths
    return KINDS[recipe.kind](rng, pictures), paths


def write_set(
    recipe: SetRecipe,
    material: Sequence[SetMaterial],
    out: Path,
    *,
    overwrite: bool = False,
    tell: Callable[[int], None] | None = None,
) -> Path:
    """Render and write a set.

    Args:
        recipe: what to make.
        material: pictures to make it from, at least one.
        out: folder of sets.
        overwrite: whether scenes of the same names may be replaced.
        tell: called with the number of scenes done.

    Returns:
        The manifest.

    Raises:
        OutputError: the set exists, or cannot be written.
        InputError: a picture cannot be read.
        UsageError: the recipe cannot be.
    """
    recipe.check(has_depth=any(m.depth is not None for m in material))
    truths = out / f"{recipe.kind}-truth"
    check_free(recipe.kind, out, overwrite=overwrite)
    check_material(recipe.kind, out, material)
    earlier = _frames_before(truths)
    digits = max(2, len(str(recipe.count - 1)))
    facts: list[dict[str, Any]] = []
    for number in range(recipe.count):
        scene, paths = make_scene(recipe, number, material)
        name = f"{number:0{digits}d}"
        folder, before = out / recipe.kind / name, earlier.get(name, 0)
        _write_scene(scene, folder, truths, before=before, overwrite=overwrite)
        facts.append(_scene_facts(name, scene, paths))
        if tell is not None:
            tell(number + 1)
    manifest = {**_facts(recipe, material), "scenes": facts}
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    path = truths / _MANIFEST
    write_atomic(path, [text.encode(errors="backslashreplace")], overwrite=overwrite)
    return path


def check_free(kind: str, out: Path, *, overwrite: bool) -> None:
    """Refuse to mix a set with what is there.

    Raises:
        OutputError: there is something, and `overwrite` is not given.
    """
    for folder in (out / kind, out / f"{kind}-truth"):
        is_taken = is_there(folder) and (not is_folder(folder) or listed(folder, OutputError))
        if is_taken and not overwrite:
            raise OutputError(
                "a set of this kind exists already",
                where=str(folder),
                remedy="choose another `out`, or allow overwriting (`overwrite=True`)",
            )


def check_material(kind: str, out: Path, material: Sequence[SetMaterial]) -> None:
    """Refuse a set that would replace what it is made from.

    Raises:
        OutputError: a picture or depth map lies in the set, or a file of the set is one of them.
    """
    read = Inputs([p for m in material for p in (m.path, m.depth) if p is not None], in_depth=False)
    for folder in (out / kind, out / f"{kind}-truth"):
        read.check("out", folder)
        for path in folder.rglob("*.png"):
            read.check("out", path)


def _frames_before(truths: Path) -> dict[str, int]:
    """Return how many frames each scene of an earlier set had, as its manifest tells."""
    try:
        scenes = cast("Any", schema.read(truths / _MANIFEST))["scenes"]
        return {str(scene["name"]): int(scene["frames"]) for scene in scenes}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _old_frames(folder: Path, count: int, before: int) -> list[Path]:
    """Return the frames of an earlier, longer set, which would be fused with the new ones.

    Raises:
        OutputError: a file is called like a frame, and no set is known that it is of.
    """
    numbers = {path: _FRAME.fullmatch(path.name) for path in folder.glob("f*.png")}
    old = {path: int(match[1]) for path, match in numbers.items() if match}
    for path, number in old.items():
        if number >= max(count, before):
            raise OutputError(
                "a file in a scene's folder would be taken for one of its frames",
                where=str(path),
                expected=f"frames of this set, f0 to f{count - 1}, or of the one that it replaces",
                got="a file that no manifest tells of",
                remedy="move it away, or choose another `out`",
            )
    return [path for path, number in old.items() if number >= count]


def _write_scene(scene: Scene, folder: Path, truths: Path, *, before: int, overwrite: bool) -> None:
    old = _old_frames(folder, len(scene.frames), before)
    pictures: dict[Path, Byte] = {
        folder / f"f{n}.png": frame for n, frame in enumerate(scene.frames)
    }
    pictures |= {
        truths / f"{folder.name}.png": scene.truth,
        truths / f"{folder.name}-index.png": scene.index,
        truths / f"{folder.name}-band.png": scene.band.astype(np.uint8) * 255,
    }
    for path, pixels in pictures.items():
        io.write_image(path, pixels, io.Metadata(), overwrite=overwrite)
    for path in old:
        path.unlink()


def _scene_facts(name: str, scene: Scene, paths: Sequence[Path]) -> dict[str, Any]:
    height, width = scene.truth.shape[:2]
    facts: dict[str, Any] = {
        "name": name,
        "frames": len(scene.frames),
        "height": height,
        "width": width,
        "pictures": [path.name for path in paths],
    }
    if scene.motions:
        facts["motions"] = [
            {**asdict(m), "truth_to_frame": m.matrix(height, width).tolist()} for m in scene.motions
        ]
    return facts


def _facts(recipe: SetRecipe, material: Sequence[SetMaterial]) -> Mapping[str, Any]:
    return {
        **asdict(recipe),
        "generator": "numpy.random.default_rng([seed, *bytes of kind, scene])",
        "versions": {
            "panfocus": __version__,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        },
        "sources": [
            {"file": m.path.name, "sha256": digest_of(m.path)}
            | (
                {}
                if m.depth is None
                else {"depth": m.depth.name, "depth_sha256": digest_of(m.depth)}
            )
            for m in material
        ],
    }
