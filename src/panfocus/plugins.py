"""Names for what is brought along: a file of Python registers it, an option finds it.

    from panfocus.plugins import Registry

A plugin is an ordinary module. It is loaded because somebody named it (``--plugin FILE``) or
installed it (an entry point of the group ``panfocus.plugins``), never because it lies somewhere.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from panfocus.errors import PanfocusError, UsageError

ThingT = TypeVar("ThingT")

#: Entry points of packages that bring plugins: each names a module, which registers when imported.
GROUP = "panfocus.plugins"
_NAME = re.compile(r"[a-z][a-z0-9-]*")
#: The exit code of a program that a signal has stopped.
_STOPPED = 130


class EndedError(Exception):
    """What was brought along would end the program."""


@contextmanager
def _going_on() -> Generator[None]:
    """Let code of others end nothing, as by `sys.exit`; a signal does.

    Raises:
        EndedError: it would have.
    """
    try:
        yield
    except SystemExit as error:
        if error.code == _STOPPED:
            raise
        raise EndedError(f"it ends the program, with exit code {error.code}") from error
    except GeneratorExit as error:
        raise EndedError("it ends the program") from error


class Registry(Generic[ThingT]):
    """Things of one kind by name."""

    def __init__(
        self, kind: str, option: str, reserved: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Set up.

        Args:
            kind: what they are, for messages: "loss term".
            option: where a user names one, for messages.
            reserved: returns names that nothing can take; asked when something is registered.
        """
        self.kind = kind
        self.option = option
        self._reserved = reserved
        self._things: dict[str, ThingT] = {}

    def register(self, name: str) -> Callable[[ThingT], ThingT]:
        """Return a decorator that keeps what follows under a name.

        The same class or function may come again, as from a notebook's cell that runs twice.

        Raises:
            UsageError: no name that a command line can take, or one that is taken.
        """

        def keep(thing: ThingT) -> ThingT:
            self._check(name, thing)
            self._things[name] = thing
            return thing

        return keep

    def _check(self, name: str, thing: ThingT) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"this cannot be the name of a {self.kind}",
                expected="small letters, digits and hyphens, a letter first",
                got=repr(name),
            )
        before = self._things.get(name)
        if name in set(self._reserved()) or (
            before is not None and _place(before) != _place(thing)
        ):
            raise UsageError(
                f"there is a {self.kind} of this name already",
                where=_place(before) if before is not None else "panfocus itself",
                got=f"{name}, of {_place(thing)}",
                remedy="register it under another name",
            )

    def get(self, name: str) -> ThingT:
        """Return what was registered under a name; installed plugins are asked, too.

        Raises:
            UsageError: nothing was.
        """
        if name not in self._things:
            load_installed()
        if name not in self._things:
            raise UsageError(
                f"there is no {self.kind} of this name",
                where=self.option,
                expected=f"one of {', '.join(sorted(self._things))}" if self._things else "none",
                got=name,
                remedy="name the file that registers it: --plugin FILE.py (docs/extending.md)",
            )
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        """Yield the names, sorted."""
        return iter(sorted(self._things))

    def forget(self, name: str) -> None:
        """Take a name back."""
        self._things.pop(name, None)


def _place(thing: object) -> str:
    """Return where a class or function stands."""
    module = getattr(thing, "__module__", type(thing).__module__)
    return f"{module}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def load(path: str | Path) -> ModuleType:
    """Run a file of Python, once in a process, so that it can register what it brings.

    Args:
        path: of the file; it may do what any program may.

    Raises:
        UsageError: there is no such file, or it stops with an error.
        PanfocusError: what it raised itself, such as a name that is taken.
    """
    try:
        file = Path(path).expanduser().resolve()
        is_there = file.suffix == ".py" and file.is_file()
    except (OSError, RuntimeError, ValueError):  # no name that a file can have
        file, is_there = Path(path), False
    if not is_there:
        raise UsageError(
            "there is no such plugin",
            where="--plugin",
            expected="a file of Python, such as examples/own_loss.py",
            got=str(path),
        )
    import hashlib  # noqa: PLC0415  slow to import, and few bring plugins

    name = f"panfocus_plugin_{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for it there
    try:
        with _going_on():
            spec.loader.exec_module(module)
    except PanfocusError:
        del sys.modules[name]
        raise
    except Exception as error:  # another's code may raise anything
        del sys.modules[name]
        raise UsageError(
            "the plugin stops with an error",
            where=_line_of(error, file),
            got=f"{type(error).__name__}: {error}",
            remedy="mend the file; `python FILE` shows the whole error",
        ) from error
    return module


def object_named(text: str) -> tuple[object, Path | None]:
    """Return what ``module:object`` names, and the file of the module.

    Modules are looked for in the working folder, too.

    Raises:
        UsageError: there is no such module or object, or the module stops with an error.
    """
    module_name, _, names = text.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        with _going_on():
            module = import_module(module_name)
        found: object = module
        for name in names.split("."):
            found = getattr(found, name)
    except PanfocusError:
        raise
    except Exception as error:  # another's code may raise anything
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == module_name
        raise UsageError(
            "there is no such object"
            if is_missing or isinstance(error, AttributeError)
            else "the module of a system stops with an error",
            where=text,
            expected="module:object, of a module that is installed or lies in this folder",
            got=f"{type(error).__name__}: {error}",
        ) from error
    finally:
        sys.path.pop(0)
    return found, None if module.__file__ is None else Path(module.__file__)


def load_all(paths: Iterable[str | Path] | None) -> None:
    """Run files of Python, as `load` does each; none for None.

    Raises:
        UsageError: as `load`.
    """
    for path in paths or ():
        load(path)


def _line_of(error: Exception, file: Path) -> str:
    """Return the last line of a file that an error came through."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{file}:{error.lineno}"
    import traceback  # noqa: PLC0415  slow to import, and few plug-ins fail

    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    return f"{file}:{own[-1].lineno}" if own else str(file)


@cache
def load_installed() -> None:
    """Import the plugins of installed packages, once.

    Raises:
        UsageError: one of them stops with an error.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  slow, and mostly not needed

    for point in entry_points(group=GROUP):
        try:
            with _going_on():
                point.load()
        except PanfocusError:
            raise
        except Exception as error:  # as above
            raise UsageError(
                "an installed plugin stops with an error",
                where=f"{point.name} = {point.value}",
                got=f"{type(error).__name__}: {error}",
                remedy="mend the package that brings it, or uninstall it",
            ) from error
