"""How to fuse: every option once, with its words and its bounds.

From the fields of `Options` come the flags of ``panfocus fuse`` and ``panfocus batch``
(`panfocus.cli.options`), the options of a manifest's row (`from_text`), the keyword arguments of
`panfocus.fuse` (`panfocus.pipeline.chosen`) and the settings in a report. A new option is one field
here, one key there, and the code that heeds it.

Light: the command line imports it at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any, Literal, get_args

from panfocus.fusion.modes import Mode
from panfocus.pipeline.about import ABOUT_KEY, About, option
from panfocus.registration.options import FREEDOMS, KINDS
from panfocus.systems.devices import DEFAULT_SYSTEM
from panfocus.systems.devices import NAMES as DEVICES

BitDepth = Literal["same", "8", "16"]
Void = Literal["smooth", "average", "off"]
Banding = Literal["mend", "off"]
Spread = Literal["mend", "off"]
WorkingScale = Literal["auto", "full"]
RawTone = Literal["srgb", "linear"]
GuardOption = Literal["auto", "off"]
AlignTo = Literal["neighbour", "reference"]
Exposure = Literal["auto", "none"]
Prefer = Literal["none", "near", "far"]
Order = Literal["near-first", "far-first"]
HotPixels = Literal["off", "auto"]
#: Kinds of maps.
MapKind = Literal["depth", "index", "confidence"]
MAP_KINDS: tuple[MapKind, ...] = get_args(MapKind)


@dataclass(frozen=True)
class Options:
    """How to fuse; every field is an option of `panfocus fuse` by the same name.

    Attributes:
        system: name of a system or folder of an exported one.
        device: where networks run: "auto" for the best that is there and works, "cpu", or the
            name of an accelerator (`panfocus devices`), which then must be had.
        align: kind of registration, see `panfocus.registration.options.KINDS`.
        align_dof: what may change between frames, names of
            `panfocus.registration.options.FREEDOMS` by commas.
        align_to: "neighbour" fits steps between neighbours; "reference" fits those from the
            reference with them, at the price of a second look.
        reference: "middle", "first", "last" or a frame's number from 0: whose geometry,
            brightness and metadata are kept.
        exposure: "auto" matches brightness and white balance where frames differ in them.
        keep_size: whether aligned frames stay as large as they are; else they are cropped to
            what all of them show.
        load_transforms: a file of transforms to use in place of estimating any.
        mode: "blend" mixes at boundaries; "select" copies native pixels only; "restore"
            blends, and adds the detail that defocus has taken from all frames
            (`panfocus.fusion.restoration`); "best-plane" takes the one frame of highest
            sharpness, whole.
        banding: "mend" raises fine detail between two depths of focus, where even the sharpest
            frame is a little soft (`panfocus.fusion.banding`), in mode "blend"; "off" leaves it.
        spread: "mend" takes the light away that a near thing, out of focus, throws over what lies
            behind it (`panfocus.fusion.spread`), in mode "blend"; "off" leaves it.
        working_scale: "auto" decides pictures with more pixels than the system's card says
            (`working_pixels`) at a reduced scale; "full" decides all of them at full scale.
        void: "average" averages frames where only noise tells them apart; "smooth" also takes away
            the grain that is left where nothing else is to be seen, in mode "blend"
            (`panfocus.fusion.grain`); "off" picks one frame.
        guard: "auto" leaves out frames that show nothing and mends what a system loses (see
            `panfocus.guard`); "off" takes all frames and the system as it is.
        prefer: which of two depths that are both in focus, as of something see-through, is taken:
            "near", "far", or "none" for the sharper.
        order: of the frames, "near-first" or "far-first".
        cull: leave out frames that are wholly blurred, duplicates, differently exposed or
            of another scene; the stack is read twice.
        maps: whether index, depth and confidence are made.
        z_step_um: distance between frames in micrometres; makes depth a length.
        raw_tone: of camera RAWs: "srgb", or "linear" for light as measured.
        prefer_raw: whether a folder's camera RAWs are taken where other pictures lie beside them.
        flat_field: a picture of an empty, evenly lit field, or a folder of several: uneven light
            and dust are taken away by it (`panfocus.io.calibration`).
        dark: a picture with the lens covered, or a folder of several, which is taken away too.
        hot_pixels: "auto" mends pixels that stand out in every frame.
        lenient: whether to go on, with a warning, where a JPEG is damaged inside or a Zarr lacks
            a plane; else it is an error.
        bit_depth: "same", "8" or "16".
        max_memory: "auto" (70 % of what is free) or a size such as "2GiB".
        threads: None for all cores.
    """

    system: str = option(
        DEFAULT_SYSTEM,
        "decision",
        "What decides: a name of `panfocus systems`, or the folder of an exported system; for "
        "`panfocus fuse` several by commas, each with a picture of its own, and a sheet of all.",
        flags=("-s", "--system"),
    )
    device: str = option(
        "auto",
        "limits",
        "Where networks run; auto takes the best that is there and works.",
        choices=DEVICES,
    )
    align: str = option(
        "auto",
        "registration",
        f"How frames may move: {', '.join(KINDS[:-1])} or {KINDS[-1]}. auto moves only what is "
        "proven to be misaligned; local, besides, what parallax shifts within the picture.",
        unset="auto; none for a scientific stack",
    )
    align_dof: str = option(
        ",".join(FREEDOMS),
        "registration",
        "What may change between frames: some of shift, scale, rotate and shear, by commas.",
    )
    align_to: AlignTo = option(
        "neighbour",
        "registration",
        "Chain steps between neighbours, or compare every frame with the reference.",
        choices=get_args(AlignTo),
    )
    reference: str = option(
        "middle",
        "registration",
        "Frame whose geometry, brightness and metadata are kept: middle, first, last, or a "
        "number from 0.",
    )
    exposure: Exposure = option(
        "auto",
        "registration",
        "Match brightness and white balance of frames that differ in them.",
        choices=get_args(Exposure),
    )
    keep_size: bool = option(
        False,
        "registration",
        "Keep the size of aligned frames, or crop to what all of them show (default).",
        "truth",
        flags=("--keep-size/--crop",),
    )
    load_transforms: str | None = option(
        None,
        "registration",
        "Take where the frames lie from a file, such as that of another channel.",
        "file",
        metavar="F.json",
    )
    mode: Mode = option(
        "blend",
        "decision",
        "Blend at boundaries, select native pixels only, blend and restore detail (by a system "
        "trained to), or take the sharpest frame whole.",
        choices=get_args(Mode),
    )
    banding: Banding = option(
        "mend",
        "decision",
        "Where frames were focused so far apart that all of them are a little soft between two "
        "depths: raise the detail there, or leave it. Photographs of three frames or more.",
        choices=get_args(Banding),
        unset="mend; off for a scientific stack",
    )
    spread: Spread = option(
        "mend",
        "decision",
        "Where something in front, out of focus, throws its light over what lies behind: take that "
        "light away, or leave it. Photographs.",
        choices=get_args(Spread),
        unset="mend; off for a scientific stack",
    )
    working_scale: WorkingScale = option(
        "auto",
        "decision",
        "Decide large pictures at a reduced scale, or at full scale: finer edges, hairs and small "
        "lights in pictures that are sharp to the pixel, for several times the time.",
        choices=get_args(WorkingScale),
    )
    void: Void = option(
        "smooth",
        "decision",
        "Where only noise tells frames apart: average them and smooth the grain that is left, only "
        "average them, or pick one all the same.",
        choices=get_args(Void),
        unset="smooth; average for a scientific stack",
    )
    guard: GuardOption = option(
        "auto",
        "decision",
        "Leave out frames that show nothing, and mend what a system loses; or take all as it is.",
        choices=get_args(GuardOption),
    )
    prefer: Prefer = option(
        "none",
        "decision",
        "Where two depths are both in focus, as in something see-through, take this one.",
        choices=get_args(Prefer),
    )
    order: Order = option(
        "near-first",
        "input",
        "Whether the first frame is focused nearest to the camera, or farthest from it.",
        choices=get_args(Order),
    )
    cull: bool = option(
        False,
        "input",
        "Leave out blurred, duplicate and differently exposed frames; reads the stack twice.",
        "truth",
    )
    maps: bool = option(True, "maps", "Make index, depth and confidence.", "truth", flags=())
    z_step_um: float | None = option(
        None,
        "maps",
        "Micrometres between frames: makes depth a length.",
        "length",
        flags=("--z-step",),
    )
    raw_tone: RawTone = option(
        "srgb",
        "input",
        "Develop camera RAW for looking at, or keep light as measured.",
        choices=get_args(RawTone),
    )
    prefer_raw: bool = option(
        False, "input", "Of a folder with camera RAWs beside JPEGs, take the RAWs.", "truth"
    )
    flat_field: str | None = option(
        None,
        "input",
        "Take uneven light and dust away by a picture of an empty, evenly lit field, or a folder "
        "of several.",
        "file",
        metavar="F",
    )
    dark: str | None = option(
        None,
        "input",
        "Take away what the camera shows with its lens covered: a picture, or a folder of several.",
        "file",
        metavar="F",
    )
    hot_pixels: HotPixels = option(
        "off",
        "input",
        "Mend pixels that stand out in every frame.",
        choices=get_args(HotPixels),
    )
    lenient: bool = option(
        False,
        "input",
        "Go on, with a warning, where a JPEG is damaged inside or a Zarr lacks a plane.",
        "truth",
    )
    bit_depth: BitDepth = option(
        "same", "output", "Bits per channel of the result.", choices=get_args(BitDepth)
    )
    max_memory: str = option(
        "auto", "limits", "auto (70 % of what is free), or a size such as 2GiB."
    )
    threads: int | None = option(None, "limits", "Processors to use; all if not given.", "count")


#: Fields of `Options` by name.
FIELDS: Mapping[str, Field[Any]] = {f.name: f for f in fields(Options)}
#: What is told of each.
ABOUT: Mapping[str, About] = {name: f.metadata[ABOUT_KEY] for name, f in FIELDS.items()}


#: Options by which frames are calibrated as they are read.
CALIBRATIONS = ("flat_field", "dark", "hot_pixels")
#: Options whose values are files.
FILES = tuple(name for name, about in ABOUT.items() if about.kind == "file")


def with_files(options: Options, change: Callable[[str], str]) -> Options:
    """Return options with every file that they name changed."""
    named = {name: getattr(options, name) for name in FILES}
    changed = {name: change(file) for name, file in named.items() if file is not None}
    return replace(options, **changed)


def name_of(word: str) -> str:
    """Return the setting that a word without leading dashes means: its flag or its name."""
    plain = word.replace("_", "-")
    return next((n for n in FIELDS if flag_of(n) == f"--{plain}"), word.replace("-", "_"))


def flag_of(name: str) -> str:
    """Return the flag of an option on the command line, as manifests may spell it too."""
    flags = ABOUT[name].flags if name in ABOUT else None
    return flags[-1].partition("/")[0] if flags else f"--{name.replace('_', '-')}"
