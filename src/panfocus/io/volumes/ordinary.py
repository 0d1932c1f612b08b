"""The files of a Zarr folder as its library reads them: ordinary ones, since a pipe never ends."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from panfocus.io.folder import what_waits


@cache
def _store() -> Any:  # noqa: ANN401  zarr's types are not complete
    """Return the class, which is made once zarr is needed."""
    local: Any = import_module("zarr.storage").LocalStore

    class OrdinaryFiles(local):
        """Refuses to open what is there and is no file; folders and gaps are zarr's to judge."""

        async def get(self, key: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401
            _check(self.root / key)
            return await local.get(self, key, *more, **named)

        def get_sync(self, key: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401
            _check(self.root / key)
            return local.get_sync(self, key, *more, **named)

    return OrdinaryFiles


def _check(path: Path) -> None:
    if what := what_waits(path):
        raise ValueError(f"{path.name} is {what}, and no file")


def ordinary_files(folder: Path) -> Any:  # noqa: ANN401  zarr's types are not complete
    """Return a store of zarr for reading a folder.

    What is read of it raises a `ValueError` where a pipe, a socket or a device is in a file's
    place: opening it would wait for ever.
    """
    return _store()(folder, read_only=True)
