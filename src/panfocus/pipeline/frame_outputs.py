"""Files of a fusion that show its frames, too: layers, an animation, views from aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panfocus import io
from panfocus.errors import UsageError
from panfocus.frozen import frozen
from panfocus.io.outputs import Output
from panfocus.pipeline.memory import check_memory
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import written_dtype
from panfocus.schema import is_between, said

#: Bounds of sizes, pixels, and of parallax, per cent of the width.
SIZES = (64, 4096)
PARALLAX = (0.1, 20.0)


@frozen
class FrameOutputs:
    """Files that are made of the frames in place, one read at a time.

    Attributes:
        layers: ``.psd``, ``.psb`` or ``.tif``: the fused picture above the aligned frames, each
            with a mask of where it was taken; between them the slabs, where some are made.
        animation: ``.gif`` or ``.webp``: through the aligned stack and back.
        stereo: a picture: the left eye's view, and right of it the right eye's.
        rocking: ``.gif`` or ``.webp``: the picture as seen from side to side.
        animation_size: of both animations, pixels at the longer side.
        parallax: by how much the nearest moves against the farthest between the eyes, and from side
            to side, per cent of the width.
    """

    layers: Path | None = None
    animation: Path | None = None
    stereo: Path | None = None
    rocking: Path | None = None
    animation_size: int = 720
    parallax: float = 3.0

    def named(self) -> list[Output]:
        """Return the files, each by the option that names it."""
        files = [
            ("layers", self.layers),
            ("animation", self.animation),
            ("stereo", self.stereo),
            ("rocking", self.rocking),
        ]
        return [(option, path) for option, path in files if path is not None]

    def check(self, plan: Plan, *, overwrite: bool, slabs: int = 0) -> None:
        """Refuse what cannot be written, before any work.

        Args:
            plan: of the fusion.
            overwrite: whether existing files may be replaced.
            slabs: how many of them are made.

        Raises:
            OutputError: exists, or a format that cannot hold it.
            UsageError: sizes that cannot be, or more memory than is allowed.
        """
        self.check_values()
        if self.layers is not None:
            from panfocus.io.layered import check_layers, layers_bytes  # noqa: PLC0415  few make one

            itemsize = np.dtype(plan.dtype).itemsize
            count = plan.count + slabs + 1
            size = layers_bytes(plan.height, plan.width, plan.channels, itemsize, count)
            check_layers(self.layers, plan.height, plan.width, size)
            io.check_place(self.layers, overwrite=overwrite)
        for path in (self.animation, self.rocking):
            if path is not None:
                from panfocus.io.animation import check_animation  # noqa: PLC0415  few make one

                check_animation(path, overwrite=overwrite)
                self._check_memory(plan)
        if self.stereo is not None:
            io.check_output(
                self.stereo,
                overwrite=overwrite,
                dtype=written_dtype(self.stereo, plan.dtype, plan.settings.bit_depth),
                channels=plan.channels,
                size=(plan.height, 2 * plan.width),
            )

    def check_values(self) -> None:
        """Refuse sizes that cannot be.

        Raises:
            UsageError: one is out of bounds.
        """
        for name, (low, high) in (("animation_size", SIZES), ("parallax", PARALLAX)):
            value = getattr(self, name)
            if not is_between(value, low, high):
                raise UsageError(
                    f"this cannot be the {name.replace('_', ' ')}",
                    where=name,
                    expected=f"{low:g} to {high:g}",
                    got=said(value),
                )

    def _check_memory(self, plan: Plan) -> None:
        """Frames of an animation are held, small; those from aside twice."""
        share = min(self.animation_size / max(plan.height, plan.width), 1)
        pixels = int(plan.height * share) * int(plan.width * share)
        held = 2 * plan.count * pixels * plan.channels * np.dtype(plan.dtype).itemsize
        check_memory(plan.memory_bytes + held, plan.memory_limit, "frames into an animation")
