"""What holds of every fusion of files: projects, and scientific stacks along T and C."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from fuzz.drawn import Drawn

_FLAGS = ("system", "mode", "align", "exposure", "banding", "void", "guard", "order")


def _folder() -> Path:
    folder = Path(f"files{len(list(Path().iterdir()))}")
    folder.mkdir()
    return folder


def _main(*words: object) -> int:
    """Run the command line; its messages are not for whoever reads the campaign's."""
    from panfocus.cli import main

    return main([*map(str, words), "--quiet"])


def _flags(drawn: Drawn, **more: Any) -> list[str]:
    chosen = {**drawn.options, **more}
    return [word for name in _FLAGS for word in (f"--{name}", str(chosen[name]))]


def _write(path: Path, frame: NDArray[Any]) -> None:
    """Write a frame of 1 to 4 channels, the second or fourth of which is opacity."""
    channels = frame.shape[2] if frame.ndim == 3 else 1
    kind = "rgb" if channels > 2 else "minisblack"
    opacity = ["unassalpha"] if channels in (2, 4) else None
    tifffile.imwrite(path, frame, photometric=kind, extrasamples=opacity, planarconfig="contig")


def project_again(drawn: Drawn) -> None:
    """A project gives the file that it was made with, to the last byte; nothing else is written."""
    folder = _folder()
    names = [folder / f"f{n}.tif" for n in range(len(drawn.frames))]
    for name, frame in zip(names, drawn.frames, strict=True):
        _write(name, frame)
    size = "--keep-size" if drawn.options["keep_size"] else "--crop"
    project, one, two = (folder / n for n in ("p.panfocus.json", "one.tif", "two.tif"))
    code = _main("fuse", *names, "-o", one, "--save-project", project, size, *_flags(drawn))
    if code:  # in words, which the campaign looks at
        return
    assert _main("fuse", "--project", project, "-o", two) == 0
    assert one.read_bytes() == two.read_bytes()
    assert sorted(folder.iterdir()) == sorted([*names, project, one, two])


def _volume(drawn: Drawn, folder: Path) -> NDArray[Any]:
    """Write the frames as Z of two T and two C; return them, (T, C, Z, Y, X).

    The second C is dimmer, and the second T is turned over and dimmer still: each is fused in the
    range of its own planes, whatever the others hold.
    """
    grey = drawn.frames if drawn.frames.ndim == 3 else drawn.frames[..., 0]
    times = [[(grey * share).astype(grey.dtype) for share in (t, 0.8 * t)] for t in (1.0, 0.3)]
    planes = np.stack([np.stack(times[0]), np.stack(times[1])[..., ::-1]])
    about = {"axes": "TZCYX"}
    path = folder / "v.ome.tif"
    written = planes.transpose(0, 2, 1, 3, 4)
    tifffile.imwrite(path, written, photometric="minisblack", metadata=about)
    return planes


def _fused(drawn: Drawn, folder: Path, name: str, **more: Any) -> NDArray[Any] | None:
    """Return the fused planes (T, C, Y, X); None where that is refused in words."""
    flags = _flags(drawn, align="none", exposure="none", **more)
    if _main("fuse", folder / "v.ome.tif", "-o", folder / name, *flags):
        return None
    return tifffile.imread(folder / name)


def _alone(drawn: Drawn, planes: NDArray[Any]) -> NDArray[Any]:
    """Return what the planes (Z, Y, X) give as a stack, near white as a volume takes them."""
    import panfocus
    from panfocus.io.volumes.stack import Scale

    is_full = planes.dtype == np.uint8
    scale = Scale.of(planes.dtype, 0, 255 if is_full else float(planes.max()))
    options = {name: drawn.options[name] for name in _FLAGS}
    options |= {"align": "none", "exposure": "none"}
    return scale.from_frame(panfocus.fuse(scale.to_frame(planes), **options).image)


def volume_of_stacks(drawn: Drawn) -> None:
    """Every T and C of a volume is what its planes give as a stack, and again the same bytes."""
    folder = _folder()
    planes = _volume(drawn, folder)
    found = _fused(drawn, folder, "one.ome.tif")
    if found is None:
        return
    shape = (*planes.shape[:2], *planes.shape[3:])
    assert found.dtype == planes.dtype
    found = found.reshape(shape)
    for t, c in np.ndindex(shape[:2]):
        np.testing.assert_array_equal(found[t, c], _alone(drawn, planes[t, c]))
    _fused(drawn, folder, "two.ome.tif")
    again = tifffile.imread(folder / "two.ome.tif").reshape(shape)
    np.testing.assert_array_equal(found, again)
    assert len(list(folder.iterdir())) == 3


def volume_selected(drawn: Drawn) -> None:
    """`select` gives a volume's own values only, each of its T, C and place."""
    if drawn.options["system"] == "pyramid":
        return
    folder = _folder()
    planes = _volume(drawn, folder)
    found = _fused(drawn, folder, "one.ome.tif", mode="select")
    if found is not None:
        found = found.reshape(*planes.shape[:2], 1, *planes.shape[3:])
        assert (planes == found).any(axis=2).all()
