"""What found files hold: scenes of frames, opened by the product's own readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.errors import InputError
from panfocus.frame import Frame
from panfocus.io.ome_set import set_files
from panfocus.io.volumes.open import is_measured, is_volume, open_volume
from panfocus.io.volumes.stack import ZStack
from panfocus.pipeline.sources import FileStack
from panfocus.resources.paths import is_file, is_folder
from panfocus.train.pictures import read_colour
from panfocus.train.told import told_as_data


@dataclass(frozen=True)
class TrainingScene:
    """Frames of one scene, read each time they are gone through.

    Attributes:
        name: for the log.
        files: they come from.
        part: which part of the files, in words; empty for all.
        count: of frames.
        height: of a frame, pixels.
        width: of a frame.
        depth: "8 bit", "16 bit" or "float".
        frames: yields them in order.
        is_staged: whether a stage took them, step by step along Z: structure that leans looks
            shifted from plane to plane, and only what the aligner itself can prove is a shift.
        left_out: name of a frame that is none of them, and why.
    """

    name: str
    files: tuple[Path, ...]
    part: str
    count: int
    height: int
    width: int
    depth: str
    frames: Callable[[], Iterator[Frame]]
    is_staged: bool = False
    left_out: dict[str, str] = field(default_factory=dict[str, str])


def scenes_of(name: str, files: Sequence[Path]) -> list[TrainingScene]:
    """Open the scenes that files of one set hold: one, or one for each T and C of a volume.

    A set without two frames of one size has one scene of no frames, with the reason.

    Raises:
        DataError: a file is damaged, or of a kind that is not read.
    """
    with told_as_data(str(files[0])):
        if len(files) == 1 and (
            is_folder(files[0]) or is_measured(files[0]) or is_volume(files[0])
        ):
            return _of_volume(name, files[0])
        if any(path.suffix.lower() == ".bmp" for path in files):
            return [_of_bitmaps(name, files)]
        return [_of_photographs(name, files)]


def of_arrays(name: str, frames: Sequence[NDArray[np.uint8]]) -> TrainingScene:
    """Return a scene of frames ``(H, W, 3)`` in memory, such as a reader of one's own gives."""
    if len(frames) < 2 or len({frame.shape for frame in frames}) > 1:
        return _nothing(name, [], "frames of different size" if len(frames) > 1 else "one frame")

    def items() -> Iterator[Frame]:
        return (Frame(f"{name} {n}", f) for n, f in enumerate(frames))

    height, width = frames[0].shape[:2]
    return TrainingScene(name, (), "", len(frames), height, width, "8 bit", items)


def _nothing(name: str, files: Sequence[Path], why: str) -> TrainingScene:
    return TrainingScene(
        name, tuple(files), "", 0, 0, 0, "", lambda: iter(()), left_out={name: why}
    )


def _of_photographs(name: str, files: Sequence[Path]) -> TrainingScene:
    infos, _ = io.find_frames(list(files))
    try:
        infos, _ = io.settle_orientation(infos)
    except InputError:
        return _nothing(name, files, "frames turned by different tags")
    (size, count), *_ = Counter((info.height, info.width) for info in infos).most_common(1)
    if count < 2:
        return _nothing(name, files, "frames of different size" if len(infos) > 1 else "one frame")
    usual = [info for info in infos if (info.height, info.width) == size]
    others = {f"{name} {i.name}": "of another size" for i in infos if i not in usual}
    usual, _ = io.develop_alike(usual, len(usual) // 2, "srgb")
    is_wide = any(info.dtype != "uint8" for info in usual)
    return TrainingScene(
        name,
        tuple(files),
        "",
        count,
        *size,
        "16 bit" if is_wide else "8 bit",
        FileStack(usual).frames,
        left_out=others,
    )


def _of_bitmaps(name: str, files: Sequence[Path]) -> TrainingScene:
    """Read a set with bitmaps, which the product does not read, as 8 bits by OpenCV."""
    sizes = {read_colour(path).shape[:2] for path in files}
    if len(sizes) > 1:
        return _nothing(name, files, "frames of different size")
    height, width = sizes.pop()

    def frames() -> Iterator[Frame]:
        return (Frame(p.name, read_colour(p)) for p in files)

    return TrainingScene(name, tuple(files), "", len(files), height, width, "8 bit", frames)


def _of_volume(name: str, path: Path) -> list[TrainingScene]:
    with closing(open_volume(path)) as volume:
        parts = [p for p in set_files(path) if is_file(p)]  # of an OME-TIFF in several files
        whole = TrainingScene(
            name, (path, *parts), "", 0, 0, 0, "", lambda: iter(()), is_staged=True
        )
        found: list[TrainingScene] = []
        for n, position in enumerate(volume.positions):
            if position.depths < 2:
                continue
            for t in range(position.times):
                for c in range(len(position.channels)):
                    part = f"T {t}, C {c}"
                    if len(volume.positions) > 1:
                        part = f"position {n}, {part}"
                    scene = replace(
                        whole,
                        name=f"{name} {part}",
                        part=part,
                        count=position.depths,
                        height=position.height,
                        width=position.width,
                        depth=_depth(position.dtype),
                        frames=partial(_planes, path, n, t, c),
                    )
                    found.append(scene)
    return found or [_nothing(name, [path], "one plane along Z")]


def _depth(dtype: np.dtype[np.generic]) -> str:
    return "float" if dtype.kind == "f" else f"{8 * dtype.itemsize} bit"


def _planes(path: Path, position: int, t: int, c: int) -> Iterator[Frame]:
    """Yield the planes along Z, near their full range as for fusing (`science.stack.Scale`)."""
    with closing(open_volume(path)) as volume:
        yield from ZStack(path, volume.positions[position], t, [c], c)
