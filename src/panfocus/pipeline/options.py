"""How to fuse: the options of `panfocus fuse` and of `panfocus.fuse`, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, cast

import numpy as np

from panfocus.errors import UsageError
from panfocus.fusion.modes import Mode
from panfocus.registration.options import check_kind, is_reference
from panfocus.resources.memory import parse_size
from panfocus.systems import DEFAULT_SYSTEM
from panfocus.systems.devices import NAMES as DEVICES

BitDepth = Literal["same", "8", "16"]
Void = Literal["smooth", "off"]
RawTone = Literal["srgb", "linear"]
GuardOption = Literal["auto", "off"]
AlignTo = Literal["neighbour", "reference"]
Exposure = Literal["auto", "none"]
Prefer = Literal["none", "near", "far"]
Order = Literal["near-first", "far-first"]

#: More threads than any machine has; OpenCV counts them in 32 bits.
MOST_THREADS = 4096


@dataclass(frozen=True)
class Settings:
    """How to fuse; every field is an option of `panfocus fuse` by the same name.

    Attributes:
        system: name of a system or folder of an exported one.
        align: kind of registration, see `panfocus.registration.options.KINDS`.
        align_to: "neighbour" chains steps between neighbours; "reference" compares every frame
            with the reference.
        exposure: "auto" matches brightness and white balance where frames differ in them.
        keep_size: whether aligned frames stay as large as they are; else they are cropped to
            what all of them show.
        load_transforms: a file of transforms to use in place of estimating any.
        reference: "middle", "first", "last" or a frame's number from 0: whose geometry,
            brightness and metadata are kept.
        mode: "blend" mixes at boundaries; "select" copies native pixels only; "restore"
            blends, and adds the detail that defocus has taken from all frames
            (`panfocus.fusion.restoration`); "best-plane" takes the one frame of highest
            sharpness, whole.
        bit_depth: "same", "8" or "16".
        max_memory: "auto" (70 % of what is free) or a size such as "2GiB".
        threads: None for all cores.
        maps: whether index, depth and confidence are made.
        z_step_um: distance between frames in micrometres; makes depth a length.
        cull: leave out frames that are wholly blurred, duplicates, or differently exposed; the
            stack is read twice.
        prefer: which of two depths that are both in focus, as of something see-through, is taken:
            "near", "far", or "none" for the sharper.
        order: of the frames, "near-first" or "far-first".
        void: "smooth" averages frames where only noise tells them apart; "off" picks one.
        raw_tone: of camera RAWs: "srgb", or "linear" for light as measured.
        lenient: whether to go on, with a warning, where a JPEG is damaged inside or a Zarr lacks
            a plane; else it is an error.
        guard: "auto" leaves out frames that show nothing and mends what a network loses (see
            `panfocus.guard`); "off" takes all frames and the system as it is.
        device: where networks run: "auto" for the best that is there and works, "cpu", or the
            name of an accelerator (`panfocus devices`), which then must be had.
    """

    system: str = DEFAULT_SYSTEM
    align: str = "none"
    align_to: AlignTo = "neighbour"
    exposure: Exposure = "auto"
    keep_size: bool = False
    load_transforms: str | None = None
    reference: str = "middle"
    mode: Mode = "blend"
    bit_depth: BitDepth = "same"
    max_memory: str = "auto"
    threads: int | None = None
    maps: bool = True
    z_step_um: float | None = None
    cull: bool = False
    prefer: Prefer = "none"
    order: Order = "near-first"
    void: Void = "smooth"
    raw_tone: RawTone = "srgb"
    lenient: bool = False
    guard: GuardOption = "auto"
    device: str = "auto"


#: Names of the settings that are either true or false.
TRUTHS = tuple(f.name for f in fields(Settings) if isinstance(f.default, bool))


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401  whatever was given
    """Return numbers of NumPy as Python's, which JSON knows, and a reference as text."""
    if isinstance(value, np.generic):
        value = cast("Any", value).item()
    if name == "reference" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def make_settings(**options: Any) -> Settings:  # noqa: ANN401  checked here
    """Return checked settings.

    Raises:
        UsageError: unknown option or value.
    """
    known = set(Settings.__dataclass_fields__)
    unknown = set(options) - known
    if unknown:
        raise UsageError(
            "unknown option",
            got=", ".join(sorted(unknown)),
            expected=", ".join(sorted(known)),
        )
    if options.get("load_transforms") is not None:
        options["load_transforms"] = str(options["load_transforms"])  # reports are JSON
    options = {name: _plain(name, value) for name, value in options.items()}
    settings = Settings(**options)
    check_kind(settings.align)
    choices = {
        "mode": ("blend", "select", "restore", "best-plane"),
        "bit_depth": ("same", "8", "16"),
        "void": ("smooth", "off"),
        "raw_tone": ("srgb", "linear"),
        "align_to": ("neighbour", "reference"),
        "exposure": ("auto", "none"),
        "prefer": ("none", "near", "far"),
        "order": ("near-first", "far-first"),
        "guard": ("auto", "off"),
        "device": DEVICES,
    }
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            raise UsageError(
                f"unknown value of {name}",
                where=f"--{name.replace('_', '-')}",
                expected=" or ".join(allowed),
                got=str(getattr(settings, name)),
            )
    _check_values(settings)
    return settings


def _option(name: str) -> str:
    return "--z-step" if name == "z_step_um" else f"--{name.replace('_', '-')}"


def _check_values(settings: Settings) -> None:
    """Refuse values that no run can have, whoever sets them: a shell, a manifest, a program."""
    for name in TRUTHS:
        if not isinstance(getattr(settings, name), bool):
            raise _cannot_be(name, "true or false", getattr(settings, name))
    if not str(settings.system).strip():
        raise _cannot_be("system", "a name of `panfocus systems`, or a folder", settings.system)
    if settings.load_transforms is not None and not settings.load_transforms.strip():
        raise _cannot_be("load_transforms", "a file", settings.load_transforms)
    if not is_reference(settings.reference):
        raise _cannot_be("reference", "middle, first, last, or a number from 0", settings.reference)
    if not is_length(settings.z_step_um) and settings.z_step_um is not None:
        raise _cannot_be("z_step_um", "micrometres above 0, up to 1e9", settings.z_step_um)
    if settings.threads is not None and not _is_count(settings.threads):
        raise _cannot_be("threads", f"1 to {MOST_THREADS}", settings.threads)
    parse_size(settings.max_memory)


def _cannot_be(name: str, expected: str, got: object) -> UsageError:
    text = str(got)
    return UsageError(
        f"this cannot be a value of {name}",
        where=_option(name),
        expected=expected,
        got=text if text.strip() else "nothing",
        remedy=None if text.strip() else "check the variable that it came from",
    )


def is_length(value: object) -> bool:
    """Whether this is a length in micrometres, from a picometre to a kilometre."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return 1e-6 <= value <= 1e9


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_THREADS
