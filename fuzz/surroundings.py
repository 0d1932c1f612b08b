"""Variables of the environment that other programs, notebooks and shells leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fuzz.case import Case, How
from fuzz.limits import closed_pairs
from fuzz.made import fuse, lay, lay_batch, stack, zarr_at

#: By what is called: variables and what stands in them.
_ODD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "fuse": (
        ("COLUMNS", "1"), ("COLUMNS", "abc"), ("COLUMNS", "9" * 30), ("TERM", ""), ("TERM", "odd"),
        ("PYTHONWARNINGS", "error"), ("PYTHONOPTIMIZE", "2"), ("OMP_NUM_THREADS", "abc"),
        ("OPENBLAS_NUM_THREADS", "-5"), ("TZ", ":/nowhere"), ("OPENCV_IO_MAX_IMAGE_PIXELS", "1"),
        ("PYTHONUTF8", "0"), ("HOME", "/nowhere"), ("HOME", ""), ("XDG_CACHE_HOME", "/dev/null"),
        ("TMP", "/dev/null"), ("PYTHONTRACEMALLOC", "1"), ("LC_ALL", "tr_TR.UTF-8"),
    ),
    "volume": (
        ("ZARR_ASYNC__CONCURRENCY", "0"), ("ZARR_ASYNC__CONCURRENCY", "abc"),
        ("ZARR_THREADING__MAX_WORKERS", "0"), ("ZARR_ASYNC__TIMEOUT", "0.0001"),
        ("ZARR_ARRAY__ORDER", "Q"), ("ZARR_DEFAULT_ZARR_FORMAT", "7"),
    ),
    "workers": (
        ("DASK_CONFIG", "/dev/null"), ("DASK_TEMPORARY_DIRECTORY", "/dev/null"),
        ("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "abc"),
        ("DASK_DISTRIBUTED__LOGGING__DISTRIBUTED", "odd"),
        ("DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE", "abc"),
    ),
    "evaluate": (
        ("MPLBACKEND", "odd"), ("MPLBACKEND", "module://odd.backend"), ("MPLBACKEND", "TkAgg"),
        ("MATPLOTLIBRC", "/dev/null"),
    ),
}  # fmt: skip


def _volume(folder: Path) -> list[str]:
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    return fuse(["a.zarr"], out="out.ome.tif")


def _workers(folder: Path) -> list[str]:
    lay_batch(folder)
    return ["batch", "in", "out", "--workers", "2", "--system", "guided"]


def _plots(folder: Path) -> list[str]:
    return [word for word in closed_pairs(folder) if word != "--no-plots"]


_FACES: Mapping[str, Callable[[Path], list[str]]] = {
    "fuse": lambda folder: fuse(lay(folder)), "volume": _volume, "workers": _workers,
    "evaluate": _plots,
}  # fmt: skip


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for what, odd in _ODD.items():
        for name, value in odd:
            how = How(exec=True, env={name: value, "MPLCONFIGDIR": "out-mpl"}, seconds=60)
            made = ("out*", "out/*", "out-mpl/*")
            yield Case("surroundings", f"{what} {name}={value:.20}", _FACES[what], (0, 1, 2, 3),
                       made, how)  # fmt: skip
