"""Weights are run only if they are the ones that a card names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from panfocus.errors import SystemError_
from panfocus.resources.paths import is_file

#: How ONNX names a file of weights beside the network, as protobuf writes it: a key, its length.
_ELSEWHERE = re.compile(rb"\x0a\x08location\x12")
_PIECE = 1 << 24
#: Bytes of a file of weights, at most; ONNX holds no more.
_MOST = 2**31


def check_weights(path: Path, sha256: str | None, *, missing: str, others: str) -> None:
    """Refuse a file of weights that is missing, or not the one of the card.

    Args:
        path: of the file.
        sha256: what the card says.
        missing: the message where there is no such file.
        others: the message where it is another one.

    Raises:
        SystemError_: it is so; or a link leads out of its folder; or a network needs other files,
            which nobody vouches for.
    """
    if not is_file(path):
        raise SystemError_(
            missing,
            where=str(path),
            expected="the file that the card names, beside it",
            got="no such file",
            remedy="install or export the system again",
        )
    _check_inside(path)
    if path.stat().st_size > _MOST:
        most, size = (f"{n // 2**20} MiB" for n in (_MOST, path.stat().st_size))
        raise _other(others, path, f"at most {most}", size)
    from panfocus.io.digest import digest_of  # noqa: PLC0415  brings OpenSSL, for networks alone

    digest = digest_of(path)
    if digest != sha256:
        raise _other(others, path, f"sha256 {sha256}", f"sha256 {digest}")
    if path.suffix == ".onnx" and _names_other_files(path):
        raise SystemError_(
            "the network keeps its weights in another file, which its card does not vouch for",
            where=str(path),
            expected="a network with all its weights inside",
            got="weights in a file beside it",
            remedy="save it as one file (onnx.save without external data), and put that file's "
            "sha256 into the card",
        )


def _other(told: str, path: Path, expected: str, got: str) -> SystemError_:
    remedy = "install or export the system again"
    return SystemError_(told, where=str(path), expected=expected, got=got, remedy=remedy)


def _check_inside(path: Path) -> None:
    real = Path(os.path.realpath(path))
    if real.parent != Path(os.path.realpath(path.parent)):
        raise SystemError_(
            "a file of the system is a link that leads out of its folder",
            where=str(path),
            expected="a file in the folder",
            got=str(real),
            remedy="copy the system's files into one folder",
        )


def _names_other_files(path: Path) -> bool:
    """Whether an ONNX file names others, that are read with it."""
    before = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if _ELSEWHERE.search(before + piece):
                return True
            before = piece[-16:]
    return False
