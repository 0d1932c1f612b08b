"""Examples of each command, below its ``--help``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

#: Words of the command to commands that are typed as they stand here.
EXAMPLES: Mapping[str, Sequence[str]] = {
    "fuse": (
        "panfocus fuse shots/ -o fused.tif",
        "panfocus fuse a.jpg b.jpg c.jpg -o fused.jpg --reference first",
        "panfocus fuse shots/ -o fused.tif --depth-map --height-map relief.png",
        "panfocus fuse cells.ome.tif -o fused.ome.tif --guide-channel DAPI",
    ),
    "view": ("panfocus view shots/", "panfocus view monday/ tuesday/ --no-open"),
    "batch": (
        "panfocus batch today/ out/ --resume",
        "panfocus batch today/ out/ --format jpg --watch --idle 3600",
        "panfocus batch cells.ome.tif parts/ --guide-channel DAPI",
    ),
    "systems": (
        "panfocus systems",
        "panfocus systems guided",
        "panfocus systems check runs/mine/system",
    ),
    "devices": ("panfocus devices", "panfocus devices --system drpl"),
    "train dualpath": (
        "panfocus train dualpath -d stacks/ --dry-run --out mine",
        "panfocus train dualpath -d stacks/ --init bundled --minutes 20 --out mine",
    ),
    "train drpl": ("panfocus train drpl -d sharp/ --recipe small --minutes 60 --out runs/small",),
    "train average": ("panfocus train average --part runs/a=1 --part runs/b=1 --out runs/both",),
    "export": ("panfocus export runs/mine --out systems/mine",),
    "metrics": (
        "panfocus metrics --fused f.png --sources a.png b.png --metrics Q_W,Q_G",
        "panfocus metrics --fused f.png --sources a.png b.png --reference truth.png",
    ),
    "evaluate": (
        "panfocus evaluate --data sets/ --systems dualpath,guided --out scores",
        "panfocus evaluate --data sets/ --results other=theirs/ --out scores",
    ),
    "synthesize": ("panfocus synthesize sharp/ --out sets --kind layers --kind depth --count 4",),
}


def with_examples(command: click.Command, words: str) -> None:
    """Let a command show its examples below its options.

    Args:
        command: of which they are.
        words: how it is called, as "train drpl".
    """
    lines = "\n".join(f"  {example}" for example in EXAMPLES[words])
    command.epilog = f"\b\nExamples:\n{lines}"
