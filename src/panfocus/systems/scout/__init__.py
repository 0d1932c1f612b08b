"""The scout: a small network that tells, block by block, which frames of a stack can matter.

OURS. Neither paper has it; it is what lets the network that decides be run on few frames only. It
sees no pictures but five measures of each block (`evidence`), all frames of a stack at once and in
any order, and answers with each frame's share of the pixels that a block's best picture would take
(`network`). From these shares a few frames are named for each tile (`naming`). Those who decide are
the system's own network and nobody else.
"""

from panfocus.systems.scout.evidence import evidence, has_plain_ground, measured
from panfocus.systems.scout.naming import named, only_named
from panfocus.systems.scout.network import Scout, Shares

__all__ = [
    "Scout",
    "Shares",
    "evidence",
    "has_plain_ground",
    "measured",
    "named",
    "only_named",
]
