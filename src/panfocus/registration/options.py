"""Which kinds of registration there are, and which frame is the reference."""

from __future__ import annotations

from typing import Protocol

from panfocus.errors import UsageError

#: Kinds that `--align` accepts, simple to rich; "auto" lets the pictures choose.
KINDS = ("none", "auto", "local", "translation", "similarity", "affine", "homography")

#: Degrees of freedom that `--align-dof` accepts.
FREEDOMS = ("shift", "scale", "rotate", "shear")


def check_kind(kind: str) -> None:
    """Refuse a kind of alignment that does not exist.

    Raises:
        UsageError: `kind` is not one of `KINDS`.
    """
    if kind not in KINDS:
        raise UsageError(
            "unknown kind of alignment", where="align", expected=", ".join(KINDS), got=kind
        )


def whole_kind(kind: str) -> str:
    """Return the kind of transform that whole frames move by: "local" begins with "auto"."""
    return "auto" if kind == "local" else kind


def freedoms_of(text: str) -> tuple[str, ...]:
    """Return the degrees of freedom that a frame may move by.

    Args:
        text: names of `models.FREEDOMS` by commas.

    Raises:
        UsageError: an unknown name, or none at all.

    Example:
        >>> freedoms_of("scale,shift")
        ('shift', 'scale')
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    if not names or names - set(FREEDOMS):
        raise UsageError(
            "unknown degree of freedom",
            where="align_dof",
            expected=f"some of {','.join(FREEDOMS)}",
            got=text,
        )
    return tuple(name for name in FREEDOMS if name in names)


def is_reference(value: object) -> bool:
    """Whether some stack could have this reference."""
    return value in ("middle", "first", "last") or (
        isinstance(value, str) and value.isascii() and value.isdecimal()
    )


def resolve_reference(reference: str, count: int) -> int:
    """Return the number of the reference frame.

    Raises:
        UsageError: not "middle", "first", "last" or a number below `count`.
    """
    names = {"middle": count // 2, "first": 0, "last": count - 1}
    if reference in names:
        return names[reference]
    if is_reference(reference) and len(reference) < 10 and int(reference) < count:
        return int(reference)
    raise UsageError(
        "there is no such reference frame",
        where="reference",
        expected=f"middle, first, last, or 0 to {count - 1}",
        got=reference,
    )


class RegistrationOptions(Protocol):
    """What is asked of registration; the fields are options of `panfocus fuse`."""

    @property
    def align(self) -> str:
        """One of `KINDS`."""
        ...

    @property
    def align_dof(self) -> str:
        """Degrees of freedom of a frame, names of `models.FREEDOMS` by commas."""
        ...

    @property
    def align_to(self) -> str:
        """Whether frames are compared with neighbours alone, or with the reference, too."""
        ...

    @property
    def exposure(self) -> str:
        """Whether brightness and white balance are matched."""
        ...

    @property
    def keep_size(self) -> bool:
        """Whether the picture is not cropped to what all frames show."""
        ...

    @property
    def load_transforms(self) -> str | None:
        """A file of transforms to take in place of estimating any."""
        ...

    @property
    def reference(self) -> str:
        """The frame in whose geometry the picture is made."""
        ...
