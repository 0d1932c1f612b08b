"""Pages lead where they say, here and on whatever shows a repository; the reference is whole."""

import re
from pathlib import Path

import pytest

import panfocus
from panfocus import metrics

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def anchors(text):
    """Return the anchors that headings get, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s+", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    here = ROOT / page
    text = CODE.sub("", here.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        there = (here.parent / target).resolve() if target else here
        assert there.is_file(), link
        # the reference is filled by tools: only headings that are written can be looked up
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), link


def test_pages_that_are_named_exist():
    named = set()
    for path in [*ROOT.glob("*.md"), *(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.md")]:
        named |= set(re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def reference(page):
    return (ROOT / "docs/reference" / page).read_text(encoding="utf-8")


def test_the_reference_has_every_public_name():
    told = set(re.findall(r"^::: panfocus\.(\w+)$", reference("panfocus.md"), re.MULTILINE))
    assert told == set(panfocus.__all__) - {"__version__"}
    assert "panfocus.__version__" in reference("panfocus.md")


def test_the_reference_has_every_metric_name():
    (members,) = re.findall(r"members: \[(.+)\]", reference("metrics.md"))
    assert set(members.split(", ")) == set(metrics.__all__)
