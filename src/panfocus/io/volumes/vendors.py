"""Files of microscopes' makers (CZI, ND2, LIF ...), read through bioio and its plug-ins.

Every format is a plug-in of its own. Those under licences that permit all come with the extra
``bio``; the others are the user's to install, and the message names which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from panfocus.errors import InputError
from panfocus.io.extras import need
from panfocus.io.volumes.array import volume_of_array
from panfocus.io.volumes.plug_ins import PLUG_INS
from panfocus.io.volumes.volume import Position, Volume, Voxel, damaged
from panfocus.resources.others import others_told

#: Tiles of a mosaic: put together where the file says they lie, or each a position of its own.
Mosaic = Literal["whole", "tiles"]
MOSAICS: tuple[Mosaic, ...] = get_args(Mosaic)
#: Of these, what the extra ``bio`` does not bring: their licences ask for more than ours.
_APART = {"bioio-czi": "GPL", "bioio-bioformats": "GPL, needs Java"}
_JOINED = "its tiles are put together where the file says they lie"


def open_vendors(path: Path, mosaic: Mosaic | None = None) -> Volume:
    """Open a file of a microscope's maker; planes are read when they are needed.

    Args:
        path: the file.
        mosaic: what tiles of a mosaic are; None to put them together, and say so.

    Raises:
        InputError: the extra or the plug-in is not installed, or the file is damaged.
    """
    bioio = need(("bioio",), "bio", f"{path.suffix} of a microscope", path)
    notes: list[str] = []
    with others_told(partial(_refused, path), Exception):  # plug-ins raise what they like
        image: Any = bioio.BioImage(path, reconstruct_mosaic=mosaic != "tiles")
        scenes: Sequence[Any] = list(image.scenes)
        positions = [
            position
            for n, name in enumerate(scenes)
            for position in _positions(image, n, str(name), notes)
        ]
        notes += _untold(image, len(scenes))
    if mosaic == "tiles" and len(positions) == len(scenes):
        notes.append("there is no mosaic in this file: its positions are taken as they are")
    if mosaic is not None:
        notes = [note for note in notes if _JOINED not in note]
    kind = f"{path.suffix[1:].upper()} through {PLUG_INS[path.suffix.lower()]}"
    return Volume(path, kind, positions, notes)


def _refused(path: Path, error: Exception) -> InputError:
    name = PLUG_INS[path.suffix.lower()]
    if find_spec(name.replace("-", "_")) is None:
        return _no_plug_in(path)
    if "Unsupported" in type(error).__name__:  # bioio tells of plug-ins in its message
        error = ValueError(f"{name} cannot open it")
    return damaged(path, "", error)


def _no_plug_in(path: Path) -> InputError:
    name = PLUG_INS[path.suffix.lower()]
    licence = f"; it stands apart: {_APART[name]}" if name in _APART else ""
    return InputError(
        "no reader for this kind of file is installed",
        where=str(path),
        expected=f"the plug-in {name} of bioio",
        got="none that takes it",
        remedy=f"pip install {name}{licence}",
    )


def _positions(image: Any, scene: int, name: str, notes: list[str]) -> list[Position]:  # noqa: ANN401
    """Return a scene as one position, or as one for each tile where they are not put together."""
    image.set_scene(scene)
    data: Any = image.dask_data  # bound to this scene
    axes = str(image.dims.order).replace("M", "P")
    sizes = image.physical_pixel_sizes
    told = [None if s is None else abs(float(s)) for s in (sizes.Z, sizes.Y, sizes.X)]
    voxel: Voxel = (told[0], told[1], told[2])
    names = [str(channel) for channel in image.channel_names or ()]
    count = data.shape[axes.index("C")] if "C" in axes else 1
    volume = volume_of_array(
        data, axes, channel_names=names if len(names) == count else None, voxel_um=voxel
    )
    facts = _facts(image)
    if "P" not in axes:
        if image.mosaic_tile_dims is not None:
            notes.append(f'position {name}: {_JOINED}; `mosaic="tiles"` fuses each by itself')
        return [replace(volume.positions[0], name=name, facts=facts)]
    places = _stage(image, len(volume.positions), voxel)
    return [
        replace(tile, name=f"{name} tile {m}", facts=facts, stage_um=place)
        for m, (tile, place) in enumerate(zip(volume.positions, places, strict=True))
    ]


def _stage(image: Any, count: int, voxel: Voxel) -> Sequence[tuple[float, float] | None]:  # noqa: ANN401
    """Return where each tile begins, (y, x) in µm; None where nobody says, or not reliably."""
    _, height, width = voxel
    nowhere = [None] * count
    if height is None or width is None or "czi" not in type(image.reader).__module__:
        return nowhere  # that of LIF numbers places from one end and tiles from the other
    try:
        found = [(y * height, x * width) for y, x in image.get_mosaic_tile_positions()]
    except Exception:  # plug-ins raise what they like, and tiles can do without their places
        return nowhere
    return found if len(found) == count else nowhere


def _facts(image: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the seconds between frames by their OME name, where they are told with a unit."""
    try:
        step = image.time_interval
    except Exception:  # plug-ins raise what they like, and a result can do without
        return {}
    is_told = isinstance(step, timedelta) and step > timedelta()
    return {"TimeIncrement": step.total_seconds()} if is_told else {}


def _untold(image: Any, scenes: int) -> list[str]:  # noqa: ANN401
    """Return a note where a CZI has more scenes than its reader shows."""
    find: Any = getattr(image.metadata, "findtext", None)  # XML of a CZI
    said = "" if find is None else find("./Metadata/Information/Image/SizeS") or ""
    if not said.isdecimal() or int(said) <= scenes:
        return []
    return [f"the file has {said} scenes and its reader shows {scenes}: the others are left out"]
