"""A hook of MkDocs: what stands as `decisions` in the navigation becomes every page of that folder.

A new decision is then on the site without anybody naming it.
"""

from pathlib import Path


def on_config(config):  # noqa: ANN001, ANN201  mkdocs is not among what the lint knows
    """Put the pages of docs/decisions, in the order of their numbers, where the word stands."""
    folder = Path(config.docs_dir) / "decisions"
    pages = [f"decisions/{path.name}" for path in sorted(folder.glob("*.md"))]
    for part in config.nav:
        for entries in part.values() if isinstance(part, dict) else ():
            if "decisions" in entries:
                entries[entries.index("decisions")] = {"Decisions": pages}
    return config
