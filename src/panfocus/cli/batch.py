"""`panfocus batch`: find the stacks, run them, say how each went."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from panfocus.batch import BatchOptions, Job, find_jobs, run_batch
from panfocus.batch.apart import check_batch
from panfocus.batch.outcome import StackOutcome
from panfocus.batch.report import JSON as REPORT
from panfocus.batch.work import prepare
from panfocus.cli.flags import in_flags
from panfocus.errors import UsageError, in_one_line
from panfocus.io.atomic import located
from panfocus.pipeline.options import FIELDS, MAP_KINDS
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.volumes.choice import Only

PART_FAILED = 3
#: Of a stack that are told at once; the report has them all.
_NOTES = 3


def run(words: dict[str, Any]) -> int:
    """Do it; return the exit code: 0 all done, 3 some failed, 1 all failed."""
    quiet, as_json = words.pop("quiet"), words.pop("as_json")
    json_progress, dry_run = words.pop("json_progress"), words.pop("dry_run")
    options = _options(words)
    if dry_run:
        _show(options, as_json=as_json)
        return 0

    pace = Pace()

    def tell(outcome: StackOutcome, ended: int, count: int) -> None:
        left = pace.left_s(outcome, count - ended)
        if json_progress:
            line = {
                "share": round(ended / count, 4),
                "stage": outcome.state,
                "message": outcome.name,
                "worker": outcome.worker,
                "error": outcome.error,
                "warnings": len(outcome.warnings),
                "left_s": None if left is None else round(left),
            }
            print(json.dumps(line), file=sys.stderr, flush=True)
        elif outcome.state == "failed" or not quiet:
            line = _line(outcome, ended, count, left)
            print(in_flags(line), file=sys.stderr, flush=True)

    def note(told: str) -> None:
        if json_progress:
            line = {"share": None, "stage": "waiting", "message": told, "worker": "", "error": None}
            print(json.dumps(line), file=sys.stderr, flush=True)
        else:
            print(in_flags(f"waiting: {told}"), file=sys.stderr, flush=True)

    report = run_batch(options, tell, note)
    if as_json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    if not quiet:
        _summary(options, report)
    if not report["failed"]:
        return 0
    return PART_FAILED if report["done"] or report["skipped"] else 1


def _options(words: dict[str, Any]) -> BatchOptions:
    maps = tuple(kind for kind in MAP_KINDS if words.pop(f"{kind}_map"))
    fields = BatchOptions.__dataclass_fields__
    own = {name: words.pop(name) for name in list(words) if name in fields}
    guide, told = words.pop("guide_channel"), words.pop("only")
    how = {name: words.pop(name) for name in ("quality", "axes", "pyramid", "mosaic", "ome_zarr")}
    only = None if told is None else Only.of(told)
    own["out"] = located(own["out"])
    own["ending"] = f".{own['ending']}"
    chosen = {name: value for name, value in words.items() if value is not None}
    unknown = [n for n, v in chosen.items() if n not in FIELDS and v]
    if unknown:
        raise UsageError(
            "this option is for single stacks",
            where=", ".join(f"--{name.replace('_', '-')}" for name in unknown),
            remedy="use it with `panfocus fuse`",
        )
    settings = {n: v for n, v in chosen.items() if n in FIELDS}
    make_settings(**settings)
    template = Job("", (), Path(), settings, maps, guide=guide, only=only, **how)
    return BatchOptions(template=template, **own)


def _show(options: BatchOptions, *, as_json: bool) -> None:
    """Print what would be done, as JSON when that was asked for."""
    notes: list[str] = []
    jobs = find_jobs(
        options.source, options.out, ending=options.ending, template=options.template, notes=notes
    )
    for note in notes:
        print(f"note: {in_one_line(note)}", file=sys.stderr)
    check_batch(jobs, options.source, options.out, overwrite=options.overwrite)
    lines: list[dict[str, Any]] = []
    for job in jobs:
        checked = prepare(job, Path(), "", resume=options.resume, overwrite=options.overwrite)
        lines.append(
            {
                "name": job.name,
                "frames": checked.frames,
                "memory_bytes": checked.memory_bytes,
                "outputs": [str(path) for path in job.outputs.values()],
                "error": checked.error if isinstance(checked, StackOutcome) else None,
            }
        )
    if as_json:
        print(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    for line in lines:
        what = line["error"] or (
            f"{line['frames']} frames, {line['memory_bytes'] / 2**20:.0f} MiB, "
            f"{', '.join(map(in_one_line, line['outputs']))}"
        )
        print(f"{in_one_line(line['name'])}: {what}")


class Pace:
    """How long stacks take, workers and all: from the time between their ends."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._done = 0

    def left_s(self, outcome: StackOutcome, waiting: int) -> float | None:
        """Take a stack that has ended, and return seconds until all have.

        Args:
            outcome: of the stack; one that is skipped takes no time and tells of none.
            waiting: stacks that have not ended.

        Returns:
            None while nobody knows, and when none is waiting.
        """
        self._done += outcome.state != "skipped"
        if not (self._done and waiting):
            return None
        return waiting * (self._clock() - self._since) / self._done


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _line(outcome: StackOutcome, ended: int, count: int, left: float | None) -> str:
    remains = "" if left is None else f", {_span(left)} left"
    head = f"[{ended}/{count}{remains}] {in_one_line(outcome.name)}: {outcome.state}"
    if outcome.state == "failed":
        return f"{head}\n  " + (outcome.error or "").replace("\n", "\n  ")
    if outcome.state == "skipped":
        return "; ".join([head, *outcome.warnings])
    again = f", {outcome.tries} tries" if outcome.tries > 1 else ""
    notes = [f"\n  note: {in_one_line(note)}" for note in outcome.warnings[:_NOTES]]
    more = len(outcome.warnings) - _NOTES
    notes += [f"\n  note: {more} more; report.csv has them all"] if more > 0 else []
    return f"{head}, {outcome.frames} frames, {outcome.seconds:.2f} s{again}" + "".join(notes)


def _unaligned(stacks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line about stacks with frames that could not be aligned."""
    left = {one["name"]: len(one["left_unaligned"]) for one in stacks if one["left_unaligned"]}
    if not left:
        return []
    named = ", ".join(f"{name} ({n})" for name, n in list(left.items())[:_NOTES])
    more = f" and {len(left) - _NOTES} more" if len(left) > _NOTES else ""
    return [f"frames left unaligned in {len(left)} of {len(stacks)} stacks: {named}{more}"]


def _summary(options: BatchOptions, report: dict[str, Any]) -> None:
    lines = [f"note: {note}" for note in report["notes"]]
    counts = ", ".join(f"{report[state]} {state}" for state in ("done", "skipped", "failed"))
    lines.append(f"{counts} in {report['seconds']:.1f} s by {report['crew']}")
    warned = sum(bool(one["warnings"]) for one in report["stacks"])
    lines += [f"notes on {warned} of {len(report['stacks'])} stacks"] if warned else []
    lines += _unaligned(report["stacks"])
    if not any(note.startswith(f"{REPORT} was not written") for note in report["notes"]):
        lines.append(f"  {options.out / REPORT}")
    print(in_flags("\n".join(map(in_one_line, lines))), file=sys.stderr)
