"""Weights are run only if they are the ones that a card names."""

from __future__ import annotations

from pathlib import Path

from panfocus.errors import SystemError_
from panfocus.io.digest import digest_of


def check_weights(path: Path, sha256: str | None, *, missing: str, others: str) -> None:
    """Refuse a file of weights that is missing, or not the one of the card.

    Args:
        path: of the file.
        sha256: what the card says.
        missing: the message where there is no such file.
        others: the message where it is another one.

    Raises:
        SystemError_: it is so.
    """
    if not path.is_file():
        raise SystemError_(missing, where=str(path))
    digest = digest_of(path)
    if digest != sha256:
        raise SystemError_(
            others,
            where=str(path),
            expected=f"sha256 {sha256}",
            got=f"sha256 {digest}",
            remedy="install or export the system again",
        )
