"""Devices that are not here: an ONNX Runtime that pretends to have them."""

import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import panfocus
from panfocus.cli import devices as cli_devices
from panfocus.cli import main
from panfocus.errors import SystemError_, UsageError
from panfocus.io import Metadata, write_image
from panfocus.pipeline.options import ABOUT
from panfocus.pipeline.settings import make_settings
from panfocus.systems import NetworkSystem, devices, load_system, providers, sessions, trial
from tests.conftest import focal_pair
from tests.systems.test_network import write_tiny

CUDA = "CUDAExecutionProvider"


@dataclass
class Pretended:
    """ONNX Runtime with one more provider, which really is the processor.

    Attributes:
        provider: its name.
        fails: "", "start", "absent" (left out in silence), or "run" (after the trial).
        skew: added to what it answers.
        conv_share: of the convolutions that it says to take; None to tell nothing.
    """

    provider: str = CUDA
    fails: str = ""
    skew: float = 0.0
    conv_share: float | None = None
    started: list = field(default_factory=list)
    __version__ = "1.99"
    __file__ = onnxruntime.__file__
    SessionOptions = onnxruntime.SessionOptions
    RunOptions = onnxruntime.RunOptions
    preload_dlls = staticmethod(lambda: print("this must not reach stdout"))

    def set_default_logger_severity(self, level):
        pass

    def get_available_providers(self):
        return [self.provider, "CPUExecutionProvider"]

    def InferenceSession(self, model, options, providers, **kwargs):
        names = [p if isinstance(p, str) else p[0] for p in providers]
        self.started.append(names[0])
        real = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        if names[0] == "CPUExecutionProvider":
            return real
        if self.fails == "start":
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 100: no device")
        return PretendedSession(real, self, names)


@dataclass
class Part:
    ep_name: str
    count: int
    op_type: str = "Conv"

    def get_nodes(self):
        return [self] * self.count


@dataclass
class PretendedSession:
    real: object
    runtime: Pretended
    names: list
    runs: int = 0

    def get_providers(self):
        return self.names[1:] if self.runtime.fails == "absent" else self.names

    def get_provider_graph_assignment_info(self):
        share = self.runtime.conv_share
        if share is None:
            raise RuntimeError("not recorded")
        taken = round(100 * share)
        return [Part(self.names[0], taken), Part("CPUExecutionProvider", 100 - taken)]

    def run(self, names, given, options=None):
        self.runs += 1
        if self.runtime.fails == "run" and self.runs > 1:
            raise RuntimeError("CUDA failure 2: out of memory")
        out = self.real.run(names, given, options)
        return [out[0] + np.float32(self.runtime.skew)]


@pytest.fixture
def pretend(monkeypatch):
    def make(**facts):
        fake = Pretended(**facts)
        for module in (providers, sessions, cli_devices):
            monkeypatch.setattr(module, "runtime", lambda: fake)
        return fake

    sessions.forget_trials()
    yield make
    sessions.forget_trials()


@pytest.fixture
def tiny(tmp_path):
    return write_tiny(tmp_path / "tiny-1", tile_pixels=20_000)


def decide(system):
    frames, _ = focal_pair(96, 160)
    return system.decide(frames.astype(np.float32) / 255)


def test_the_words_of_the_command_line_are_the_devices():
    assert tuple(ABOUT["device"].choices or ()) == devices.NAMES
    assert (devices.AUTO, devices.CPU, *providers.ACCELERATORS) == devices.NAMES
    with pytest.raises(UsageError, match="device"):
        make_settings(device="tpu")
    with pytest.raises(UsageError, match="device"):
        load_system("guided", device="tpu")


def test_what_is_installed_here_runs_on_the_processor(tiny):
    auto, cpu = NetworkSystem(tiny), NetworkSystem(tiny, device="cpu")
    np.testing.assert_array_equal(decide(auto), decide(cpu))
    assert cpu.ran_on.device == "cpu" and cpu.ran_on.note is None


def test_auto_takes_an_accelerator_that_works_and_tries_it_once(tiny, pretend):
    fake = pretend(conv_share=1.0)
    expected = decide(NetworkSystem(tiny, device="cpu"))
    fake.started.clear()
    for _ in range(2):
        system = NetworkSystem(tiny)
        np.testing.assert_array_equal(decide(system), expected)
        assert system.ran_on.device == "cuda" and system.ran_on.share == 1.0
        assert system.ran_on.note is None
    assert fake.started == [CUDA, "CPUExecutionProvider", CUDA]  # one trial, two systems


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"fails": "start"}, "no device"),
        ({"fails": "absent"}, "must not reach stdout"),
        ({"fails": "absent", "provider": "CoreMLExecutionProvider"}, "driver"),
        ({"skew": 0.5}, "grey levels"),
        ({"skew": np.nan}, "no numbers"),
        ({"conv_share": 0.4}, "40% of the network's convolutions"),
    ],
)
def test_auto_falls_back_and_says_why(tiny, pretend, facts, reason, capsys):
    fake = pretend(**facts)
    frames, _ = focal_pair(96, 160)
    with warnings.catch_warnings():
        result = panfocus.fuse(frames, system=str(tiny))
        again = panfocus.fuse(frames, system=str(tiny))
    told = [w for w in result.report.warnings if "the network runs on the processor" in w]
    assert len(told) == 1 and reason in told[0]
    assert result.report.system["device"]["device"] == "cpu"
    np.testing.assert_array_equal(result.image, again.image)
    assert fake.started.count(fake.provider) == 1  # what failed is not tried again
    assert capsys.readouterr().out == ""
    json.dumps(result.report.to_dict())


