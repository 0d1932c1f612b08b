"""The environment of a program whose modules are compiled, as pip leaves them where it installs.

A working tree with ``PYTHONDONTWRITEBYTECODE`` compiles them at every start, which an installed
program never does: a quarter of a second that no user waits for.
"""

import atexit
import os
import shutil
import tempfile
from functools import cache


@cache
def environment() -> dict[str, str]:
    """Return the variables for a process that is measured; its first run compiles."""
    folder = tempfile.mkdtemp(prefix="panfocus-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = os.environ | {"PYTHONPYCACHEPREFIX": folder}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env
