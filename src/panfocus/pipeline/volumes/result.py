"""What `panfocus.fuse_volume` gives back: arrays by position, which can be saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.errors import UsageError
from panfocus.io.volumes.pyramid import Pyramid
from panfocus.io.volumes.volume import Volume, Voxel
from panfocus.io.volumes.write_zarr import NgffVersion
from panfocus.pipeline.options import MapKind
from panfocus.pipeline.surface_output import Relief
from panfocus.pipeline.volumes.choice import Choice, Group
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.summary import Summary
from panfocus.pipeline.volumes.surfaces import Shown, SurfaceOutputs
from panfocus.resources.paths import as_path
from panfocus.resources.wording import counted


@dataclass(frozen=True)
class FusedPosition:
    """What was fused of one field of view.

    Attributes:
        name: as the file says, or its number.
        image: ``(T, C, Y, X)`` or ``(T, C, Y, X, S)``, in the numbers of the source; T and C are
            those that were chosen.
        index: ``(T, C, Y, X)`` uint16, which plane won; C is 1 where one channel decides for
            all; None without maps.
        depth: the same in float32: the plane's number with fractions, or µm.
        confidence: the same, in [0, 1].
        channels: names, empty where the source says none.
        voxel_um: distances of planes, rows and columns, None where the source does not say.
        depth_unit: "µm" or "frames"; None without maps.
        slabs: ``(T, C, N, Y, X[, S])``, N slabs along Z; None where none were asked for.
    """

    name: str
    image: NDArray[Any]
    index: NDArray[np.uint16] | None
    depth: Float | None
    confidence: Float | None
    channels: tuple[str, ...]
    voxel_um: Voxel
    depth_unit: str | None = None
    slabs: NDArray[Any] | None = None


@dataclass(frozen=True, repr=False)
class VolumeFusion:
    """The result of `fuse_volume`.

    Attributes:
        positions: what was fused of each field of view.
        summary: facts of every fusion along Z, system, settings and warnings.
    """

    positions: tuple[FusedPosition, ...]
    summary: Summary
    _volume: Volume = field(compare=False)
    _choice: Choice = field(compare=False)
    _slab: tuple[int, int] | None = field(compare=False)

    def __repr__(self) -> str:
        """Tell in one line what was made of what."""
        shapes = sorted({" x ".join(map(str, p.image.shape)) for p in self.positions})
        made = f"{counted(len(self.positions), 'position')}, TCYX {', '.join(shapes)}"
        return f"<VolumeFusion: {made} {self.positions[0].image.dtype}>"

    @property
    def image(self) -> NDArray[Any]:
        """Of the only position: ``(T, C, Y, X[, S])``.

        Raises:
            UsageError: there are several.
        """
        if len(self.positions) != 1:
            raise UsageError(
                "the volume has several positions",
                expected="`positions`, each with an image of its own",
                got=f"{len(self.positions)}",
            )
        return self.positions[0].image

    def save(
        self,
        path: str | Path,
        *,
        maps: Sequence[MapKind] = (),
        height_map: str | Path | None = None,
        mesh: str | Path | None = None,
        pixel_um: float | None = None,
        scale_bar: str | None = None,
        pyramid: Pyramid = "auto",
        ome_zarr: NgffVersion | None = None,
        quality: int = 95,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write all positions into one file, with names, lengths and times; or into a picture.

        Slabs, where there are any, go into a file of their own beside it.

        Args:
            path: ``.ome.tif``, ``.tif``, ``.ome.zarr`` or ``.zarr``; or, of one plane or of red,
                green and blue, ``.png``, ``.jpg`` or ``.webp``.
            maps: of "depth", "index" and "confidence", those to write beside it.
            height_map: a picture of the depth in colours, of every stack.
            mesh: ``.ply``, ``.obj`` or ``.glb``, of every stack. Where there are several stacks,
                names of both end in which it is, as in ``height_t0_c1.png``.
            pixel_um: width of a pixel, for meshes and scale bars, where the volume does not say.
            scale_bar: "100um", "0.5mm" or "auto": a picture of every stack with such a bar in it,
                named ``<path>_scalebar``.
            pyramid: "auto" gives planes longer than 4096 pixels smaller copies, for viewers.
            ome_zarr: version of an OME-Zarr, "0.4" or "0.5"; None for 0.4.
            quality: of JPEG and WebP, 1 to 100.
            overwrite: whether existing files may be replaced.

        Returns:
            The files written.

        Raises:
            OutputError: exists, cannot be written, or is what was read.
            UsageError: the fusion has no maps, or a picture cannot hold it.

        Examples:
            >>> fused = panfocus.fuse_volume("cells.ome.tif")  # doctest: +SKIP
            >>> fused.save("fused.ome.tif", maps=["depth"])  # doctest: +SKIP
        """
        named = [None if name is None else as_path(name, UsageError) for name in (height_map, mesh)]
        image = as_path(path, UsageError)
        surfaces = SurfaceOutputs(named[0], named[1], pixel_um, scale_bar, image)
        if (maps or surfaces.need_depth) and any(p.depth is None for p in self.positions):
            raise UsageError("the fusion has no maps", where="maps", remedy="fuse with maps=True")
        outputs = replace(
            VolumeOutputs.beside(image, maps, overwrite=overwrite),
            slab=self._slab,
            surfaces=surfaces,
            pyramid=pyramid,
            ome_zarr=ome_zarr,
            quality=quality,
        )
        source = self._volume.path
        outputs.check([source] if self._volume.kind != "array" else [])
        groups = self._choice.groups(self._choice.selected(self._volume))
        with outputs.open(self._volume, self._choice) as writing:
            for kind, sink in writing.sinks.items():
                for position in self.positions:
                    for plane in self._planes(position, kind):
                        sink.add(plane)
            for group in groups if surfaces.are_wanted else ():
                writing.add_surfaces(group, self._shown(group))
        return outputs.written(self._volume, self._choice)

    def _planes(self, position: FusedPosition, kind: str) -> Iterator[NDArray[Any]]:
        """Yield the planes of the image, of a kind of map, or of the slabs, as they are written."""
        values: NDArray[Any] = getattr(position, "slabs" if kind == "slab" else kind)
        for time in values:
            if kind != "slab":
                yield from time
            else:  # channels that share a decision come together
                is_shared = self._choice.guide is not None
                stacked = time.swapaxes(0, 1) if is_shared else time
                yield from (plane for part in stacked for plane in part)

    def _shown(self, group: Group) -> Shown:
        """Return what can be drawn of a stack."""
        chosen = group.selection
        numbers = [one.number for one in self._choice.selected(self._volume)]
        position = self.positions[numbers.index(chosen.number)]
        t = list(chosen.times).index(group.time)
        places = [list(chosen.channels).index(c) for c in group.channels]
        c = 0 if self._choice.guide is not None else places[0]
        relief = None
        if position.depth is not None and position.confidence is not None:
            depth, confidence = position.depth[t, c], position.confidence[t, c]
            near_first = self._choice.settings.order == "near-first"
            relief = Relief(depth, confidence, position.depth_unit or "frames", near_first)
        return Shown(
            [position.image[t, place] for place in places],
            [chosen.position.channels[n] for n in group.channels],
            position.voxel_um,
            relief,
        )
