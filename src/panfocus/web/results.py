"""What was fused while the page is open, laid down in files: memory does not grow with it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.pipeline.options import MAP_KINDS, MapKind, Options
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.project_content import Place
from panfocus.pipeline.result import FusedPicture
from panfocus.registration.transforms import Crop
from panfocus.web.levels import ScreenLevels
from panfocus.web.pictures import ArrayPicture, MapPicture
from panfocus.web.pyramids import Viewable
from panfocus.web.scales import ColourScale


@dataclass(frozen=True)
class Result:
    """A fusion that can be looked at, mended and saved.

    Attributes:
        id: its name in addresses.
        name: for people: the system, numbered where options differ.
        options: how it was fused.
        fusion: arrays are mapped from files.
        used: numbers of the stack's frames that went into it, in order.
        size: height and width of the frames that it was made of.
        plan: of the files; None for volumes and drafts.
        folder: of the files.
        scales: of the maps that there are.
        corner: left and top of what it shows, for a part of the picture that was fused alone.
        place: position, T and C of the planes of a volume that it was fused from, all of them.
        guide: number of the channel that has decided; None for the place's own.
    """

    id: str
    name: str
    options: Options
    fusion: FusedPicture
    used: tuple[int, ...]
    size: tuple[int, int]
    plan: Plan | None
    folder: Path
    scales: dict[MapKind, ColourScale]
    corner: tuple[int, int] = (0, 0)
    place: Place | None = None
    guide: int | None = None

    @property
    def field(self) -> Crop:
        """The part of the reference frame that it shows."""
        found = self.fusion.registration
        height, width = self.fusion.image.shape[:2]
        return Crop(0, height, 0, width) if found is None else found.field

    def picture(self, stack: str, levels: ScreenLevels) -> Viewable:
        """Return the fused picture, to be looked at."""
        key = f"{stack}/{self.id}~{self.folder.name}~{levels.key}"  # drafts have one id in turn
        icc = self.fusion.metadata.icc
        return ArrayPicture(key, self.fusion.image, icc, levels=levels)

    def map_picture(self, stack: str, kind: MapKind) -> Viewable | None:
        """Return a map in colours; None where there is none."""
        values = getattr(self.fusion, kind)
        if values is None:
            return None
        return MapPicture(f"{stack}/{self.id}~{self.folder.name}-{kind}", values, self.scales[kind])

    def value(self, x: int, y: int) -> dict[str, Any]:
        """Return what the maps say of a pixel of the result."""
        fusion = self.fusion
        out: dict[str, Any] = {"rgb": np.atleast_1d(np.asarray(fusion.image[y, x])).tolist()}
        if fusion.index is not None:
            number = self.used[int(fusion.index[y, x])]
            out["frame"] = number
        if fusion.depth is not None:
            depth = float(fusion.depth[y, x])
            out["depth"] = round(depth, 3) if np.isfinite(depth) else None
            out["unit"] = fusion.report.depth_unit or "frames"
        if fusion.confidence is not None:
            out["confidence"] = round(float(fusion.confidence[y, x]), 3)
        return out

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        report = self.fusion.report
        field = self.field
        height, width = self.fusion.image.shape[:2]
        return {
            "id": self.id,
            "name": self.name,
            "system": report.system["name"],
            "guide": self.guide,
            "width": width,
            "height": height,
            "frame": {"height": self.size[0], "width": self.size[1]},
            "field": {"left": field.left + self.corner[0], "top": field.top + self.corner[1]},
            "maps": {kind: scale.facts() for kind, scale in self.scales.items()},
            "used": list(self.used),
            "seconds": round(report.timings_s.get("total", 0.0), 2),
            "warnings": report.warnings,
            "dtype": str(self.fusion.image.dtype),
            "shares": [facts.get("share") for facts in report.frames],
        }

    def delete(self) -> None:
        """Drop its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _laid_down(folder: Path, name: str, values: NDArray[Any]) -> NDArray[Any]:
    path = folder / f"{name}.npy"
    np.save(path, values)
    return np.load(path, mmap_mode="r")


def lay_down(
    folder: Path,
    fusion: FusedPicture,
    *,
    id_: str,
    name: str,
    options: Options,
    used: tuple[int, ...],
    size: tuple[int, int],
    plan: Plan | None,
) -> Result:
    """Write a fusion's arrays into a folder, and return it with arrays that are read from there.

    Args:
        folder: made for it.
        fusion: as `fuse` returned it.
        id_: name in addresses.
        name: for people.
        options: how it was fused.
        used: numbers of the stack's frames.
        size: height and width of the frames.
        plan: of the files, if there are any.
    """
    folder.mkdir(parents=True)
    arrays = {"image": fusion.image, **{k: getattr(fusion, k) for k in MAP_KINDS}}
    mapped: dict[str, Any] = {
        key: _laid_down(folder, key, values) for key, values in arrays.items() if values is not None
    }
    scales: dict[MapKind, ColourScale] = {}
    near_first = options.order == "near-first"
    if fusion.index is not None:
        last = float(max(len(used) - 1, 1))
        scales["index"] = ColourScale(0.0, last, "frames", "turbo", near_first)
    if fusion.depth is not None:
        unit = fusion.report.depth_unit or "frames"
        scales["depth"] = ColourScale.of(fusion.depth, unit, "turbo", reverse=near_first)
    if fusion.confidence is not None:
        scales["confidence"] = ColourScale(0.0, 1.0, "", "viridis")
    kept = replace(fusion, **mapped)
    return Result(id_, name, options, kept, used, size, plan, folder, scales)