def test_a_device_that_was_named_is_had_or_an_error(tiny, pretend):
    pretend(fails="start")
    with pytest.raises(SystemError_, match="no device") as told:
        decide(NetworkSystem(tiny, device="cuda"))
    assert '`device="auto"`' in str(told.value)
    with pytest.raises(SystemError_, match="onnxruntime-openvino"):
        NetworkSystem(tiny, device="openvino")  # before any work
    pretend(conv_share=0.4)
    sessions.forget_trials()
    system = NetworkSystem(tiny, device="cuda")  # slower or not: it was asked for
    decide(system)
    assert system.ran_on.device == "cuda"


def test_an_accelerator_that_fails_in_the_middle(tiny, pretend):
    pretend(fails="run")
    expected = decide(NetworkSystem(tiny, device="cpu"))
    system = NetworkSystem(tiny)
    np.testing.assert_array_equal(decide(system), expected)
    assert system.ran_on.device == "cpu"
    assert "cuda failed in the middle" in system.ran_on.note
    assert "out of memory" in system.ran_on.note
    named = NetworkSystem(tiny, device="cuda")
    with pytest.raises(SystemError_, match='device="cpu"'):
        for _ in range(2):
            decide(named)


def test_directml_is_asked_in_turn_with_memory_of_its_own(tiny, pretend):
    pretend(provider="DmlExecutionProvider")
    system = NetworkSystem(tiny, device="directml")
    decide(system)
    assert system.ran_on.provider == "DmlExecutionProvider"
    assert providers.ACCELERATORS["directml"].in_turn
    assert not providers.ACCELERATORS["directml"].fixed_memory


def test_openvino_on_a_processor_is_not_taken_unasked(tiny, pretend):
    pretend(provider="OpenVINOExecutionProvider")
    system = NetworkSystem(tiny)
    decide(system)
    assert system.ran_on.device == "cpu" and system.ran_on.note is None
    assert providers.ACCELERATORS["openvino"].options(3) == {
        "device_type": "CPU",
        "num_of_threads": "3",
    }


def test_a_system_without_a_network_says_so_where_a_device_was_named(pretend):
    pretend()
    frames, _ = focal_pair()
    result = panfocus.fuse(frames, system="guided", device="cuda")
    assert any("no network has run" in w for w in result.report.warnings)
    assert result.report.system["device"] is None


def test_a_picture_from_an_accelerator(tmp_path, pretend):
    pretend()
    system = load_system(write_tiny(tmp_path / "drawn-1", kind="picture"), device="cuda")
    frames, _ = focal_pair()
    result = panfocus.fuse(frames, system=system)
    assert result.report.system["device"]["device"] == "cuda"


def test_bounds_of_the_trial(tiny):
    card = NetworkSystem(tiny).card
    frames = trial.pair_for(card)
    right = np.zeros((2, *frames.shape[2:]), np.float32)
    half = frames.shape[3] // 2
    right[0, :, :half] = right[1, :, half:] = 1
    assert trial.disagreement(card, frames, right, right) is None
    assert trial.disagreement(card, frames, right * np.float32(0.998), right) is None
    for wrong in (np.full_like(right, 0.5), right[::-1], np.roll(right, 4, 2), right[:1]):
        assert trial.disagreement(card, frames, wrong, right) is not None


def test_devices_are_listed(tiny, pretend, capsys):
    pretend(conv_share=1.0)
    assert main(["devices", "--system", str(tiny), "--json"]) == 0
    told = {d["name"]: d for d in json.loads(capsys.readouterr().out)["devices"]}
    assert told["cpu"]["state"] == told["cuda"]["state"] == "works"
    assert told["cuda"]["seconds"] > 0 and "100%" in told["cuda"]["words"]
    assert told["openvino"]["state"] == "not offered"
    sessions.forget_trials()
    pretend(fails="start")
    assert main(["devices", "--system", str(tiny)]) == 0
    assert "does not work" in capsys.readouterr().out
    assert main(["devices", "--system", "guided"]) == 2
    assert main(["devices", "--system", "nobody"]) == 2


def test_the_command_line_tells_the_device(tiny, pretend, tmp_path, capsys):
    pretend(conv_share=1.0)
    frames, _ = focal_pair()
    names = [str(tmp_path / f"{n}.png") for n in range(2)]
    for name, frame in zip(names, frames, strict=True):
        write_image(Path(name), frame, Metadata())
    out = str(tmp_path / "f.png")
    words = ["fuse", *names, "-o", out, "-s", str(tiny), "--device", "cuda", "-v", "--json"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "fused by tiny on cuda" in told.err
    assert f"device: cuda ({CUDA})" in told.err
    assert json.loads(told.out)["system"]["device"]["provider"] == CUDA


def test_no_command_in_the_table_is_cut_off(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["devices", "--system", "dualpath"]) == 0
    told = capsys.readouterr().out
    assert "pip install" in told
    assert "…" not in told
