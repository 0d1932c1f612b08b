"""Whether frames can be fused together: of one size, kind, bit depth and colour profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from panfocus.errors import InputError
from panfocus.io.folder import some
from panfocus.io.frames import FrameInfo


def _profile_name(icc_digest: str | None) -> str:
    return "no profile" if icc_digest is None else f"profile {icc_digest[:8]}"


_KINDS = {1: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGB with alpha"}
_PROPERTIES: tuple[tuple[str, str, Callable[[FrameInfo], str]], ...] = (
    (
        "size",
        "crop or scale the frames to one size, or leave this frame out",
        lambda info: f"{info.width}x{info.height}",
    ),
    (
        "kind of channels",
        "save all frames as the same kind",
        lambda info: _KINDS[info.channels],
    ),
    (
        "bit depth",
        "save all frames at the same bit depth",
        lambda info: "8 bit" if info.dtype == "uint8" else "16 bit",
    ),
    (
        "ICC colour profile",
        "convert all frames to one colour profile; mixing them would shift colours",
        lambda info: _profile_name(info.icc_digest),
    ),
)


def check_frames(infos: Sequence[FrameInfo]) -> None:
    """Refuse frames that cannot be fused together; no pixel is decoded.

    Raises:
        InputError: fewer than two, or one whose size, channels, bit depth or colour profile
            differs from that of most others; the message names it.
    """
    if len(infos) < 2:
        raise InputError(
            "fusing needs at least two frames",
            where=infos[0].where if infos else None,
            got="1 frame" if infos else "none",
            remedy="name all frames of the stack, or its folder",
        )
    for what, remedy, value_of in _PROPERTIES:
        counts = Counter(map(value_of, infos)).most_common()
        (usual, count), *others = counts
        if others and others[0][1] == count:
            raise _split(infos, what, value_of, remedy)
        odd = [info for info in infos if value_of(info) != usual]
        if odd:
            if what == "size" and value_of(odd[0]) == "x".join(reversed(usual.split("x"))):
                remedy = "turn it to lie as the others do, or leave it out"  # noqa: PLW2901
            more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            raise InputError(
                f"the frames differ in {what}",
                where=odd[0].name + more,
                expected=f"{usual}, as {count} of {len(infos)} frames have",
                got=value_of(odd[0]),
                remedy=remedy,
            )


def _split(
    infos: Sequence[FrameInfo], what: str, value_of: Callable[[FrameInfo], str], remedy: str
) -> InputError:
    """Return the error for frames of which none is odd: as many are of one kind as of another."""
    named: dict[str, list[str]] = {}
    for info in infos:
        named.setdefault(value_of(info), []).append(info.name)
    return InputError(
        f"the frames differ in {what}, and neither kind is the usual one",
        where="; ".join(some(names) for names in list(named.values())[:3]),
        expected="the same of all frames",
        got="; ".join(f"{value} ({some(names)})" for value, names in list(named.items())[:3]),
        remedy=remedy,
    )
