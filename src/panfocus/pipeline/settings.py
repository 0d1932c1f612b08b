"""Checked settings, of keywords, of a shell or of a manifest."""

from __future__ import annotations

import os
from typing import Any

from panfocus import schema
from panfocus.errors import UsageError
from panfocus.pipeline.options import ABOUT, CALIBRATIONS, FIELDS, FILES, Options
from panfocus.registration.options import check_kind, freedoms_of, is_reference
from panfocus.resources.memory import parse_size
from panfocus.resources.paths import as_path
from panfocus.systems.devices import MOST_THREADS, is_thread_count

#: Options whose values are names, which a program may have as numbers.
_NAMED = frozenset({"reference", "bit_depth", "max_memory"})

_YES, _NO = ("", "1", "true", "yes", "on"), ("0", "false", "no", "off")


def from_text(name: str, text: str) -> object:
    """Return the value of a setting that was written down, as in the row of a manifest.

    A truth that stands alone means yes.

    Raises:
        ValueError: it cannot be read as what the setting is.
    """
    kind = ABOUT[name].kind if name in ABOUT else "text"
    if kind == "truth":
        word = text.lower()
        if word not in _YES and word not in _NO:
            raise ValueError(f"{text} is neither true nor false")
        return word in _YES
    try:
        return {"count": int, "length": float}.get(kind, str)(text)
    except ValueError:
        wanted = "a whole number" if kind == "count" else "a number"
        raise ValueError(f"{name} takes {wanted}, and not {text[:40]}") from None


def _file(name: str | os.PathLike[str]) -> str:
    """Return the name of a file as text, with ``~`` as it stands.

    Raises:
        UsageError: it can be none.
    """
    as_path(name, UsageError)
    return os.fsdecode(name)


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401  whatever was given
    """Return numbers of NumPy as Python's, which JSON knows, and numbers that are names as text."""
    if type(value).__module__ == "numpy" and not getattr(value, "shape", ()):
        value = value.item()
    if name in _NAMED and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def make_settings(**options: Any) -> Options:  # noqa: ANN401  checked here
    """Return checked settings.

    Raises:
        UsageError: unknown option or value.

    Examples:
        >>> make_settings(mode="select", bit_depth=16).bit_depth
        '16'
    """
    known = set(FIELDS)
    unknown = set(options) - known
    if unknown:
        raise UsageError(
            "unknown option",
            got=", ".join(sorted(unknown)),
            expected=", ".join(sorted(known)),
        )
    # reports are JSON
    given = [name for name in FILES if options.get(name) is not None]
    options |= {name: _file(options[name]) for name in given}
    options = {
        name: _plain(name, value)
        for name, value in options.items()
        if not (value is None and ABOUT[name].unset)
    }
    settings = Options(**options)
    _check_texts(settings)
    check_kind(settings.align)
    freedoms_of(settings.align_dof)
    _check_choices(settings)
    _check_values(settings)
    return settings


def check_uncalibrated(settings: Options, what: str) -> None:
    """Refuse flat field, dark frame and hot pixels of what is not read from photographs' files.

    Args:
        settings: how to fuse.
        what: is fused, in the plural.

    Raises:
        UsageError: one of them is asked for.
    """
    given = [name for name in CALIBRATIONS if getattr(settings, name) != FIELDS[name].default]
    if given:
        raise UsageError(
            f"{what} are taken as they are",
            where=", ".join(given),
            expected="photographs in files",
            remedy="leave it out" if len(given) == 1 else "leave them out",
        )


def _check_texts(settings: Options) -> None:
    """Refuse whatever a program gives in place of a word or a name."""
    for name, about in ABOUT.items():
        value = getattr(settings, name)
        if about.kind == "text" and not isinstance(value, str):
            expected = " or ".join(about.choices) if about.choices else "text"
            raise _cannot_be(name, expected, schema.said(value))


def _check_choices(settings: Options) -> None:
    for name, about in ABOUT.items():
        if about.choices and getattr(settings, name) not in about.choices:
            raise UsageError(
                f"unknown value of {name}",
                where=name,
                expected=" or ".join(about.choices),
                got=str(getattr(settings, name)),
            )


def _check_values(settings: Options) -> None:
    """Refuse values that no run can have, whoever sets them: a shell, a manifest, a program."""
    for name, about in ABOUT.items():
        if about.kind == "truth" and not isinstance(getattr(settings, name), bool):
            raise _cannot_be(name, "true or false", getattr(settings, name))
    if not str(settings.system).strip():
        raise _cannot_be("system", "a name of `panfocus systems`, or a folder", settings.system)
    for name in FILES:
        file: str | None = getattr(settings, name)
        if file is not None and not file.strip():
            raise _cannot_be(name, "a file", file)
    if not is_reference(settings.reference):
        raise _cannot_be("reference", "middle, first, last, or a number from 0", settings.reference)
    if not is_length(settings.z_step_um) and settings.z_step_um is not None:
        raise _cannot_be("z_step_um", "micrometres above 0, up to 1e9", settings.z_step_um)
    if settings.threads is not None and not is_thread_count(settings.threads):
        raise _cannot_be("threads", f"1 to {MOST_THREADS}", settings.threads)
    parse_size(settings.max_memory)


def _cannot_be(name: str, expected: str, got: object) -> UsageError:
    text = str(got) if isinstance(got, (str, int, float)) else schema.said(got)
    return UsageError(
        f"this cannot be a value of {name}",
        where=name,
        expected=expected,
        got=text if text.strip() else "nothing",
        remedy=None if text.strip() else "check the variable that it came from",
    )


def is_length(value: object) -> bool:
    """Whether this is a length in micrometres, from a picometre to a kilometre."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return 1e-6 <= value <= 1e9
