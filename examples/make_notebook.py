"""Write each notebook from the file of Python of its name, whose ``# %%`` lines begin cells.

    python examples/make_notebook.py

A notebook is JSON, which nobody reads or compares well; its source is the file of Python.
"""

import json
from pathlib import Path

SOURCES = [
    Path(__file__).with_name(f"{name}.py")
    for name in ("first_fusion", "compare_systems", "both_papers")
]


def cells(text):
    """Yield (kind, lines) of the cells of a file of Python."""
    for part in text.split("# %%")[1:]:
        head, _, body = part.partition("\n")
        lines = body.strip("\n").split("\n")
        if "[markdown]" in head:
            yield "markdown", [line.removeprefix("#").removeprefix(" ") for line in lines]
        else:
            yield "code", lines


def notebook(text):
    """Return the notebook, without outputs, as JSON text."""
    made = []
    for number, (kind, lines) in enumerate(cells(text)):
        cell = {"cell_type": kind, "id": f"cell-{number:02d}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cell["source"] = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
        made.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for source in SOURCES:
        made = notebook(source.read_text(encoding="utf-8"))
        source.with_suffix(".ipynb").write_text(made, encoding="utf-8")
