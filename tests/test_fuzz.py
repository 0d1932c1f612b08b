"""The campaign sees what is wrong, and lets pass what is right."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from fuzz.case import Case, How
from fuzz.corpus import corpus
from fuzz.limits import closed
from fuzz.process import try_case

if os.name != "posix":
    pytest.skip("copies of a process, and their limits", allow_module_level=True)


def lay(folder):
    (folder / "frame.png").write_bytes(b"frame")
    return ["--version"]


def faults_of(call, codes=(0,), **how):
    case = Case("test", "test", lay, codes=codes, how=How(**{"memory": 10**6, **how}), call=call)
    return {fault for fault, _ in try_case(case)[1]}


def lose(_):
    Path("frame.png").unlink()


def change(_):
    with Path("frame.png").open("ab") as file:
        file.write(b"x")


def leave(_):
    Path(".panfocus-1.part").touch()


def raise_(_):
    raise KeyError("x")


def speak(_):
    print("got: 'NoneType' object is not subscriptable", file=sys.stderr)


def crash(_):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(_):
    time.sleep(60)


def spin(_):
    while True:
        pass


def go_silently(_):
    sys.stdout.flush()
    os._exit(1)


@pytest.mark.parametrize(
    ("call", "fault", "how"),
    [
        (lose, "lost", {}),
        (change, "lost", {}),
        (leave, "left", {}),
        (raise_, "traceback", {}),
        (speak, "words", {}),
        (crash, "crash", {}),
        (hang, "hang", {"seconds": 0.2}),
        (spin, "hang", {"seconds": 1}),
        (go_silently, "silent", {}),
        (lambda _: None, "memory", {"memory": 1}),
    ],
)
def test_what_is_wrong_is_seen(call, fault, how):
    codes = (0, 1) if fault == "silent" else (0,)
    assert fault in faults_of(call, codes, **how)


def test_what_is_right_passes():
    assert faults_of(lambda _: None) == set()
    assert faults_of(None) == set()


def test_signals_that_the_campaign_was_told_to_ignore_reach_a_case():
    def listen(_):
        time.sleep(60)

    before = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGHUP, signal.SIGQUIT)}
    try:
        for number in before:
            case = Case("test", "test", lay, how=How(stop=(number, 0.1)), call=listen)
            assert try_case(case)[0].code == -number
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_cases_have_names_of_their_own_and_are_many():
    names = [(case.kind, case.name) for case in corpus()]
    assert len(names) >= 600
    assert len(set(names)) > 0.95 * len(names)


@pytest.mark.parametrize("what", ["all here", "evaluate", "batch", "system", "view", "check"])
def test_folders_that_may_be_listed_and_not_entered_are_told(what):
    cases = {case.name: case for case in closed()}
    for mode in ("400", "600"):
        ran, found = try_case(cases[f"{what} closed {mode}"])
        assert not found
        assert "something unexpected" not in ran.err


def test_links_to_folders_are_no_loss():
    def link(folder):
        (folder / "a").mkdir()
        (folder / "b").symlink_to("a", target_is_directory=True)
        return ["--version"]

    assert not try_case(Case("test", "test", link))[1]
