"""Systems: everything that can decide which frame is in focus where.

The names load on first use (``__init__.pyi`` tells where from): a start that needs no network
imports none.
"""

# pyright: reportUnknownVariableType=false
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
