"""How pixels come from weights."""

from __future__ import annotations

from typing import Literal

Mode = Literal["blend", "select", "restore", "best-plane"]
