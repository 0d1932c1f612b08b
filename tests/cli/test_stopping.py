"""A signal ends the command line at every moment: soon, with its code, and in one sentence."""

import os
import signal
import subprocess
import sys
import time

import pytest

from panfocus.cli.stopping import INTERRUPTED, PATIENCE_S, TOLD

if os.name != "posix":
    pytest.skip("signals of POSIX", allow_module_level=True)


def hear():
    """Have no signal ignored, as a shell's background has some."""
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(code):
    """Return how a program of Python's went, and for how long."""
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=hear,
    )  # fmt: skip
    return ran, time.monotonic() - started


EARLY = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["panfocus", "systems"]
runpy.run_module("panfocus", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name", ["panfocus.cli", "panfocus.cli.streams", "panfocus.cli.stopping"])
def test_ctrl_c_before_anything_listens_is_no_traceback(name):
    ran, _ = run(EARLY.format(name=name))
    assert ran.returncode == -signal.SIGINT
    assert ran.stderr == ran.stdout == ""


@pytest.mark.parametrize("name", ["panfocus.cli.app", "panfocus.systems"])
def test_ctrl_c_while_the_command_line_loads_is_one_sentence(name):
    ran, _ = run(EARLY.format(name=name))
    assert ran.returncode == INTERRUPTED
    assert ran.stderr == f"panfocus: {TOLD}\n"


DEAF = """
import os, signal, sys, time
from panfocus.cli.stopping import listen

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)

listen(is_own=True)
Deaf()
time.sleep(30)
print("it went on")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_in_a_place_that_can_raise_nothing_is_not_lost(name):
    ran, seconds = run(DEAF.format(name=name))
    assert ran.returncode == INTERRUPTED
    assert ran.stderr == ran.stdout == ""
    assert seconds < 25  # half a minute is what it would sleep


BUSY = """
import atexit, sys, threading, time
import panfocus.cli

def run(_):
    threading.Thread(target=time.sleep, args=(30,)).start()
    atexit.register(print, "tidied")
    raise SystemExit(130)

panfocus.cli._run = run
sys.exit(panfocus.cli.main())
"""


def test_an_interrupted_process_does_not_wait_for_threads_of_libraries():
    ran, seconds = run(BUSY)
    assert ran.returncode == INTERRUPTED
    assert ran.stdout == "tidied\n"
    assert ran.stderr == f"panfocus: {TOLD}\n"
    assert seconds < 25


DONE = """
import atexit, sys, threading, time
from panfocus.cli.stopping import end

def work():
    time.sleep(0.5)
    print("worked")

atexit.register(print, "tidied")
{before}
print("told", end="; ")
try:
    end({code})
finally:
    print("taken apart", end="; ")
"""


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_is_done_tidies_up_and_is_not_taken_apart(code):
    ran, _ = run(DONE.format(before="", code=code))
    assert ran.returncode == code
    assert ran.stdout == "told; tidied\n"
    assert ran.stderr == ""


def test_a_process_that_is_done_waits_for_threads_at_work():
    ran, _ = run(DONE.format(before="threading.Thread(target=work).start()", code=3))
    assert ran.returncode == 3
    assert ran.stdout == "told; taken apart; worked\ntidied\n"


def test_a_process_that_is_done_leaves_a_profiler_its_say():
    ran, _ = run(DONE.format(before="sys.setprofile(lambda *_: None)", code=3))
    assert ran.returncode == 3
    assert ran.stdout == "told; taken apart; tidied\n"


def ended(body, number=signal.SIGTERM, after="ready"):
    """Run lines of Python that listen, stop them, and return exit code, output and seconds."""
    lines = f"""
import sys, time
from panfocus.cli import stopping
stopping.listen(is_own=True)
{body}
"""
    process = subprocess.Popen(
        [sys.executable, "-c", lines],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear,  # noqa: PLW1509  as above
    )
    assert process.stdout.readline().strip() == after
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    return process.returncode, out, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_code_on_the_way_keeps_to_itself_stops_all_the_same(number):
    body = """
try:
    print("ready", flush=True)
    time.sleep(20)
except:
    pass
time.sleep(20)
print("went on")
"""
    code, out, seconds = ended(body, number)
    assert (code, out) == (130, "")
    assert seconds < 10


def test_what_is_cleaned_up_after_a_signal_is_not_stopped_again():
    body = """
try:
    try:
        print("ready", flush=True)
        time.sleep(20)
    finally:
        for _ in range(25):
            time.sleep(0.1)
        print("tidy", flush=True)
finally:
    stopping.has_ended()
"""
    code, out, _ = ended(body)
    assert (code, out) == (130, "tidy\n")


def test_a_training_ends_its_step_and_is_not_dropped_meanwhile():
    body = f"""
import hashlib
from panfocus.train.interrupt import Stop
with Stop() as stop:
    began = time.monotonic()
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 200_000)
    rounds = 200_000 * {PATIENCE_S + 2} / (time.monotonic() - began)
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", int(rounds))  # one call, which hears nothing
    assert stop.asked
    print("saved", flush=True)
stopping.has_ended()
"""
    code, out, _ = ended(body)
    assert (code, out) == (0, "saved\n")
