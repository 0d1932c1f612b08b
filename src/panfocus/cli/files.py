"""Names of files and folders on the command line, all through one door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class UserPath(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  since click 8.5
    """A file or folder that a user names; see `panfocus.resources.paths.as_path`."""

    name = "path"

    def convert(
        self,
        value: Any,  # noqa: ANN401  as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return it as a path.

        Raises:
            UsageError: no file's name.
            InputError: in a folder that may not be entered, or that is gone.
        """
        from panfocus.errors import UsageError  # noqa: PLC0415  `--help` does without
        from panfocus.resources.paths import as_path  # noqa: PLC0415

        return as_path(value, UsageError)


FILE = UserPath()
