"""What one frame is: its metadata, what its header says, and its pixels."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.frozen import frozen

if TYPE_CHECKING:
    from panfocus.io.calibration import Calibration

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Format = Literal[
    "JPEG", "PNG", "TIFF", "WebP", "HEIC", "camera RAW", "AVIF", "JPEG XL", "JPEG 2000", "BMP",
    "GIF", "TGA", "PNM", "PSD", "OpenEXR", "HDR", "PFM", "video",
]  # fmt: skip
Tone = Literal["srgb", "linear"]
Depth = Literal["uint8", "uint16"]

#: What codecs and parsers raise on damaged data, besides OSErrors. imagecodecs' errors are
#: RuntimeErrors; the others come from parsing numbers that are not there. MemoryError: a damaged
#: header asks for any size.
DAMAGE = (
    RuntimeError, ValueError, TypeError, LookupError, EOFError, OverflowError,
    struct.error, zlib.error, MemoryError, AttributeError, ImportError,
    SyntaxError,  # Pillow's
)  # fmt: skip


class KindError(ValueError):
    """A file is sound, but holds what is not read.

    Args:
        got: what it holds.
        remedy: what its owner can do about it.
        expected: what is read instead; None for all formats and colours.
    """

    def __init__(self, got: str, remedy: str, expected: str | None = None) -> None:
        super().__init__(got)
        self.remedy = remedy
        self.expected = expected


class DamageError(ValueError):
    """A file is damaged; a lenient reader makes something of it all the same."""


@frozen
class Develop:
    """How a camera RAW becomes a picture; one for all frames of a stack.

    Args:
        balance: multipliers of red, green, blue and second green.
        tone: "srgb" for pictures to look at, "linear" for light as measured.
    """

    balance: tuple[float, float, float, float]
    tone: Tone = "srgb"


@frozen
class Span:
    """The numbers that are read as 0 and 65535, of a file whose own fill neither 8 nor 16 bits."""

    low: float
    high: float


@frozen
class FrameInfo:
    """What the header of one frame says, read without decoding any pixel.

    Args:
        name: short name for messages: the file's name, with its page where there are several.
        path: the file.
        page: which page of a multi-page TIFF, from 0; 0 for all other files.
        height: rows after Orientation is applied.
        width: columns after Orientation is applied.
        channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha.
        dtype: of the pixels that ``read_frame`` gives.
        has_alpha: whether the last channel is alpha.
        icc_digest: sha256 of what the ICC profile says of colours, None without one.
        format: by content, whatever the extension says.
        orientation: the EXIF orientation that ``read_frame`` will apply.
        notes: what the user should know about how this frame is read.
        develop: of a camera RAW; None for its own white balance.
        tag: the EXIF orientation by which the file asks to be turned, whoever does it.
        turn_as: orientation that ``read_frame`` applies in its place; None for `tag`.
        numbers: what the file holds where that is neither 8 nor 16 bits, such as "floating point".
        span: of such numbers, what becomes 0 and 65535; None for what the frame itself holds.
        lenient: whether ``read_frame`` goes on where a JPEG is damaged, and says so.
        calibration: what ``read_frame`` takes away of the sensor's and the light's own.
        file_frames: how many frames its file has.
    """

    name: str
    path: Path
    page: int
    height: int
    width: int
    channels: int
    dtype: Depth
    has_alpha: bool
    icc_digest: str | None
    format: Format
    orientation: int = 1
    notes: tuple[str, ...] = ()
    develop: Develop | None = None
    tag: int = 1
    turn_as: int | None = None
    numbers: str = ""
    span: Span | None = None
    lenient: bool = False
    calibration: Calibration | None = None
    file_frames: int = 1

    @property
    def where(self) -> str:
        """Its place for messages: as `name`, with the folders."""
        return str(self.path.parent / self.name)


@frozen
class Header:
    """What a format's module reads from a file before any decoding (internal to ``io``).

    ``height`` and ``width`` are those of the stored pixels, before Orientation; ``turned`` is the
    orientation that the decoder has applied already.
    """

    height: int
    width: int
    channels: int
    dtype: Depth
    metadata: Metadata
    orientation: int = 1
    notes: tuple[str, ...] = ()
    turned: int = 1
    numbers: str = ""
    span: Span | None = None

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.channels in (2, 4)

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the pixels take."""
        return self.height * self.width * self.channels * (2 if self.dtype == "uint16" else 1)


#: How codecs tell of what is sound and not known to them.
_UNREAD = re.compile(
    r"not (?:supported|implemented|available|known)|unsupported|unknown compression|"
    r"requires the|could not import|missing codec",
    re.IGNORECASE,
)


def told_by(error: BaseException) -> str:
    """Return what an error tells of the file; Python's own words tell nothing of it."""
    own = (UnicodeError, AttributeError, TypeError, LookupError, OverflowError, RecursionError)
    return "a structure that is none" if isinstance(error, own) else str(error) or "damage"


def is_unread(error: BaseException) -> bool:
    """Whether an error tells of what is sound, and of a kind that no codec here knows."""
    is_kind = isinstance(error, (NotImplementedError, ImportError))
    return is_kind or _UNREAD.search(str(error)) is not None
