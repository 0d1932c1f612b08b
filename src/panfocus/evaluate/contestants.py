"""What is compared: systems that fuse, and folders of pictures that others have fused."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from panfocus.arrays.types import Pixels
from panfocus.errors import DataError, InputError, PanfocusError, UsageError
from panfocus.evaluate.matching import match_results
from panfocus.evaluate.own import is_address, own_system
from panfocus.evaluate.pictures import find_result, opaque, read_picture
from panfocus.evaluate.samples import ScoredSample
from panfocus.io.room import check_file
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.options import Banding, Spread
from panfocus.pipeline.plan import settings_files
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.sources import FileStack
from panfocus.resources.paths import is_file, is_folder
from panfocus.systems import Card, PictureSystem, System, label_of, load_system

#: Scores are of the systems as they are: no frame is left out, no decision mended.
GUARD = "off"


@dataclass(frozen=True)
class Fused:
    """A fused picture.

    Attributes:
        pixels: of it.
        seconds: that it took, reading included; None if others made it.
        frames: what it was fused from, where registration put it; None for the files as they are.
    """

    pixels: Pixels
    seconds: float | None
    frames: list[Pixels] | None = None


class Contestant(Protocol):
    """Gives a fused picture for each sample."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def identity(self, sample: ScoredSample) -> str:
        """Return a text that differs whenever its picture may differ."""
        ...

    def fused(self, sample: ScoredSample) -> Fused:
        """Return its picture."""
        ...

    def files(self, samples: Sequence[ScoredSample]) -> list[Path]:
        """Return the files that are read for these samples, besides their own."""
        ...


@dataclass(frozen=True)
class Fusing:
    """How systems fuse what is scored; see the options of `panfocus.fuse` by these names."""

    align: str = "none"
    device: str = "auto"
    banding: Banding = "mend"
    spread: Spread = "mend"


@dataclass(frozen=True)
class SystemContestant:
    """A system of panfocus, by name or folder; or one of the researcher's own, with its file."""

    name: str
    address: str
    card: Card
    how: Fusing = Fusing()
    own: System | PictureSystem | None = None
    source: Path | None = None

    @classmethod
    def load(cls, address: str, how: Fusing) -> SystemContestant:
        """Find a system; its name in tables is that of its folder or card.

        Raises:
            SystemError_: no such system.
        """
        if is_address(address):
            own, source = own_system(address)
            return cls(own.card.name, address, own.card, how, own, source)
        card = load_system(address, device=how.device).card
        name = label_of(address) if is_folder(Path(address)) else address
        return cls(name, address, card, how)

    def identity(self, sample: ScoredSample) -> str:
        """Return the card, which holds the hash of the weights, and how frames are fused."""
        # scores do not depend on what "auto" finds, but for last digits; the seconds do
        own = self.how
        device = "" if own.device == "auto" else f"device {own.device}\n"
        align = own.align if own.align == "none" else f"{own.align}, scored where frames lie"
        source = "" if self.source is None else f"source {file_hash(self.source)}\n"
        how = f"align {align}\nguard {GUARD}\nbanding {own.banding}\nspread {own.spread}\n"
        return f"{how}{device}{source}{self.card.to_json()}"

    def fused(self, sample: ScoredSample) -> Fused:
        """Fuse; a system is loaded anew each time, so that a failure leaves nothing behind."""
        system = self.own or load_system(self.address, device=self.how.device)
        begin = time.perf_counter()
        fusion = fuse(
            sample.frames,
            system=system,
            align=self.how.align,
            keep_size=True,
            maps=False,
            guard=GUARD,
            banding=self.how.banding,
            spread=self.how.spread,
            device=self.how.device,
        )
        seconds = time.perf_counter() - begin
        in_place = None if self.how.align == "none" else _frames_of(fusion)
        return Fused(opaque(fusion.image), seconds, in_place)

    def files(self, samples: Sequence[ScoredSample]) -> list[Path]:
        """Return the files of a system of the user's own."""
        if self.own is not None:
            return [] if self.source is None else [self.source]
        return settings_files(make_settings(system=self.address))


