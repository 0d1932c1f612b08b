"""Messages have one style: what went wrong, in lower case and without a full stop."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import panfocus
from panfocus import errors

RAISED = {n for n, c in vars(errors).items() if isinstance(c, type)}
SOURCES = sorted(Path(panfocus.__file__).parent.rglob("*.py"))


def literals(what: ast.expr) -> Iterator[ast.expr]:
    """Yield the texts that an expression may be."""
    if isinstance(what, ast.IfExp):
        yield from literals(what.body)
        yield from literals(what.orelse)
    elif isinstance(what, (ast.Constant, ast.JoinedStr)):
        yield what


def messages(source: str) -> Iterator[str]:
    """Yield what every error says first; values that are put in count as a word."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        for text in literals(node.args[0]) if node.func.id in RAISED else ():
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "it" for p in parts)


def is_in_style(message: str) -> bool:
    """Whether it begins small, but for a name, and ends without a full stop."""
    return not re.match(r"[A-Z][a-z]|A ", message) and not message.endswith(".")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: "/".join(p.parts[-2:]))
def test_one_style(path):
    assert [m for m in messages(path.read_text(encoding="utf-8")) if not is_in_style(m)] == []


def test_the_style_is_seen():
    source = (
        'raise InputError("The file is gone.")\nraise UsageError(f"{a} is none" if b else "A b")'
    )
    assert [is_in_style(m) for m in messages(source)] == [False, True, False]
