"""How to train and how to export: every option once, with its words and its bounds.

The fields of these classes are the flags of ``panfocus train`` and ``panfocus export``
(`panfocus.cli.training` derives them), and what a program hands to `panfocus.train.drpl.training`,
`panfocus.train.dualpath.training` and `panfocus.train.packing`.

Light: nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from panfocus.errors import UsageError
from panfocus.train.flags import flag

NumberFormat = Literal["auto", "float32", "bfloat16"]
TrainingDevice = Literal["auto", "cpu", "cuda"]


def _data(text: str) -> Any:  # noqa: ANN401  a field of any type
    read = f"{text} Any format that `panfocus fuse` reads. May be repeated."
    return flag(MISSING, "data", read, "--data", "-d", metavar="DIR")


#: Learning rates, and factors of the batch size.
_RATES, _MOST_FACTOR = (1e-12, 10.0), 1024
#: A year.
_MOST_MINUTES = 366 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What training any system takes; fields as their flags say."""

    data: tuple[Path, ...] = _data("Folder with training material.")
    out: Path = flag(
        MISSING,
        "output",
        "Folder for the checkpoint, the log, sample pictures and the exported system.",
        "--out",
        "-o",
        metavar="DIR",
    )
    recipe: str | None = flag(None, "recipe", "Name of the recipe.", metavar="NAME")
    init: str | None = flag(
        None,
        "recipe",
        "Start from trained weights instead of random ones: `bundled`, or the folder of a system.",
        metavar="SYSTEM",
    )
    changes: tuple[str, ...] = flag(
        (),
        "recipe",
        "Change one value of the recipe, named as in run.json: odds.lights=0.2. May be repeated.",
        "--set",
        metavar="KEY=VALUE",
    )
    plugins: tuple[Path, ...] = flag(
        (),
        "recipe",
        "Run a Python file of yours that registers data, losses or steps (docs/extending.md). "
        "May be repeated.",
        "--plugin",
        metavar="FILE",
    )
    minutes: float | None = flag(None, "duration", "Stop after so many minutes of training.")
    steps: int | None = flag(
        None, "duration", "Stop after so many steps; the result then depends on the seed alone."
    )
    resume: bool = flag(False, "duration", "Continue from the checkpoint in --out.")
    seed: int = flag(0, "duration", "Seed of the initial weights and of all samples.")
    threads: int | None = flag(None, "machine", "Processors to use; all if not given.")
    precision: str = flag(
        "auto",
        "machine",
        "Number format of the computation; auto takes the faster one on this machine.",
        choices=get_args(NumberFormat),
    )
    device: str = flag(
        "auto",
        "machine",
        "Where to train; auto takes a graphics card if torch finds one.",
        choices=get_args(TrainingDevice),
    )
    loaders: int = flag(
        0,
        "machine",
        "Number of processes that prepare batches; 0 prepares them in a thread.",
        least=0,
    )
    batch_factor: int = flag(
        1,
        "machine",
        "Multiply the batch size, for a graphics card; the learning rate grows by the square root.",
        least=1,
    )

    def check(self) -> None:
        """Refuse what no training can be.

        Raises:
            UsageError: no duration or two, numbers that cannot be, or an unknown number format or
                device.
        """
        self._check_numbers()
        if (self.minutes is None) == (self.steps is None):
            raise UsageError(
                "say how long to train", expected="--minutes or --steps, one of the two"
            )
        for name, value, known in (
            ("precision", self.precision, get_args(NumberFormat)),
            ("device", self.device, get_args(TrainingDevice)),
        ):
            if value not in known:
                raise UsageError(f"unknown {name}", expected=", ".join(known), got=value)

    def _check_numbers(self) -> None:
        for name, value, least, most, said in (
            ("minutes", self.minutes, 0.0, _MOST_MINUTES, "minutes above 0, at most a year"),
            ("steps", self.steps, 1, 10**9, "a whole number from 1 to a billion"),
            ("threads", self.threads, 1, 4096, "a whole number from 1 to 4096"),
            ("seed", self.seed, 0, 2**32 - 1, "a whole number from 0 to 4294967295"),
            ("loaders", self.loaders, 0, 1024, "a whole number from 0 to 1024"),
            (
                "batch_factor",
                self.batch_factor,
                1,
                _MOST_FACTOR,
                f"a number from 1 to {_MOST_FACTOR}",
            ),
        ):
            # no number is none of these: training would go on for ever
            fits = value is None or least <= value <= most
            if not fits or (name == "minutes" and value == 0):
                raise UsageError(
                    f"this cannot be {name}", where=name, expected=said, got=f"{value}"
                )


