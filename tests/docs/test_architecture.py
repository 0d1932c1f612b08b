"""The plan that the page of the architecture draws is the one that the import contract proves."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def contract():
    """Return the layers of the contract that is exhaustive, rooms from left to right."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (plan,) = [c for c in contracts if c.get("exhaustive")]
    assert plan["containers"] == ["panfocus"]
    return [layer.split(" | ") for layer in plan["layers"]]


def picture():
    """Return the rooms of each line of the picture; what is said of them stands behind them."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    drawn = page.split("```\n")[1]
    parts = (re.split(r"\s{2,}", line.strip()) for line in drawn.splitlines())
    return [[part for part in line if part.isidentifier()] for line in parts]


def test_the_picture_is_the_contract():
    assert picture() == contract()


def test_every_room_is_drawn():
    rooms = {
        path.stem
        for path in (ROOT / "src/panfocus").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert rooms - {"__init__", "__main__"} == {room for line in picture() for room in line}
