"""The registration step of the pipeline; today frames are taken as they are."""

from __future__ import annotations

from panfocus.errors import UsageError

#: Kinds that `--align` accepts.
KINDS = ("none",)


def check_kind(kind: str) -> None:
    """Refuse a kind of alignment that does not exist.

    Raises:
        UsageError: `kind` is not one of `KINDS`.
    """
    if kind not in KINDS:
        raise UsageError(
            "unknown kind of alignment",
            where="--align",
            expected=", ".join(KINDS),
            got=kind,
            remedy="align the frames beforehand and fuse them with --align none",
        )
