"""Options whose value may be left out, and names of files derived from others."""

from __future__ import annotations

from pathlib import Path

#: Options that take a file name or stand alone, and what they are called in derived names.
BARE_OPTIONS = {
    "--depth-map": "depth",
    "--index-map": "index",
    "--confidence-map": "confidence",
    "--json": "report",
}
#: What an option that stands alone is given; no file can be called so by accident.
BARE = "\0"

_ENDINGS = {
    "--json": {".json"},
    "--depth-map": {".tif", ".tiff", ".png"},
    "--index-map": {".tif", ".tiff", ".png"},
    "--confidence-map": {".tif", ".tiff", ".png"},
}


def fill_bare_options(args: list[str]) -> list[str]:
    """Give every option of `BARE_OPTIONS` that stands alone the value `BARE`.

    The next word is its value only if it looks like a file that it could write, and is not an
    input that exists already: ``--depth-map a.png b.png`` must not take a photograph away.
    """
    out: list[str] = []
    for n, word in enumerate(args):
        out.append(word)
        if word not in BARE_OPTIONS:
            continue
        following = args[n + 1] if n + 1 < len(args) else "-"
        named = Path(following).suffix.lower() in _ENDINGS[word] and "*" not in following
        if following.startswith("-") or not named or (_is_input(args, n + 1)):
            out[-1] = f"{word}={BARE}"
    return out


def _is_input(args: list[str], place: int) -> bool:
    """Tell whether the word is an existing file that `--overwrite` does not give free."""
    return Path(args[place]).exists() and "--overwrite" not in args


def map_path(value: str | None, out: Path, kind: str) -> Path | None:
    """Return where a map goes: as named, or ``<out>_<kind>.tif`` beside the picture."""
    if value is None:
        return None
    if value == BARE:
        return out.with_name(f"{out.stem}_{kind}.tif")
    return Path(value)
