"""Groovy for the scripts of Fiji and QuPath, which bring it along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PANFOCUS = Path(sys.executable).with_name("panfocus")


def java_home():
    """The folder of the java that is found; Debian's groovy asks for it."""
    java = shutil.which("java")
    return None if java is None else Path(java).resolve().parents[1]


def has_groovy():
    """Whether scripts of Groovy can be run here."""
    return bool(shutil.which("groovy") and shutil.which("groovyc") and java_home())


def run(command, *words, cwd, environ=None):
    """Run `groovy` or `groovyc`; return what it printed."""
    asked = {**os.environ, **(environ or {}), "JAVA_HOME": str(java_home())}
    done = subprocess.run(
        [command, *map(str, words)],
        cwd=cwd, env=asked, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr
