"""`panfocus evaluate`: score, write the tables and plots, tell."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from panfocus.cli.flags import in_flags
from panfocus.errors import OutputError
from panfocus.evaluate.latex import to_latex
from panfocus.evaluate.plots import draw
from panfocus.evaluate.report import columns, to_dict, to_markdown
from panfocus.evaluate.run import SUMMARY, EvaluationOptions, Outcome, Tell, evaluate
from panfocus.evaluate.store import NAME as SCORES
from panfocus.evaluate.store import ledger
from panfocus.resources.paths import is_folder, is_there, listed

#: exit code when a part of the images could not be scored
PARTLY = 3


def run(options: EvaluationOptions, *, plots: bool, as_json: bool) -> int:
    """Do it; return the exit code."""
    _check_out(options)
    with _progress() as tell:
        outcome = evaluate(options, tell)
    found = columns(outcome)
    files = draw(options, outcome, found) if plots and outcome.rows else []
    summary = to_dict(options, outcome, found)
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    table = to_markdown(options, outcome, found)
    latex = to_latex(options, outcome, found)
    for name, content in zip(SUMMARY, (text, table, latex), strict=True):
        ledger(options.out).write(
            name, content.encode(errors="backslashreplace"), overwrite=options.overwrite
        )
        files.append(options.out / name)
    print(text if as_json else table, end="")
    _tell_end(options, outcome, files)
    if not outcome.failures:
        return 0
    return PARTLY if outcome.rows else 1


def _check_out(options: EvaluationOptions) -> None:
    """Refuse a folder where files of these names are not from an earlier evaluation.

    Raises:
        OutputError: they are not.
    """
    if is_there(options.out) and not is_folder(options.out):
        raise OutputError("the output is no folder", where=str(options.out))
    foreign = [n for n in (*SUMMARY, "worst.png", "plots") if is_there(options.out / n)]
    if foreign and not is_there(options.out / SCORES) and not options.overwrite:
        raise OutputError(
            "the output folder holds files that would be replaced",
            where=str(options.out),
            expected=f"an empty or new folder, or one with {SCORES} of an earlier run",
            got=", ".join(foreign),
            remedy="choose another --out, or allow it by --overwrite",
        )
    known = ledger(options.out)
    if is_there(options.out / SCORES):  # of a version that kept no ledger
        there = listed(options.out / "plots") if is_folder(options.out / "plots") else ()
        plots = (f"plots/{path.name}" for path in there if path.suffix == ".png")
        known.adopt([*SUMMARY, "worst.png", *plots])
    for name in (*SUMMARY, "worst.png"):
        known.check(name, overwrite=options.overwrite)


def _tell_end(options: EvaluationOptions, outcome: Outcome, files: list[Path]) -> None:
    fresh = len(outcome.rows) - outcome.kept
    lines = [f"note: {note}" for note in outcome.notes]
    lines += [f"failed: {f.image}, {f.system}: {f.reason}" for f in outcome.failures]
    lines.append(f"{fresh} pictures scored, {outcome.kept} kept, {len(outcome.failures)} failed")
    lines += [f"  {options.out / SCORES}", *(f"  {path}" for path in files[-3:])]
    print(in_flags("\n".join(lines)), file=sys.stderr)


@contextmanager
def _progress() -> Generator[Tell | None]:
    """Yield how to tell progress: a bar on a terminal, or not at all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  slow to import, and only for a terminal
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scoring")

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield tell
