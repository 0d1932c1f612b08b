"""`panfocus systems check FOLDER`: whether a system keeps what fusions rely on."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from panfocus.errors import PanfocusError, SystemError_
from panfocus.resources.paths import is_file, listed, shown
from panfocus.resources.shortage import is_of_files, is_of_memory
from panfocus.systems import load_system
from panfocus.systems.card import Card
from panfocus.testing import SystemTests


@dataclass(frozen=True)
class Promise:
    """What a system is held to, and how it went.

    Attributes:
        promise: in words.
        why: a fusion relies on it.
        failed: in what it is not kept; None where it is.
    """

    promise: str
    why: str
    failed: str | None = None


def check(name: str, *, as_json: bool) -> None:
    """Print the system's files and every promise.

    Args:
        name: folder of a system, or a name of `panfocus systems`.
        as_json: print one object.

    Raises:
        SystemError_: there is no such system, its weights are not those of its card, or a promise
            is not kept.
    """
    card = load_system(name).card
    files = dict(_files(Path(name), card)) if is_file(Path(name) / "card.json") else {}
    kept = [*promises(name)]
    if as_json:
        facts = {"name": card.name, "files": files, "promises": [asdict(p) for p in kept]}
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _print(card, files, kept)
    broken = [each.promise for each in kept if each.failed is not None]
    if broken:
        raise SystemError_(
            "a system does not keep what fusions rely on",
            where=card.name,
            expected=f"{len(kept)} promises kept",
            got=f"{len(broken)} broken: {'; '.join(broken)}",
            remedy="what was printed on stdout tells in what, and why it matters",
        )


def _print(card: Card, files: dict[str, str], kept: Sequence[Promise]) -> None:
    print(f"{card.name}: {card.title}")
    for file, what in files.items():
        print(f"  {shown(file)}: {what}")
    for each in kept:
        print(f"  {'ok' if each.failed is None else 'NO'}  {each.promise}")
        if each.failed is not None:
            print(f"      {each.failed}")
            print(f"      why it matters: {each.why}")
    print(f"{sum(each.failed is None for each in kept)} of {len(kept)} promises kept")


def promises(name: str) -> Iterator[Promise]:
    """Hold a system to every promise of `panfocus.testing.SystemTests`, one after the other."""

    class Held(SystemTests):
        def make(self) -> object:
            return load_system(name)

    for test in sorted(key for key in dir(Held) if key.startswith("test_")):
        words = test.removeprefix("test_").replace("_", " ")
        why = " ".join((getattr(Held, test).__doc__ or "").split())
        try:
            getattr(Held(), test)()
        except PanfocusError as error:
            yield Promise(words, why, "; ".join(error.text().split("\n  ")))
        except AssertionError as error:
            line = traceback.extract_tb(error.__traceback__)[-1].line
            yield Promise(words, why, f"it is not so that {(line or '').removeprefix('assert ')}")
        except Exception as error:  # a network may stop in any way
            if is_of_memory(error) or is_of_files(error):
                raise  # that is this process's, and says nothing of the system
            yield Promise(words, why, f"{type(error).__name__}: {error}")
        else:
            yield Promise(words, why)


def _files(folder: Path, card: Card) -> Iterator[tuple[str, str]]:
    """Yield every file of a system's folder, and what it is for."""
    restorer = str((card.restores or {}).get("model", ""))
    for file in [path for path in listed(folder) if is_file(path)]:
        size = f"{file.stat().st_size:,} bytes"
        uses = {
            "card.json": "the card: what it takes, who made it, what it scored",
            card.model: f"the network, SHA-256 as in the card ({size})",
            restorer: f"the network that restores detail ({size})",
            "model.safetensors": f"the weights, to train on with `--init` ({size})",
        }
        yield file.name, uses.get(file.name, f"not used by panfocus ({size})")
