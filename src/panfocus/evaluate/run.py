"""The evaluation itself: every contestant on every sample, resumable, one failure at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from panfocus._version import __version__
from panfocus.arrays.types import Pixels
from panfocus.errors import Cancelled, InputError, OutputError, PanfocusError
from panfocus.evaluate.contestants import Contestant, Fusing, ResultsContestant, file_hash, gather
from panfocus.evaluate.datasets import find_samples
from panfocus.evaluate.pictures import read_mask, read_picture, refuse_torn
from panfocus.evaluate.samples import Dataset, ScoredSample
from panfocus.evaluate.scores import Wanted, score
from panfocus.evaluate.store import NAME as SCORES
from panfocus.evaluate.store import Row, Store
from panfocus.io import Metadata, write_image
from panfocus.io.outputs import Inputs
from panfocus.pipeline.options import Banding, Spread
from panfocus.resources.paths import is_folder, is_there, listed

#: Files of the tables.
SUMMARY = ("summary.json", "summary.md", "summary.tex")
#: (done, of, what)
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class EvaluationOptions:
    """What to evaluate; every field is an option of `panfocus evaluate`.

    Attributes:
        data: folder of samples.
        out: folder of results.
        systems: names or folders of systems.
        results: ``NAME=DIR``, or ``NAME=LIST.csv``, of other people's fused pictures.
        align: kind of registration of the frames, as in `panfocus.fuse`.
        device: where networks run, as in `panfocus.fuse`.
        banding: as in `panfocus.fuse`; "off" scores blends of the frames alone.
        spread: as in `panfocus.fuse`; likewise, of pairs.
        metrics: names; None for all that fit.
        cut: pixels of border left out of the second PSNR.
        save_images: whether the fused pictures are kept in ``out/fused/<system>/``.
        plot_format: of plots: "png", "svg" or "pdf".
        overwrite: whether scores of other files, systems or settings make way; the old csv is
            kept under another name.
    """

    data: Path
    out: Path
    systems: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    align: str = "none"
    device: str = "auto"
    banding: Banding = "mend"
    spread: Spread = "mend"
    metrics: tuple[str, ...] | None = None
    cut: int = 4
    save_images: bool = False
    plot_format: Literal["png", "svg", "pdf"] = "png"
    overwrite: bool = False


@dataclass(frozen=True)
class Failure:
    """A picture that could not be scored."""

    image: str
    system: str
    reason: str


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        dataset: what was found.
        contestants: in the order of tables.
        columns: names of all scores.
        rows: of this run's samples and contestants, scored now or before.
        failures: what could not be scored; systems are ``*`` where the sample is unfit for all.
        kept: how many rows were there already.
        notes: for the user.
    """

    dataset: Dataset
    contestants: list[Contestant]
    columns: list[str]
    rows: list[Row] = field(default_factory=list[Row])
    failures: list[Failure] = field(default_factory=list[Failure])
    kept: int = 0
    notes: list[str] = field(default_factory=list[str])

    @property
    def systems(self) -> list[str]:
        """Names of the contestants."""
        return [one.name for one in self.contestants]


@dataclass(frozen=True)
class _Job:
    """One sample before one contestant; `key` is what its scores depend on."""

    sample: ScoredSample
    contestant: Contestant
    key: str


def evaluate(options: EvaluationOptions, tell: Tell | None = None) -> Outcome:
    """Score every contestant on every sample and keep `scores.csv` up to date.

    Args:
        options: what and where.
        tell: called before every picture.

    Raises:
        UsageError, DataError, SystemError_: nothing can be scored as asked.
        OutputError: the folder holds scores of something else, or cannot be written.
    """
    wanted = Wanted(options.metrics, options.cut)
    how = Fusing(options.align, options.device, options.banding, options.spread)
    contestants = gather(options.systems, options.results, how)
    dataset = find_samples(options.data)
    contestants, matched = _matched(contestants, dataset.samples)
    has_truth = any(s.truth is not None for s in dataset.samples)
    wanted.check(sorted({len(s.frames) for s in dataset.samples}), has_truth=has_truth)
    _check_apart(options, dataset, contestants)
    out = Outcome(dataset, contestants, wanted.columns())
    out.failures += [Failure(name, "*", why) for name, why in dataset.problems]
    out.notes += [*dataset.notes, *matched]
    store = Store.open(options.out, out.columns)
    jobs = _jobs(out, wanted)
    _make_way(options, store, jobs, out)
    open_jobs = [job for job in jobs if not _is_done(options, store, job)]
    out.kept = len(jobs) - len(open_jobs)
    for number, job in enumerate(open_jobs):
        if tell is not None:
            tell(number, len(open_jobs), f"{job.contestant.name}: {job.sample.name}")
        _do(options, wanted, store, job, out)
    done = (store.rows.get((job.sample.name, job.contestant.name)) for job in jobs)
    out.rows = [row for row in done if row is not None]
    return out


