"""What training never reads: truths, masks and results, known by their names.

A folder or file is left out for what it is called, and before it is opened; what the user names
himself is read.
"""

from __future__ import annotations

import re
from pathlib import Path

#: Names of pictures and folders that tell which frame is sharp where.
_MASK_WORDS = ("alpha", "confidence", "depth", "index", "mask", "matte", "trimap")
MASKS = frozenset([*_MASK_WORDS, "decision", "label", "labels", "masks", "mattes", "trimaps"])
#: Names of those that are sharp everywhere: truths, or results.
_SHARP_WORDS = ("aif", "fused", "groundtruth", "gt", "truth")
SHARP = frozenset(
    [
        *_SHARP_WORDS,
        *("all_focus", "all_in_focus", "allfocus", "full", "full_clear", "fusion"),
        *("ground_truth", "output", "result", "results", "sharp"),
    ]
)
#: Names that end in one of these words are such too: ``depth-truth``, ``scene_gt``, ``a_mask.png``.
ENDINGS = frozenset([*_MASK_WORDS, *_SHARP_WORDS])
#: Of a file, a number may follow: ``gt1.png``.
_NUMBER = re.compile(r"[-_ ]?\d+$")


def may_be_truth(name: str) -> bool:
    """Whether a folder or a file's stem is called like a truth, a mask or a result."""
    return _is(name, MASKS | SHARP, ENDINGS)


def may_be_mask(name: str) -> bool:
    """Whether it is called like a mask alone: what is sharp everywhere may train DRPL."""
    return _is(name, MASKS, ENDINGS & MASKS)


def _is(name: str, whole: frozenset[str], endings: frozenset[str]) -> bool:
    name = name.lower().strip()
    plain = re.sub(r"[-. ]", "_", name)
    return plain in whole or plain.rsplit("_", 1)[-1] in endings


def stem_may_be_truth(path: Path) -> bool:
    """Whether a file is called like a truth, a number at its end left aside."""
    return any(map(may_be_truth, _stems(path)))


def stem_may_be_mask(path: Path) -> bool:
    """Whether a file is called like a mask, a number at its end left aside."""
    return any(map(may_be_mask, _stems(path)))


def _stems(path: Path) -> tuple[str, str]:
    """Return a file's stem with and without its number; ``.ome.tif`` is one suffix."""
    stem = re.sub(r"\.ome$", "", path.stem, flags=re.IGNORECASE)
    return stem, _NUMBER.sub("", stem)


def below_mask(path: Path, root: Path) -> bool:
    """Whether a folder between `root` and a file, or the file, is called like a mask."""
    parents = path.relative_to(root).parts[:-1]
    return any(may_be_mask(name) for name in parents) or stem_may_be_mask(path)
