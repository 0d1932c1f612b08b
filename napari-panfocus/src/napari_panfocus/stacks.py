"""From a layer to a focal stack and back; nothing here knows of windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import panfocus

#: Letters for axes other than that of focus, from the last one before Y and X on.
_OTHERS = "CTP"
_MAPS = ("index", "depth", "confidence")

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True)
class Refusal:
    """Why something could not be done, in words for the user.

    A worker of napari returns it: an error that it raises is shown with its traceback, and raised
    once more where Qt handles events.
    """

    text: str


@dataclass(frozen=True)
class Stack:
    """An array of a layer, and what its axes are.

    Attributes:
        data: of the layer; of NumPy, Dask, Zarr or xarray.
        scale: of the layer, one number an axis; colours have none.
        focus: number of the axis along which focus changes.
        is_rgb: whether the last axis is of colours.
    """

    data: Any
    scale: Sequence[float]
    focus: int
    is_rgb: bool = False

    @property
    def axes(self) -> str:
        """A letter for each axis, as `panfocus.fuse_volume` takes them.

        Raises:
            ValueError: the axis of focus is one of a plane's, or there are more axes than letters.
        """
        outer = self.data.ndim - (3 if self.is_rgb else 2)
        if not 0 <= self.focus < outer:
            raise ValueError(f"focus changes along one of the axes 0 to {outer - 1}")
        others = [n for n in range(outer) if n != self.focus]
        if len(others) > len(_OTHERS):
            raise ValueError(f"{len(others)} axes beside focus, Y and X; 3 at most")
        letters = dict(zip(reversed(others), _OTHERS, strict=False)) | {self.focus: "Z"}
        return "".join(letters[n] for n in range(outer)) + ("YXS" if self.is_rgb else "YX")

    @property
    def flat_scale(self) -> list[float]:
        """The scale of what is left when the axis of focus is gone."""
        return [s for n, s in enumerate(self.scale) if n != self.focus]

    def of_result(self, positions: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return results by position, each TCYX, with the layer's axes in its order.

        Args:
            positions: ``(T, C, Y, X[, S])`` each.
        """
        whole = np.stack(positions)  # P T C Y X
        kept = [letter for letter in self.axes if letter in "PTC"]
        single = tuple(n for n, letter in enumerate("PTC") if letter not in kept)
        out = whole.squeeze(axis=single)
        stored = [letter for letter in "PTC" if letter in kept]
        order = [stored.index(letter) for letter in kept]
        return out.transpose([*order, *range(len(order), out.ndim)])


def fused_layers(
    stack: Stack,
    name: str,
    *,
    system: str,
    align: str = "none",
    maps: Sequence[str] = (),
    surface: bool = False,
    progress: Callable[[float, str, str], None] | None = None,
) -> list[LayerData]:
    """Fuse a layer's stacks and return new layers, as napari takes them.

    Args:
        stack: the layer.
        name: of the layer, for names of the new ones.
        system: name of a system of panfocus, or folder of an exported one.
        align: kind of registration.
        maps: of "index", "depth" and "confidence", those that are wanted.
        surface: whether the depth of the first stack becomes a surface.
        progress: called with (share done in [0, 1], stage, message).

    Raises:
        panfocus.PanfocusError: what cannot be fused, in words.
    """
    voxel = (abs(float(stack.scale[stack.focus])) or 1.0, *_sides(stack))
    fused = panfocus.fuse_volume(
        stack.data,
        axes=stack.axes,
        voxel_um=voxel,
        system=system,
        align=align,
        maps=bool(maps) or surface,
        progress=progress,
    )
    scale = stack.flat_scale
    warnings = list(fused.summary.warnings)
    image = stack.of_result([p.image for p in fused.positions])
    about: Mapping[str, Any] = {"scale": scale, "metadata": {"panfocus": warnings}}
    layers: list[LayerData] = [
        (image, {**about, "name": f"{name} fused", "rgb": stack.is_rgb}, "image")
    ]
    for kind in (k for k in _MAPS if k in maps):
        values = stack.of_result([getattr(p, kind) for p in fused.positions])
        colours = "gray" if kind == "confidence" else "turbo"
        layers.append((values, {**about, "name": f"{name} {kind}", "colormap": colours}, "image"))
    if surface:
        first = fused.positions[0]
        layers.append(_surface(first.depth[0, 0], first.image[0, 0], scale, name))
    return layers


def _sides(stack: Stack) -> tuple[float, float]:
    y, x = (abs(float(s)) or 1.0 for s in stack.scale[-2:])
    return y, x


def _surface(
    depth: NDArray[np.float32], image: NDArray[Any], scale: Sequence[float], name: str
) -> LayerData:
    """Return depth as a surface of at most half a million corners, with the image as its values."""
    step = max(1, int(np.ceil(np.sqrt(depth.size / 500_000))))
    small = depth[::step, ::step]
    grey = image[::step, ::step]
    grey = grey.mean(axis=-1) if grey.ndim == 3 else grey
    rows, columns = np.indices(small.shape)
    y, x = (float(s) for s in scale[-2:])
    corners = np.stack([small, rows * step * y, columns * step * x], axis=-1).reshape(-1, 3)
    number = np.arange(small.size).reshape(small.shape)
    a, b, c, d = (
        n.ravel() for n in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    values = grey.astype(np.float32).ravel()
    return (corners, faces, values), {"name": f"{name} surface", "colormap": "gray"}, "surface"
