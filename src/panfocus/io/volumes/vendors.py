"""Files of microscopes' makers (CZI, ND2, LIF ...), read through bioio and its plug-ins.

Every format is a plug-in of its own. Those under licences that permit all come with the extra
``bio``; the others are the user's to install, and the message names which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from panfocus.errors import InputError, PanfocusError
from panfocus.io.extras import need
from panfocus.io.volumes.array import volume_of_array
from panfocus.io.volumes.plug_ins import PLUG_INS
from panfocus.io.volumes.volume import Position, Volume, damaged

#: Of these, what the extra ``bio`` does not bring: their licences ask for more than ours.
_APART = {"bioio-czi": "GPL", "bioio-bioformats": "GPL, needs Java"}


def open_vendors(path: Path) -> Volume:
    """Open a file of a microscope's maker; planes are read when they are needed.

    Args:
        path: the file.

    Raises:
        InputError: the extra or the plug-in is not installed, or the file is damaged.
    """
    bioio = need(("bioio",), "bio", f"{path.suffix} of a microscope", path)
    try:
        image: Any = bioio.BioImage(path)
        scenes: Sequence[Any] = list(image.scenes)
        positions = [_position(image, n, str(name)) for n, name in enumerate(scenes)]
    except PanfocusError:
        raise
    except Exception as error:  # plug-ins raise what they like
        name = PLUG_INS[path.suffix.lower()]
        if find_spec(name.replace("-", "_")) is None:
            raise _no_plug_in(path) from error
        if "Unsupported" in type(error).__name__:  # bioio tells of plug-ins in its message
            error = ValueError(f"{name} cannot open it")
        raise damaged(path, "", error) from error
    kind = f"{path.suffix[1:].upper()} through {PLUG_INS[path.suffix.lower()]}"
    return Volume(path, kind, positions)


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


def _position(image: Any, scene: int, name: str) -> Position:  # noqa: ANN401
    image.set_scene(scene)
    data: Any = image.dask_data  # TCZYX, and S for colours; bound to this scene
    axes = "TCZYXS"[: data.ndim]
    sizes = image.physical_pixel_sizes
    voxel = tuple(None if s is None else abs(float(s)) for s in (sizes.Z, sizes.Y, sizes.X))
    names = [str(channel) for channel in image.channel_names or ()]
    volume = volume_of_array(
        data,
        axes,
        channel_names=names if len(names) == data.shape[1] else None,
        voxel_um=(voxel[0], voxel[1], voxel[2]),
    )
    return replace(volume.positions[0], name=name)
