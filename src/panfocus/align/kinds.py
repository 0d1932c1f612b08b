"""Which kinds of alignment there are."""

from __future__ import annotations

from panfocus.errors import UsageError

#: Kinds that `--align` accepts, simple to rich; "auto" lets the pictures choose.
KINDS = ("none", "auto", "translation", "similarity", "affine", "homography")


def check_kind(kind: str) -> None:
    """Refuse a kind of alignment that does not exist.

    Raises:
        UsageError: `kind` is not one of `KINDS`.
    """
    if kind not in KINDS:
        raise UsageError(
            "unknown kind of alignment", where="--align", expected=", ".join(KINDS), got=kind
        )
