"""The words that say what decides and where networks run; light, since every start imports them.

What stands behind them: `panfocus.systems.providers`.
"""

from __future__ import annotations

from typing import cast

from panfocus.errors import UsageError

#: What decides unless something else is asked for.
DEFAULT_SYSTEM = "dualpath"
#: Takes the best device that is there and works, else the processor.
AUTO = "auto"
CPU = "cpu"
#: What `--device` takes.
NAMES = (AUTO, CPU, "cuda", "directml", "coreml", "openvino")


#: More threads than any machine has; OpenCV counts them in 32 bits.
MOST_THREADS = 4096


def is_thread_count(value: object) -> bool:
    """Whether so many threads can be asked for."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_THREADS


def check_threads(threads: object) -> None:
    """Refuse a number of threads that cannot be; None is all.

    Raises:
        UsageError: it cannot.
    """
    if threads is not None and not is_thread_count(threads):
        from panfocus.schema import said  # noqa: PLC0415  `--help` does without

        raise UsageError(
            "there cannot be so many threads",
            where="threads",
            expected=f"1 to {MOST_THREADS}, or None for all cores",
            got=said(threads),
        )


def check_name(name: str) -> None:
    """Refuse a word that is no device.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(cast("object", name), str) or name not in NAMES:
        from panfocus.schema import said  # noqa: PLC0415  as above

        raise UsageError(
            "unknown device",
            where="device",
            expected=" or ".join(NAMES),
            got=name if isinstance(cast("object", name), str) else said(name),
        )