@dataclass(frozen=True, kw_only=True)
class DrplOptions(TrainingOptions):
    """What training DRPL takes."""

    data: tuple[Path, ...] = _data("Folder of sharp pictures.")
    masks: tuple[Path, ...] = flag(
        (),
        "data",
        "Folder of binary masks or alpha mattes, for the shapes of made foregrounds; procedural "
        "shapes are used as well. May be repeated.",
        metavar="DIR",
    )
    recipe: str = flag(
        "better",
        "recipe",
        "better: the published network with a loss on the fused picture and varied pairs; "
        "published: as in the paper; small: a small network that learns from a trained one.",
        metavar="NAME",
    )
    teacher: str | None = flag(
        None,
        "recipe",
        "Whose maps the small network learns from: `drpl` (the default), or the folder of a "
        "system.",
        metavar="SYSTEM",
    )


@dataclass(frozen=True, kw_only=True)
class DualPathOptions(TrainingOptions):
    """What training Dual-Path takes."""

    data: tuple[Path, ...] = _data("Folder of pairs (A/ and B/), focal stacks or volumes.")
    recipe: str | None = flag(
        None,
        "recipe",
        "dualpath (the default), or paper: the reconstruction of the paper with nothing added.",
        metavar="NAME",
    )
    recipe_file: Path | None = flag(
        None,
        "recipe",
        "Take the recipe from a run.json or card.json instead of --recipe.",
        "--config",
        metavar="FILE",
    )
    grow: bool = flag(
        False,
        "recipe",
        "Start the recipe's larger networks from the smaller ones of --init.",
        "--grow",
    )
    rate: float | None = flag(None, "recipe", "Peak learning rate; the recipe's own if not given.")
    validate: bool = flag(
        True,
        "data",
        "Hold out one scene in five, and export the weights that do best on the held-out scenes.",
    )
    align: bool = flag(
        True,
        "data",
        "Align frames that do not lie on each other, as `panfocus fuse --align` does.",
    )
    dry_run: bool = flag(
        False,
        "output",
        "List what would be trained on, and what would be left out and why; then stop.",
        "--dry-run",
    )

    def _check_numbers(self) -> None:
        super()._check_numbers()
        least, most = _RATES
        if self.rate is not None and not least <= self.rate <= most:
            raise UsageError(
                "this cannot be rate",
                where="rate",
                expected=f"a number from {least:g} to {most:g}",
                got=f"{self.rate}",
            )


@dataclass(frozen=True, kw_only=True)
class AveragingOptions:
    """What averaging runs takes."""

    parts: tuple[str, ...] = flag(
        MISSING,
        "data",
        "Folder of a run and the share of its weights. Repeat it for every run.",
        "--part",
        metavar="RUN=SHARE",
    )
    out: Path = flag(MISSING, "output", "Folder of the averaged run.", "--out", "-o", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What exporting a run takes.

    Attributes:
        run: folder of a training run.
    """

    run: Path
    out: Path = flag(
        MISSING, "output", "Folder of the system to write.", "--out", "-o", metavar="DIR"
    )
    overwrite: bool = flag(False, "output", "Replace a system that exists there.", "--overwrite")
    data: str = flag(
        "not told",
        "card",
        "What the system was trained on and under which terms, for its card.",
        metavar="TEXT",
    )
    scores: tuple[str, ...] = flag(
        (), "card", "A score to write on the card. May be repeated.", "--score",
        metavar="NAME=NUMBER",
    )  # fmt: skip
    depth: int | None = flag(
        None, "dualpath", "Number of unrolled steps that run; all if not given.", least=1
    )
    picture: bool = flag(
        False,
        "dualpath",
        "Let the system answer with the fuser's own picture instead of weights.",
        "--picture",
    )
    sharpen: float = flag(
        1.0, "dualpath", "Exponent of the final weights over the frames; above 1 decides harder."
    )
    eight_bit: tuple[Path, ...] = flag(
        (),
        "dualpath",
        "Compute in 8 bits, which is faster; ranges are measured on the pairs or stacks in this "
        "folder, for example those of the training. May be repeated.",
        metavar="DIR",
    )
    restorer: bool = flag(
        True, "dualpath", "Also write the network that `panfocus fuse --mode restore` needs."
    )
    plugins: tuple[Path, ...] = flag(
        (),
        "output",
        "Run a Python file of yours that registers the run's steps (docs/extending.md). May be "
        "repeated.",
        "--plugin",
        metavar="FILE",
    )
