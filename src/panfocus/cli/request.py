"""What the user of `panfocus fuse` asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panfocus.cli.bare_options import BARE
from panfocus.errors import UsageError
from panfocus.frozen import frozen
from panfocus.io.volumes.pyramid import Pyramid
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.map_files import map_path
from panfocus.pipeline.options import CALIBRATIONS
from panfocus.pipeline.outputs import Outputs
from panfocus.resources.paths import as_path

if TYPE_CHECKING:
    from panfocus.io.volumes.write_zarr import NgffVersion


@frozen
class Request:
    """What the user asked for; see the options of `panfocus fuse`.

    `behind` holds the inputs that stood behind an option which may take a file, with the option.
    """

    inputs: tuple[str, ...]
    output: Path | None
    settings: dict[str, Any]
    maps: dict[str, str | None]
    align_only: Path | None
    save_transforms: Path | None
    quality: int
    overwrite: bool
    dry_run: bool
    json_file: str | None
    json_progress: bool
    quiet: bool
    verbose: bool
    slab: tuple[int, int] | None = None
    height_map: Path | None = None
    mesh: Path | None = None
    pixel_size: float | None = None
    behind: tuple[tuple[str, str], ...] = ()
    save_project: Path | None = None
    layers: Path | None = None
    animation: Path | None = None
    stereo: Path | None = None
    rocking: Path | None = None
    animation_size: int = 720
    parallax: float = 3.0
    pyramid: Pyramid = "auto"
    ome_zarr: NgffVersion | None = None
    scale_bar: str | None = None
    watch_frames: float | None = None

    @property
    def is_photographic(self) -> bool:
        """Whether something is asked for that stacks of photographs have more of.

        A stack that could be either is then taken for one.
        """
        chosen = self.settings
        return (
            self.has_surfaces
            or self.save_transforms is not None
            or self.save_project is not None
            or bool(chosen.get("cull"))
            or chosen.get("bit_depth", "same") != "same"
            or any(chosen.get(name) not in (None, "off") for name in CALIBRATIONS)
        )

    @property
    def has_surfaces(self) -> bool:
        """Whether more is asked for than a picture and maps."""
        beside = (self.slab, self.height_map, self.mesh, self.pixel_size)
        return self.has_frame_files or any(wanted is not None for wanted in beside)

    @property
    def has_frame_files(self) -> bool:
        """Whether files are asked for that show the frames, too."""
        frames = (self.layers, self.animation, self.stereo, self.rocking)
        return any(wanted is not None for wanted in frames)

    def with_names(self, change: Callable[[Path], Path]) -> Request:
        """Return the same with every file that is named changed; the picture stays.

        Args:
            change: from a file to another.
        """
        files = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "output"}
        changed = {name: change(path) for name, path in files.items() if isinstance(path, Path)}
        maps = {kind: _changed(text, change) for kind, text in self.maps.items()}
        report = _changed(self.json_file, change)
        return replace(self, **changed, maps=maps, json_file=report)

    @property
    def report_file(self) -> Path | None:
        """The file that the report goes to; None for standard output, or where none is wanted."""
        return None if self.json_file in (None, BARE) else as_path(str(self.json_file), UsageError)

    def outputs(self, picture: Path) -> Outputs:
        """Return the files that are asked for.

        Raises:
            UsageError: a version of OME-Zarr is asked for, which no photograph becomes.
        """
        if self.ome_zarr is not None:
            raise UsageError(
                "this version is of OME-Zarr, and none is written",
                where="--ome-zarr",
                expected="an output that ends in .ome.zarr or .zarr",
                got=str(picture),
            )
        maps = {
            kind: map_path(picture, kind) if value == BARE else as_path(value, UsageError)
            for kind, value in self.maps.items()
            if value is not None
        }
        return Outputs(
            picture,
            maps,
            self.height_map,
            self.mesh,
            self.pixel_size,
            self.slab,
            self.save_transforms,
            self.report_file,
            self.quality,
            self.overwrite,
            FrameOutputs(
                self.layers,
                self.animation,
                self.stereo,
                self.rocking,
                self.animation_size,
                self.parallax,
            ),
            self.scale_bar,
        )


def _changed(file: str | None, change: Callable[[Path], Path]) -> str | None:
    """Return a file that may be left out, changed where it is named."""
    return file if file in (None, BARE) else str(change(as_path(str(file), UsageError)))
