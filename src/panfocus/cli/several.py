"""`panfocus fuse -s a,b`: by several systems, each with files of its own, and a sheet of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from panfocus import io
from panfocus.arrays.types import Pixels
from panfocus.cli.bare_options import BARE
from panfocus.cli.fuse import check_transforms, finish, run, say
from panfocus.cli.plan_text import plan_facts, show_plan
from panfocus.cli.progress import progress_of
from panfocus.cli.request import Request
from panfocus.errors import UsageError
from panfocus.io.outputs import check_apart, earlier_results
from panfocus.pipeline.outputs import Outputs, inputs_of
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.report import Report
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.several import (
    fuse_beside,
    named_by,
    plan_each,
    sheet_path,
    systems_named,
    write_sheet,
)
from panfocus.systems import label_of


def run_named(request: Request) -> None:
    """Fuse by every system that is named by commas; the name of a folder may hold one."""
    systems = systems_named(request.settings["system"])
    if len(systems) > 1:
        run_several(request, systems)
    else:
        run(request)


def run_several(request: Request, systems: Sequence[str]) -> None:
    """Fuse by each system, and draw the sheet.

    Raises:
        UsageError: no output, or options that hold one picture alone.
    """
    output = request.output
    alone = [("--align-only", request.align_only), ("--save-project", request.save_project)]
    given = [option for option, value in alone if value is not None]
    if output is None or given:
        raise UsageError(
            "several systems make several pictures",
            where=", ".join(["-s", *given]),
            expected="-o PICTURE, whose name gets that of each system",
            remedy="name one system" if given else "say where the pictures shall go: -o fused.tif",
        )
    asked = [request.with_names(lambda p, s=s: named_by(p, s)) for s in systems]
    wanted = [each.outputs(named_by(output, s)) for each, s in zip(asked, systems, strict=True)]
    sheet = sheet_path(output)
    settings = {n: v for n, v in request.settings.items() if n != "system"}
    settings["maps"] = wanted[0].need_maps
    earlier = [path for each in wanted for path in each.earlier]
    plans = plan_each(request.inputs, systems, settings, exclude=earlier_results([*earlier, sheet]))
    _check(plans, wanted, sheet, overwrite=request.overwrite)
    check_transforms(request, plans[0].settings)
    say(request, [f"note: {note}" for note in plans[0].notes])
    if request.dry_run:
        _show(plans, wanted, sheet, request)
        return
    pictures: dict[str, Pixels] = {}
    reports: list[Report] = []
    first: FusedPicture | None = None
    for system, plan_, each, outputs in zip(systems, plans, asked, wanted, strict=True):
        with progress_of(request, plan_.count) as tell:
            result = fuse_beside(plan_, first, progress=tell)
        first = first or result
        say(request, [f"note: {w}" for w in result.report.warnings if w not in plan_.notes])
        written, notes = outputs.write(result, plan=plan_)
        say(request, [f"note: {note}" for note in notes])
        finish(replace(each, json_file=None), result, written)
        pictures[f"{label_of(system)}, {result.report.timings_s['total']:.1f} s"] = result.image
        reports.append(result.report)
    write_sheet(sheet, pictures, overwrite=request.overwrite)
    say(request, ["all of them on one sheet", f"  {sheet}"])
    if request.json_file == BARE:
        told = [report.to_dict() for report in reports]
        print(json.dumps(told, indent=2, ensure_ascii=False))


def _check(
    plans: Sequence[Plan], wanted: Sequence[Outputs], sheet: Path, *, overwrite: bool
) -> None:
    """Refuse what cannot be written, of all systems, before any work."""
    both = list(zip(plans, wanted, strict=True))
    named = [output for plan_, each in both for output in each.named(plan_.count)]
    check_apart(inputs_of(plans[0]), [*named, ("", sheet)])
    io.check_place(sheet, overwrite=overwrite)
    for plan_, each in both:
        each.check(plan_)


def _show(plans: Sequence[Plan], wanted: Sequence[Outputs], sheet: Path, request: Request) -> None:
    """Print what would be done, as one list of JSON when that was asked for."""
    files = [each.pictures(p.count) for p, each in zip(plans, wanted, strict=True)]
    files[-1].append(sheet)
    if request.json_file is not None:
        facts = [plan_facts(p, f) for p, f in zip(plans, files, strict=True)]
        print(json.dumps(facts, indent=2))
        return
    for plan_, names in zip(plans, files, strict=True):
        show_plan(plan_, request, names)
