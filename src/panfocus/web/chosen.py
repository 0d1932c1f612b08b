"""Which frames of files are fused, and what names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from panfocus.io import FrameInfo


def are_distinct(infos: Sequence[FrameInfo]) -> bool:
    """Whether no frame is named twice."""
    return len({(info.path, info.page) for info in infos}) == len(infos)


def files_of(infos: Sequence[FrameInfo], numbers: Sequence[int]) -> list[Path]:
    """Return the files of some frames, each once."""
    return list(dict.fromkeys(infos[n].path for n in numbers))


def among(
    found: Sequence[FrameInfo], infos: Sequence[FrameInfo], numbers: Sequence[int]
) -> list[FrameInfo]:
    """Return, of frames that were found in files, those that some of a stack's are."""
    wanted = {(infos[n].path, infos[n].page) for n in numbers}
    return [info for info in found if (info.path, info.page) in wanted]


def are_part_of_a_file(infos: Sequence[FrameInfo], numbers: Sequence[int]) -> bool:
    """Whether a file that has some of these frames has others besides."""
    kept = set(numbers)
    left_out = {info.path for n, info in enumerate(infos) if n not in kept}
    return any(infos[n].path in left_out for n in kept)
