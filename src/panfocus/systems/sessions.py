"""Sessions of ONNX Runtime: on the processor, or on an accelerator that has stood a trial."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from panfocus.errors import SystemError_
from panfocus.frozen import frozen
from panfocus.resources.shortage import shortage
from panfocus.systems import trial
from panfocus.systems.card import Card
from panfocus.systems.devices import AUTO, CPU
from panfocus.systems.providers import (
    ACCELERATORS,
    Device,
    candidates,
    load_libraries,
    not_to_be_had,
    runtime,
    why_absent,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Of the network's convolutions, what an accelerator must take for `auto` to choose it: where more
#: stay on the processor, pictures travel to and fro for nothing.
LEAST_SHARE = 0.9
#: Characters of an error of ONNX Runtime that are told: their ends say what happened.
LONGEST = 160
_CPU_PROVIDER = "CPUExecutionProvider"
_FATAL, _WARNING = 4, 2
#: What ONNX Runtime need not look for: equal numbers that could be kept once, a tenth of the time
#: that the start of a network takes.
_LEFT_OUT = ["ConstantSharing"]


@frozen
class RanOn:
    """Where a network runs.

    Attributes:
        device: "cpu" or the name of an accelerator.
        asked: what was asked for, a name or "auto".
        provider: of ONNX Runtime.
        share: of the convolutions, what the provider took, in [0, 1]; None where it does not tell.
        note: why it is not another device; None where there is nothing to tell.
        in_turn: whether the session serves one call at a time.
    """

    device: str
    asked: str
    provider: str = _CPU_PROVIDER
    share: float | None = None
    note: str | None = None
    in_turn: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return {k: v for k, v in asdict(self).items() if k != "in_turn"}


@frozen
class Source:
    """What a session is started from.

    Attributes:
        model: file of the network.
        threads: of the processor.
        is_capped: whether a limit on memory in force forbids to ask for more than is touched.
        sizes_differ: from one call to the next: then memory is not laid out for each of them.
    """

    model: Path
    threads: int
    is_capped: bool
    sizes_differ: bool


@frozen
class Network(Source):
    """A network that decides, which an accelerator is tried with.

    Attributes:
        card: of the network.
    """

    card: Card


class _Refused(Exception):
    """A device does not serve, and why."""


#: What trials in this process came to, by the network's digest and the device: None, or why not.
_VERDICTS: dict[tuple[str | None, str], str | None] = {}
_TRYING = Lock()


def start(network: Network, asked: str) -> tuple[InferenceSession, RanOn]:
    """Start a network on the best device that may be taken.

    Args:
        network: what to start.
        asked: "cpu", "auto", or an accelerator.

    Raises:
        SystemError_: the network cannot be loaded, or the device that was named is not to be had.
    """
    refused: list[str] = []
    for name in candidates(asked):
        try:
            session, share = _accelerated(network, ACCELERATORS[name], is_asked=asked != AUTO)
        except _Refused as reason:
            if asked != AUTO:
                remedy = "mend what it tells, such as a driver that is missing"
                raise not_to_be_had(name, str(reason), remedy) from reason
            refused.append(f"{name}: {reason}")
            continue
        device = ACCELERATORS[name]
        ran = RanOn(name, asked, device.provider, share, _note(name, refused), device.in_turn)
        return session, ran
    return on_cpu(network), RanOn(CPU, asked, note=_note(CPU, refused))


def without(ran: RanOn, error: Exception) -> RanOn:
    """Return where a network runs after its accelerator has failed in the middle of its work."""
    note = _note(CPU, [f"{ran.device} failed in the middle of it: {in_short(error)}"])
    return RanOn(CPU, ran.asked, note=note)


def _note(device: str, refused: list[str]) -> str | None:
    if not refused:
        return None
    where = "the processor" if device == CPU else device
    return f"the network runs on {where}; {'; '.join(refused)}"


def on_cpu(network: Source) -> InferenceSession:
    """Start a network on the processor.

    Raises:
        SystemError_: it cannot be loaded.
    """
    try:
        return runtime().InferenceSession(
            str(network.model),
            _options(network),
            providers=[_CPU_PROVIDER],
            disabled_optimizers=_LEFT_OUT,
        )
    except Exception as error:
        # onnxruntime's exceptions have no common base of their own
        where = str(network.model)
        told = SystemError_("the network cannot be loaded", where=where, got=str(error))
        raise (shortage(error, where) or told) from error


def _options(network: Source) -> Any:  # noqa: ANN401  its class has no complete types
    options = runtime().SessionOptions()
    options.intra_op_num_threads = network.threads
    options.log_severity_level = 3
    # waiting threads would otherwise burn a core each while the other works
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # the arena asks for more than it touches: quicker, but it breaks a cap on what is asked for
    options.enable_cpu_mem_arena = not network.is_capped
    options.enable_mem_pattern = not network.sizes_differ
    return options


def _accelerated(
    network: Network, device: Device, *, is_asked: bool
) -> tuple[InferenceSession, float | None]:
    """Start a network on an accelerator, and try it if that was not done in this process yet.

    Raises:
        _Refused: it does not start, answers otherwise than the processor, or does too little.
    """
    key = network.card.sha256, device.name
    with _TRYING:  # threads that come together wait for one trial
        before = _VERDICTS.get(key)
        if before is not None:
            raise _Refused(before)
        try:
            session = _session_on(network, device)
            share = _share(session, device.provider)
            if not is_asked and share is not None and share < LEAST_SHARE:
                raise _Refused(f"it would take {share:.0%} of the network's convolutions")
            if key not in _VERDICTS:
                _try(network, session)
        except _Refused as reason:
            _VERDICTS[key] = str(reason)
            raise
        _VERDICTS[key] = None
    return session, share


def _session_on(network: Network, device: Device) -> InferenceSession:
    said = load_libraries(device)
    options = _options(network)
    options.log_severity_level = _FATAL  # what fails is told by us
    options.enable_mem_pattern = device.fixed_memory
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    runtime().set_default_logger_severity(_FATAL)
    try:
        session = runtime().InferenceSession(
            str(network.model),
            options,
            providers=[(device.provider, device.options(network.threads)), _CPU_PROVIDER],
            enable_fallback=0,  # it would tell of it on stdout, which is for data
        )
    except Exception as error:
        raise _Refused(f"it did not start: {in_short(error)}") from error
    finally:
        runtime().set_default_logger_severity(_WARNING)
    if device.provider not in session.get_providers():
        raise _Refused(said or why_absent(device))
    return session


def _try(network: Network, session: InferenceSession) -> None:
    """Compare an accelerator with the processor on a small pair.

    Raises:
        _Refused: they differ, or it fails.
    """
    frames = trial.pair_for(network.card)
    try:
        answer = trial.answer_of(session, network.card, frames)
    except Exception as error:
        # as above: no common base
        raise _Refused(f"it failed on a trial: {in_short(error)}") from error
    expected = trial.answer_of(on_cpu(network), network.card, frames)
    differs = trial.disagreement(network.card, frames, answer, expected)
    if differs is not None:
        raise _Refused(differs)


def _share(session: Any, provider: str) -> float | None:  # noqa: ANN401  no complete types
    """Return which part of the convolutions a provider took; None where nothing tells."""
    try:
        parts = session.get_provider_graph_assignment_info()
    except (AttributeError, RuntimeError):
        return None  # ONNX Runtime before 1.24
    taken = [
        part.ep_name == provider
        for part in parts
        for node in part.get_nodes()
        if node.op_type == "Conv"
    ]
    return sum(taken) / len(taken) if taken else None


def in_short(error: Exception) -> str:
    """Return what an error of ONNX Runtime says, without the places in its own source."""
    text = " ".join(str(error).split()).rpartition("] ")[2].removeprefix(": ")
    if len(text) > LONGEST:
        text = f"... {text[-LONGEST:]}"
    return text or type(error).__name__


def forget_trials() -> None:
    """Forget what trials came to, as a new process does."""
    with _TRYING:
        _VERDICTS.clear()