def _frames_of(fusion: FusedPicture) -> list[Pixels]:
    """Return the frames where a fused picture of files has them: scores compare it with those."""
    assert fusion.plan is not None
    assert fusion.registration is not None
    frames = enumerate(FileStack(fusion.plan.infos).frames())
    return [opaque(fusion.registration.place(n, frame).pixels) for n, frame in frames]


@dataclass(frozen=True)
class ResultsContestant:
    """A folder, or a list, of fused pictures."""

    name: str
    folder: Path
    found: Mapping[str, Path] = field(default_factory=dict[str, Path])

    @classmethod
    def parse(cls, text: str) -> ResultsContestant:
        """Read ``NAME=DIR``.

        Raises:
            UsageError: not of this form.
            DataError: no such folder.
        """
        name, _, folder = text.partition("=")
        if not name or not folder:
            raise UsageError(
                "results are given by a name and a folder",
                where="results",
                expected="NAME=DIR, or NAME=LIST.csv",
                got=text,
            )
        if not is_folder(Path(folder)) and not is_file(Path(folder)):
            raise DataError("there is no such folder of results", where=folder)
        return cls(name, Path(folder))

    def matched(self, samples: Sequence[ScoredSample]) -> tuple[ResultsContestant, str | None]:
        """Return the same with the samples' pictures found, and a note where that was doubtful.

        Raises:
            DataError: a list that is none.
        """
        found = match_results(self.folder, [sample.name for sample in samples])
        return replace(self, found=found.files), found.note

    def identity(self, sample: ScoredSample) -> str:
        """Return the hash of the picture."""
        return file_hash(self._path(sample))

    def fused(self, sample: ScoredSample) -> Fused:
        """Read the picture."""
        return Fused(read_picture(self._path(sample)), None)

    def _path(self, sample: ScoredSample) -> Path:
        if sample.name in self.found or is_folder(self.folder):
            return self.found.get(sample.name) or find_result(self.folder, sample.name)
        raise DataError(
            "the list of results lacks this sample", where=str(self.folder), expected=sample.name
        )

    def files(self, samples: Sequence[ScoredSample]) -> list[Path]:
        """Return the pictures that are there."""
        found: list[Path] = []
        for sample in samples:
            with suppress(PanfocusError):  # told when its turn comes
                found.append(self._path(sample))
        return found


def gather(
    systems: Sequence[str],
    results: Sequence[str],
    how: Fusing,
) -> list[Contestant]:
    """Return the contestants in the order given.

    Raises:
        UsageError: an unknown kind of alignment, device or mending; no contestant, two of one
            name, or a name that is no name for a folder.
        DataError, SystemError_: not to be found.
    """
    make_settings(**asdict(how))  # an unknown kind is refused once, not for every image
    out: list[Contestant] = [SystemContestant.load(address, how) for address in systems]
    out += [ResultsContestant.parse(text) for text in results]
    names = [one.name for one in out]
    if not names:
        raise UsageError(
            "there is nothing to compare",
            where="systems, results",
            expected="at least one system, or one folder of results",
            got="none",
            remedy='name some, for example `systems="dualpath,guided"`',
        )
    if len(set(names)) < len(names) or any("/" in n or n.startswith(".") for n in names):
        raise UsageError(
            "the systems and results to compare need names of their own",
            where="systems, results",
            expected="every name once, none with a slash or a leading dot",
            got=", ".join(names),
            remedy="a system in a folder is called as the folder is: rename one of them",
        )
    return out


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            check_file(os.fstat(file.fileno()).st_size)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise InputError(
            "a file cannot be opened",
            where=str(path),
            got=getattr(error, "strerror", None) or str(error),
            remedy="check that the file is there and readable, and run again",
        ) from error
