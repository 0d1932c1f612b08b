"""The words that say what decides and where networks run; light, since every start imports them.

What stands behind them: `panfocus.systems.providers`.
"""

from __future__ import annotations

from panfocus.errors import UsageError

#: What decides unless something else is asked for.
DEFAULT_SYSTEM = "dualpath"
#: Takes the best device that is there and works, else the processor.
AUTO = "auto"
CPU = "cpu"
#: What `--device` takes.
NAMES = (AUTO, CPU, "cuda", "directml", "coreml", "openvino")


def check_name(name: str) -> None:
    """Refuse a word that is no device.

    Raises:
        UsageError: it is none.
    """
    if name not in NAMES:
        raise UsageError(
            "unknown device", where="device", expected=" or ".join(NAMES), got=str(name)
        )
