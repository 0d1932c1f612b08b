"""panfocus: several photographs focused at different depths in, one that is sharp everywhere out.

The rooms, in the order in which they may know each other:

- `panfocus.arrays`: pure functions of arrays. `panfocus.resources`: memory and threads.
- `panfocus.frame`: one picture of a stack.
- `panfocus.io`: files in and out, scientific volumes too. `panfocus.metrics`: fusion metrics.
- `panfocus.systems`: everything that decides which frame is in focus where.
- `panfocus.guard`: a second opinion on what systems decide.
- `panfocus.fusion`: from decisions to pixels.
- `panfocus.registration`: where frames lie and how bright they are.
- `panfocus.retouch`: strokes that paint over a fused picture from another source.
- `panfocus.surface`: height map and mesh. `panfocus.synthesis`: scenes with known truth.
- `panfocus.pipeline`: plan, read, register, decide, fold, result, outputs.
- `panfocus.batch`: many stacks. `panfocus.evaluate`: systems scored on sets.
- `panfocus.train`: training of DRPL and Dual-Path (needs the extra ``train``).
- `panfocus.cli`: the command line.

The names below load on first use (``__init__.pyi`` tells where from), so that ``import panfocus``
costs next to nothing.
"""

# pyright: reportUnknownVariableType=false
from __future__ import annotations


def __getattr__(name: str) -> object:
    # what looks names up is slow to import, and the command line, which has to hear Ctrl-C from
    # its first moment, needs none of them
    import lazy_loader  # noqa: PLC0415

    found, listed, names = lazy_loader.attach_stub(__name__, __file__)
    globals().update(__getattr__=found, __dir__=listed, __all__=names)
    return names if name == "__all__" else found(name)


def __dir__() -> list[str]:
    names: list[str] = globals()["__getattr__"]("__all__")
    return list(names)
