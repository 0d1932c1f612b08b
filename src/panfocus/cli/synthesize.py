"""`panfocus synthesize`: check everything, render, write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from panfocus.synthesis.material import find_material
from panfocus.synthesis.sets import SetRecipe, check_free, check_material, write_set


def run(
    pictures: Sequence[str],
    *,
    out: Path,
    kinds: Sequence[str],
    count: int,
    frames: int | None,
    seed: int,
    depth_maps: Path | None,
    overwrite: bool,
) -> None:
    """Write a set of every kind."""
    recipes = [SetRecipe(kind, count, frames, seed) for kind in dict.fromkeys(kinds)]
    for recipe in recipes:  # all checks before any work
        recipe.check(has_depth=depth_maps is not None)
        check_free(recipe.kind, out, overwrite=overwrite)
    material = find_material(pictures, depth_maps)
    for recipe in recipes:
        check_material(recipe.kind, out, material)
    for recipe in recipes:
        with _progress(recipe) as tell:
            manifest = write_set(recipe, material, out, overwrite=overwrite, tell=tell)
        print(f"{count} scenes of kind {recipe.kind}: {out / recipe.kind}", file=sys.stderr)
        print(f"  truth and manifest: {manifest.parent}", file=sys.stderr)


@contextmanager
def _progress(recipe: SetRecipe) -> Generator[Callable[[int], None] | None]:
    """Yield how to tell progress: a bar on a terminal, or not at all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  slow to import, and only for a terminal
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(recipe.kind, total=recipe.count)

        def tell(done: int) -> None:
            bar.update(task, completed=done)

        yield tell
