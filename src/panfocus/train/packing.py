"""From runs to systems: averaging runs, and exporting the averaged weights of one."""

from __future__ import annotations

import math
from pathlib import Path

from panfocus.errors import UsageError
from panfocus.plugins import load_all as load_plugins
from panfocus.resources.paths import as_path
from panfocus.train import average
from panfocus.train.checkpoint import best
from panfocus.train.drpl import pack as drpl
from panfocus.train.dualpath import pack as dualpath
from panfocus.train.dualpath.training import material_for
from panfocus.train.options import AveragingOptions, ExportOptions
from panfocus.train.places import check_system

#: Of a score or a share.
_LARGEST = 1e9


def average_runs(options: AveragingOptions) -> Path:
    """Average the weights of runs that began from one another, and return the checkpoint.

    Raises:
        UsageError: parts that are no ``RUN=SHARE``, or runs that cannot be averaged.
        DataError: a run has no checkpoint, or a damaged one.
    """
    shares = dict(named_number(part, "--part") for part in options.parts)
    runs = {as_path(run, UsageError): share for run, share in shares.items()}
    path = average.average(runs, options.out)
    print(f"averaged into {path}: panfocus export {options.out} -o SYSTEM", flush=True)
    return path


def export_run(options: ExportOptions) -> Path:
    """Export the averaged weights of a run as a system, and return its folder.

    Raises:
        UsageError: a run of another program, or a folder that is taken.
        DataError: the run has no checkpoint, or a damaged one.
    """
    load_plugins(options.plugins)
    held = best(options.run)
    system = held.facts.get("system")
    scores = dict(map(named_number, options.scores))
    if system not in {"drpl", "dualpath"}:
        raise UsageError(
            "this run is of an unknown system", expected="drpl or dualpath", got=str(system)
        )
    check_system(options.out, options.run, overwrite=options.overwrite)
    if system == "drpl":
        folder = drpl.pack(options.run, options.out, options.data, scores=scores)
    else:
        material = None
        if options.eight_bit:
            material = material_for(held, options.run, options.eight_bit)
        folder = dualpath.pack(
            options.run,
            options.out,
            options.data,
            scores=scores,
            depth=options.depth,
            picture=options.picture,
            sharpen=options.sharpen,
            fitted_to=material,
            restorer=options.restorer,
        )
    print(f"exported to {folder}", flush=True)
    return folder


def named_number(text: str, option: str = "--score") -> tuple[str, float]:
    """Split NAME=NUMBER.

    Raises:
        UsageError: it is something else.
    """
    name, _, number = text.rpartition("=")
    try:
        found = float(number)
    except ValueError:
        found = math.nan
    if not name.strip() or not abs(found) <= _LARGEST:
        raise UsageError(
            "this is not a name and a number", where=option, expected="NAME=NUMBER", got=text
        )
    return name, found
