"""Rows of docs/programs.md that tell who agrees: each names a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\|(?!-)(?! format).*\|$", re.MULTILINE)


def test_every_row_is_a_test():
    text = (ROOT / "docs/programs.md").read_text()
    rows = ROW.findall(text[text.index("## Who agrees") :])
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)`", row.rsplit("|", 2)[1])
        assert named, row
        assert all((ROOT / "tests" / name).is_file() for name in named), row
