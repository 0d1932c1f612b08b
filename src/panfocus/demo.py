"""`make demo`: stacks made from scikit-image's own photographs, fused, scored and shown.

Everything it needs comes with the extra ``demo``; nothing is downloaded.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from panfocus.arrays.types import Float, Pixels
from panfocus.errors import OutputError
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.pipeline.fuse import Fusion, fuse
from panfocus.pipeline.options import MAP_KINDS, MapKind
from panfocus.synthesis.depth_maps import depth_map_stack
from panfocus.synthesis.focal_pairs import bokeh_scene, layers_scene
from panfocus.synthesis.scene import Byte, Scene
from panfocus.systems import list_systems


@dataclass(frozen=True)
class Story:
    """A scene of the demo and what it shows."""

    name: str
    about: str
    scene: Scene


def _fill_holes(disparity: Float) -> Float:
    """Give places without a measured disparity the farthest one measured near them."""
    known = np.isfinite(disparity)
    filled = np.where(known, disparity, 0).astype(np.float32)
    holes = (~known).astype(np.uint8)
    level = np.rint(filled / max(float(filled.max()), 1e-6) * 255).astype(np.uint8)
    patched = np.asarray(cv2.inpaint(level, holes, 5, cv2.INPAINT_TELEA), np.float32)
    smooth = cv2.medianBlur(patched.astype(np.uint8), 5)
    return np.asarray(smooth, np.float32) / np.float32(255)


def _photograph(name: str) -> Byte:
    """Return a photograph ``(H, W, 3)`` that scikit-image ships."""
    from skimage import data  # noqa: PLC0415  an extra: only the demo needs it

    return np.ascontiguousarray(getattr(data, name)(), np.uint8)


def _motorcycle() -> tuple[Byte, Float]:
    """Return a photograph ``(H, W, 3)`` and its measured disparity ``(H, W)``, with holes."""
    from skimage import data  # noqa: PLC0415  an extra: only the demo needs it

    left, _, disparity = cast("tuple[Byte, Byte, Float]", data.stereo_motorcycle())
    return np.ascontiguousarray(left), np.asarray(disparity, np.float32)


def stories() -> list[Story]:
    """Make the demo's scenes from photographs that scikit-image ships."""
    left, disparity = _motorcycle()
    nearness = _fill_holes(disparity)
    rng = np.random.default_rng(7)
    coffee, astronaut = _photograph("coffee"), _photograph("astronaut")
    cat = cv2.resize(_photograph("chelsea"), coffee.shape[1::-1])
    rocket = cv2.resize(_photograph("rocket"), astronaut.shape[1::-1])
    return [
        Story(
            "motorcycle",
            "8 frames, a real scene's measured depth",
            depth_map_stack(left, 1 - nearness, 8),
        ),
        Story(
            "coffee",
            "2 frames, an object before a background",
            layers_scene(rng, [coffee, np.asarray(cat, np.uint8)]),
        ),
        Story(
            "lights",
            "2 frames, lights 40 times white",
            bokeh_scene(rng, [np.asarray(rocket, np.uint8), astronaut]),
        ),
    ]


def psnr(picture: Pixels, truth: Byte, border: int = 8) -> float:
    """Return RGB PSNR in dB with `border` pixels left out on each side."""
    inner = slice(border, -border)
    error = picture[inner, inner].astype(np.float64) - truth[inner, inner]
    return float(10 * np.log10(255**2 / max(float(np.mean(error**2)), 1e-12)))


def _save(path: Path, picture: Byte) -> None:
    Image.fromarray(picture).save(path, compress_level=3)


def _labelled(picture: Byte, label: str) -> Byte:
    out = picture.copy()
    cv2.rectangle(out, (0, 0), (14 + 11 * len(label), 26), (0, 0, 0), -1)
    cv2.putText(out, label, (7, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1)
    return out


def _colours(values: Float) -> Byte:
    scaled = np.clip(values / max(float(values.max()), 1e-6), 0, 1)
    bgr = cv2.applyColorMap(np.rint(scaled * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def before_after(scene: Scene, result: Fusion) -> Byte:
    """Return a sheet: first and last frame above, fused picture and depth below."""
    assert result.depth is not None
    top = [_labelled(scene.frames[0], "first frame"), _labelled(scene.frames[-1], "last frame")]
    fused = _labelled(result.image.astype(np.uint8), "fused")
    below = [fused, _labelled(_colours(result.depth), "depth")]
    return np.vstack([np.hstack(top), np.hstack(below)])


def _write_story(folder: Path, story: Story, result: Fusion) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not is_made_by_panfocus(folder / "fused.png"):
        raise OutputError(
            "the folder for the pictures holds something else",
            where=str(folder),
            expected="an empty or new folder, or one of an earlier run of this",
            remedy="name another folder",
        )
    frames = folder / "frames"
    frames.mkdir(parents=True, exist_ok=True)
    for n, frame in enumerate(story.scene.frames):
        _save(frames / f"{n:02d}.png", frame)
    _save(folder / "truth.png", story.scene.truth)
    _save(folder / "before_after.png", before_after(story.scene, result))
    maps: dict[MapKind, Path] = {kind: folder / f"{kind}.tif" for kind in MAP_KINDS}
    result.save(folder / "fused.png", maps=maps, overwrite=True)


def main(out: Path) -> None:
    """Make, fuse, score, write."""
    names = {card.name for card in list_systems()}
    shown = [n for n in ("dualpath", "guided", "pyramid") if n in names]
    table = Table(title="PSNR against the truth, dB")
    table.add_column("scene")
    table.add_column("what it is")
    for heading in ("best single frame", *shown):
        table.add_column(heading, justify="right")
    for story in stories():
        scene = story.scene
        scores = [f"{max(psnr(f, scene.truth) for f in scene.frames):.2f}"]
        for name in shown:
            result = fuse(scene.frames, system=name)
            scores.append(f"{psnr(result.image, scene.truth):.2f}")
            if name == shown[0]:
                _write_story(out / story.name, story, result)
        table.add_row(story.name, story.about, *scores)
    console = Console(width=max(Console().width, 100))
    console.print(table)
    console.print(f"Pictures: {out.resolve()}/*/before_after.png, fused.png, depth.tif, index.tif")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out"))
