"""Where a network can run, and which of these the installed ONNX Runtime offers.

One package `onnxruntime` is imported, whichever of its builds is installed: each brings other
*execution providers*. panfocus depends on the build for processors; who wants another puts it in
its place (docs/devices.md).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

from panfocus.errors import SystemError_
from panfocus.frozen import frozen
from panfocus.systems.devices import AUTO, CPU

#: The package that panfocus depends on.
USUAL = "onnxruntime"
#: Options of a provider, as ONNX Runtime takes them.
Options = dict[str, str]


@frozen
class Device:
    """A kind of device.

    Attributes:
        name: how `--device` calls it.
        provider: what ONNX Runtime calls it.
        title: for people.
        package: of ONNX Runtime, that brings the provider.
        options: makes the provider's options, from the threads that are allowed.
        in_turn: whether one session serves one call at a time.
        fixed_memory: whether ONNX Runtime may plan memory from an earlier call.
    """

    name: str
    provider: str
    title: str
    package: str
    options: Callable[[int], Options]
    in_turn: bool = False
    fixed_memory: bool = True

    @property
    def how_to_get(self) -> str:
        """What to install for it."""
        if self.package == USUAL:
            return f"the usual {USUAL} offers it on a Mac"
        return f"pip uninstall {USUAL}, then pip install '{self.package}' (docs/devices.md)"


def _cuda(_threads: int) -> Options:
    # tiles come in few but various sizes: trying all algorithms for each takes longer than the
    # tile; and memory is asked for as needed, since others draw on the same card
    return {
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
    }


def _coreml(_threads: int) -> Options:
    return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}


def _openvino(threads: int) -> Options:
    if has_openvino_gpu():
        return {"device_type": "GPU"}
    return {"device_type": "CPU", "num_of_threads": str(threads)}


def _nothing(_threads: int) -> Options:
    return {}


#: All but the processor, in the order in which `auto` tries them.
ACCELERATORS = {
    device.name: device
    for device in (
        Device(
            "cuda",
            "CUDAExecutionProvider",
            "a graphics card of NVIDIA",
            "onnxruntime-gpu[cuda,cudnn]",
            _cuda,
        ),
        # DirectML refuses planned memory, and a session of it calls from several threads
        Device(
            "directml",
            "DmlExecutionProvider",
            "any graphics card under Windows (DirectX 12)",
            "onnxruntime-directml",
            _nothing,
            in_turn=True,
            fixed_memory=False,
        ),
        Device(
            "coreml",
            "CoreMLExecutionProvider",
            "Apple's graphics and neural engine, under macOS",
            USUAL,
            _coreml,
        ),
        Device(
            "openvino",
            "OpenVINOExecutionProvider",
            "Intel's graphics, else the processor by OpenVINO",
            "onnxruntime-openvino",
            _openvino,
        ),
    )
}


def runtime() -> Any:  # noqa: ANN401  it has no complete types
    """Return the module onnxruntime; slow to import, so only where a network is to run.

    From version 1.29 it would tell its makers, over the network, of every program that loads it,
    of the models and of the machine, and keep a number of this machine in the user's folder for
    caches. Here it does not, unless the variable says otherwise; read once, when it is imported.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415

    return onnxruntime


def offered() -> list[str]:
    """Return the accelerators that the installed ONNX Runtime offers, best first.

    Offered is not there: a build for graphics cards offers them on a machine without any.
    """
    providers = set(runtime().get_available_providers())
    return [name for name, device in ACCELERATORS.items() if device.provider in providers]


def candidates(asked: str) -> list[str]:
    """Return the accelerators to try, best first.

    Args:
        asked: a name in `devices.NAMES`.

    Raises:
        SystemError_: one is asked for by name that the installed ONNX Runtime does not offer.
    """
    if asked == CPU:
        return []
    if asked == AUTO:
        # by OpenVINO a processor is no faster than by ONNX Runtime itself (docs/devices.md)
        return [n for n in offered() if n != "openvino" or has_openvino_gpu()]
    if asked not in offered():
        got = f"it offers {', '.join([*offered(), CPU])}"
        raise not_to_be_had(asked, got, ACCELERATORS[asked].how_to_get)
    return [asked]


def not_to_be_had(name: str, got: str, remedy: str) -> SystemError_:
    """Return the error of a device that was asked for by name.

    Args:
        name: of the device.
        got: what there is instead.
        remedy: in place of taking what there is.
    """
    device = ACCELERATORS[name]
    return SystemError_(
        f"the device {name} cannot be had",
        where="device",
        expected=f"{device.title}, and an ONNX Runtime that offers {device.provider}",
        got=f"onnxruntime {runtime().__version__}: {got}",
        remedy=f'{remedy}; or `device="auto"`, which takes what there is',
    )


def has_openvino_gpu() -> bool:
    """Whether OpenVINO knows a graphics unit here."""
    with suppress(ImportError, AttributeError, RuntimeError):
        runtime()
        from onnxruntime.capi import _pybind_state  # noqa: PLC0415

        state: Any = _pybind_state
        return any("GPU" in name for name in state.get_available_openvino_device_ids())
    return False


def load_libraries(device: Device) -> str:
    """Load what came as Python packages beside a provider; return what went wrong first."""
    if device.name != "cuda" or not hasattr(runtime(), "preload_dlls"):
        return ""
    said = StringIO()
    with redirect_stdout(said):  # ours is for data
        runtime().preload_dlls()
    return next(iter(said.getvalue().splitlines()), "")


def why_absent(device: Device) -> str:
    """Return why a provider that is offered is not in the session that was asked for it.

    ONNX Runtime tells that on stderr alone; the usual cause, a library that is missing, shows
    again when the provider's own is loaded.
    """
    kind = device.provider.removesuffix("ExecutionProvider").lower()
    folder = Path(runtime().__file__).parent / "capi"
    for path in sorted(folder.glob(f"*onnxruntime_providers_{kind}.*")):
        try:
            ctypes.CDLL(str(path))
        except OSError as error:
            if "Provider_GetHost" not in str(error):  # that one is there, and not for us to load
                return f"it did not start: {error}"
    return "it did not start: there is no such device, or its driver is missing"
