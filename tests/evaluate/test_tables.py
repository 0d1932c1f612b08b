"""Every table of docs/results.md says a command, and the command is there."""

import re
import runpy

import pytest


@pytest.fixture
def root(request):
    return request.config.rootpath


def test_every_table_has_a_command_of_its_own(root):
    report = runpy.run_path(str(root / "benchmarks/report.py"))
    text = (root / "Makefile").read_text()
    listed = re.search(r"^TABLES := ((?:.*\\\n)*.*)", text, re.MULTILINE)[1]
    tables = set(listed.replace("\\", " ").split())
    goals = set(re.findall(r"^([a-z][\w -]*):", text, re.MULTILINE))
    goals = {word for words in goals for word in words.split()}
    for name in report["PARTS"]:
        command = report["command_for"](name)
        assert command.removeprefix("make ") in goals, name
        assert name in tables or name in report["OWN_COMMANDS"]
    assert tables <= set(report["PARTS"])
    for _, names in report["PAPERS"]:
        assert set(names) <= set(report["PARTS"])


def test_the_programs_that_make_them_are_there(root):
    text = (root / "Makefile").read_text()
    for name in re.findall(r"benchmarks/(\w+\.py)", text):
        assert (root / "benchmarks" / name).is_file(), name