def _matched(
    contestants: Sequence[Contestant], samples: Sequence[ScoredSample]
) -> tuple[list[Contestant], list[str]]:
    """Return the contestants, with others' pictures found for the samples, and notes."""
    out: list[Contestant] = []
    notes: list[str] = []
    for each in contestants:
        one = each
        if isinstance(each, ResultsContestant):
            one, note = each.matched(samples)
            notes += [] if note is None else [f"{each.name}: {note}"]
        out.append(one)
    return out, notes


def _check_apart(
    options: EvaluationOptions, dataset: Dataset, contestants: Sequence[Contestant]
) -> None:
    """Refuse a folder of results in which something would replace what is read.

    Raises:
        OutputError: it would.
    """
    samples = dataset.samples
    read = [path for sample in samples for path in sample.files]
    read += [path for one in contestants for path in one.files(samples)]
    written = [options.out / name for name in (SCORES, *SUMMARY, "worst.png")]
    plots = options.out / "plots"
    written += listed(plots) if is_folder(plots) else []
    if options.save_images:
        written += [image_path(options.out, one, s) for one in contestants for s in samples]
    there = [path for path in written if os.path.lexists(path)]
    known = Inputs(read if there else (), in_depth=False)
    for path in there:
        known.check("out", path)


def _jobs(out: Outcome, wanted: Wanted) -> list[_Job]:
    """Pair samples with contestants; a picture that is missing is noted as a failure."""
    settings = json.dumps([__version__, wanted.metrics, wanted.cut])
    jobs: list[_Job] = []
    for sample in out.dataset.samples:
        try:
            # hashes of contents, not times: a copied data set resumes as well
            content = [file_hash(path) for path in sample.files]
        except InputError as error:
            out.failures.append(Failure(sample.name, "*", error.text()))
            continue
        for contestant in out.contestants:
            try:
                facts = [settings, *content, contestant.identity(sample)]
            except PanfocusError as error:
                out.failures.append(Failure(sample.name, contestant.name, error.text()))
                continue
            key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
            jobs.append(_Job(sample, contestant, key))
    return jobs


def _make_way(options: EvaluationOptions, store: Store, jobs: Sequence[_Job], out: Outcome) -> None:
    """Never let new scores replace others unasked.

    Raises:
        OutputError: they would.
    """
    stale = [job for job in jobs if _is_stale(store, job)]
    if options.overwrite:
        kept = store.set_aside()
        out.notes += [] if kept is None else [f"earlier scores are kept as {kept}"]
    elif stale:
        first = stale[0]
        raise OutputError(
            "the output folder holds scores of other files, systems or settings",
            where=str(options.out),
            expected="scores of the same, which are resumed, or none",
            got=f"{len(stale)} that differ, first {first.contestant.name} on {first.sample.name}",
            remedy="choose another `out`, or `overwrite=True`: the old scores are kept as a copy",
        )


def _is_stale(store: Store, job: _Job) -> bool:
    row = store.rows.get((job.sample.name, job.contestant.name))
    return row is not None and row.key != job.key


def _is_done(options: EvaluationOptions, store: Store, job: _Job) -> bool:
    if (job.sample.name, job.contestant.name) not in store.rows:
        return False
    return not options.save_images or is_there(image_path(options.out, job.contestant, job.sample))


def image_path(out: Path, contestant: Contestant, sample: ScoredSample) -> Path:
    """Return where a fused picture is kept."""
    return out / "fused" / contestant.name / f"{sample.name}.png"


def _do(options: EvaluationOptions, wanted: Wanted, store: Store, job: _Job, out: Outcome) -> None:
    """Score one picture; whatever is wrong with it is noted."""
    try:
        row, picture = _score(wanted, job)
    except Cancelled:
        raise
    except PanfocusError as error:
        out.failures.append(Failure(job.sample.name, job.contestant.name, error.text()))
        return
    store.put(row)
    if options.save_images:
        path = image_path(options.out, job.contestant, job.sample)
        write_image(path, picture, Metadata(), overwrite=options.overwrite, is_result=True)


def _score(wanted: Wanted, job: _Job) -> tuple[Row, Pixels]:
    sample = job.sample
    frames = [read_picture(path) for path in sample.frames]
    if sample.is_guess:
        refuse_torn(sample, frames)
    fused = job.contestant.fused(sample)
    truth = None if sample.truth is None else read_picture(sample.truth)
    band = None if sample.band is None else read_mask(sample.band)
    if band is not None and truth is not None and band.shape != truth.shape[:2]:
        raise InputError(
            "the band and the truth differ in size",
            where=str(sample.band),
            expected=str(truth.shape[:2]),
            got=str(band.shape),
        )
    scores = score(fused.frames or frames, fused.pixels, truth, band, wanted)
    row = Row(sample.name, job.contestant.name, job.key, fused.seconds, scores)
    return row, fused.pixels
