"""Which systems there are: those that come along, and those that somebody brings.

Networks, and what they stand on, are imported when one is loaded: four tenths of what a small
fusion does are imports.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from panfocus.errors import UnknownSystemError
from panfocus.plugins import Registry, load_installed
from panfocus.resources.paths import as_path, is_file, is_folder, shown
from panfocus.systems.base import PictureSystem, System
from panfocus.systems.card import Card
from panfocus.systems.checks import adopt
from panfocus.systems.devices import AUTO, check_name, check_threads
from panfocus.systems.focus_measures import classical_systems

#: Folder of a training run in which its system lies.
OF_A_RUN = "system"
#: Folder of the networks that come with the package, one folder each: ``<name>-<n>/``.
BUNDLED = Path(__file__).parent / "bundled"


def _bundled_folders() -> dict[str, Path]:
    """Return name to folder; of several numbers of one name the name alone means the highest."""
    out: dict[str, Path] = {}
    for path in sorted(BUNDLED.glob("*/card.json")):
        folder = path.parent
        out[folder.name] = folder
        out[folder.name.rpartition("-")[0]] = folder
    return out


def _built_in() -> list[str]:
    """Return the names of all systems that come with the package."""
    return [*sorted(_bundled_folders()), *classical_systems(), "pyramid"]


#: Makers of the user's own systems by name: of anything that `panfocus.fuse(..., system=)` takes.
SYSTEMS: Registry[Callable[[], object]] = Registry("system", "system", _built_in)

#: ``@register_system("my-name")`` before a class without arguments, or before a function.
register_system = SYSTEMS.register


def label_of(system: str) -> str:
    """Return what a system is called in tables, names of files and on sheets.

    Args:
        system: a name, or a folder, which is called by its own name; one that is called `system`,
            as training calls what it exports, by that of the run around it.

    Example:
        >>> [label_of(each) for each in ("guided", "models/mine", "runs/second/system")]
        ['guided', 'mine', 'second']
    """
    folder = Path(system)
    if folder.name == OF_A_RUN:
        return folder.absolute().parent.name or folder.name
    return folder.name or system


def list_systems() -> list[Card]:
    """Return the cards of all systems, networks first, those of plugins last.

    Examples:
        >>> [card.name for card in list_systems() if card.kind == "picture"]
        ['dualpath-picture', 'pyramid']
    """
    from panfocus.systems.pyramid import PyramidSystem  # noqa: PLC0415

    folders = set(_bundled_folders().values())
    networks = [Card.read(folder / "card.json") for folder in sorted(folders)]
    classical = [system.card for system in classical_systems().values()]
    own = [adopt(SYSTEMS.get(name)()).card for name in SYSTEMS]
    return [*networks, *classical, PyramidSystem().card, *own]


def load_system(
    name: str | Path, *, threads: int | None = None, device: str = AUTO, whole: bool = False
) -> System | PictureSystem:
    """Return a system by its name, or by the folder that `panfocus export` wrote.

    Args:
        name: of a system in `list_systems`, or a path to a folder with ``card.json``.
        threads: for networks; None for all cores.
        device: where networks run: "auto", "cpu", or a name of `panfocus devices`.
        whole: let networks look at every pixel of every frame, see `NetworkSystem`.

    Raises:
        SystemError_: no such system, its weights do not match its card, or the device is not to
            be had.
        UsageError: no such device, or no such number of threads.

    Examples:
        >>> import numpy as np
        >>> frames = np.random.default_rng(0).random((3, 64, 64, 3), np.float32)
        >>> load_system("guided").decide(frames).shape
        (3, 64, 64)
    """
    check_name(device)
    check_threads(threads)
    text = str(name)
    classical = classical_systems()
    if text in classical:
        return classical[text]
    if text == "pyramid":
        from panfocus.systems.pyramid import PyramidSystem  # noqa: PLC0415

        return PyramidSystem()
    bundled = _bundled_folders()
    if text in bundled:
        return _load_folder(bundled[text], threads, device, whole=whole)
    folder = as_path(name, UnknownSystemError)
    if is_folder(folder):
        return _load_folder(folder, threads, device, whole=whole)
    if text not in SYSTEMS:
        load_installed()
    if text in SYSTEMS:
        return adopt(SYSTEMS.get(text)())
    known = [*_built_in(), *SYSTEMS]
    from difflib import get_close_matches  # noqa: PLC0415  only mistakes need it

    near = get_close_matches(text[:100], known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise UnknownSystemError(
        "there is no such system",
        got=shown(text),
        expected=f"one of {', '.join(known)}, or a folder with card.json",
        remedy=f"{meant}`panfocus systems` lists them with their cards; --plugin FILE.py brings "
        "your own",
    )


def _load_folder(
    folder: Path, threads: int | None, device: str, *, whole: bool
) -> System | PictureSystem:
    path = folder / "card.json"
    if is_file(path) and Card.read(path).kind == "picture":
        from panfocus.systems.network_picture import NetworkPictureSystem  # noqa: PLC0415

        return NetworkPictureSystem(folder, threads=threads, device=device)
    from panfocus.systems.network import NetworkSystem  # noqa: PLC0415

    return NetworkSystem(folder, threads=threads, device=device, whole=whole)


def device_facts(system: System | PictureSystem) -> dict[str, Any] | None:
    """Return where a system runs, in values that JSON holds; None where no network has run."""
    if system.card.sha256 is None:  # a network's card names its weights
        return None
    from panfocus.systems.network import NetworkSystem  # noqa: PLC0415
    from panfocus.systems.network_picture import NetworkPictureSystem  # noqa: PLC0415

    if not isinstance(system, (NetworkSystem, NetworkPictureSystem)):
        return None
    return None if system.ran_on is None else system.ran_on.to_dict()
