"""Pictures of the page in its states, for the documentation and to be looked at.

    python benchmarks/page_pictures.py SCRATCH OUT [--docs docs/images]

Makes a stack of photographs (of scikit-image, extra `demo`) and a fluorescence volume in `SCRATCH`,
and writes PNGs of every state into `OUT`: dark and light, a desk's window and a telephone's. With
`--docs` the few of them that the documentation shows are written there, too, as JPEG.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import tifffile
from playwright.sync_api import Browser, Page, sync_playwright

from panfocus.cli import main as main_of_panfocus
from panfocus.demo import stories
from panfocus.synthesis.fluorescence import structures

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.web.browser import ARGUMENTS, chromium, viewing

WINDOWS = {
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "phone": {
        "viewport": {"width": 390, "height": 780},
        "color_scheme": "dark",
        "has_touch": True,
        "device_scale_factor": 2,
    },
}
#: What the documentation shows, by the names of the states in the dark window.
IN_DOCS = {"see": "view_see", "mend": "view_mend", "volume": "view_volume", "dim": "view_dim"}
READY = """() => {
  const viewer = OpenSeadragon.getViewer(document.querySelector('.screen .pane'));
  const { world } = viewer;
  const items = [...Array(world.getItemCount()).keys()].map((n) => world.getItemAt(n));
  return items.length > 0 && items.every((item) => item.getFullyLoaded());
}"""


def make_photos(scratch: Path) -> Path:
    """Return a folder of eight frames; a spoilt spot is in one of them."""
    folder = scratch / "motorcycle"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for n, frame in enumerate(stories()[0].scene.frames):
            cv2.imwrite(str(folder / f"{n + 1:02d}.png"), frame[..., ::-1])
    return folder


def make_dim(scratch: Path) -> Path:
    """Return a folder of nine frames of 10 bits in 16."""
    folder = scratch / "dim"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        rng = np.random.default_rng(3)
        for n, frame in enumerate(structures(rng, count=90, planes=9, size=(512, 700)).frames):
            cv2.imwrite(str(folder / f"{n + 1:02d}.png"), frame // 4 + 80)
    return folder


def make_volume(scratch: Path) -> Path:
    """Return an OME-TIFF of 3 times, 2 channels, 11 planes of 12 bits in 16."""
    path = scratch / "cells.ome.tif"
    if not path.exists():
        stacks = [
            [
                structures(
                    np.random.default_rng(10 * t + c), count=70, planes=11, size=(480, 640)
                ).frames
                for c in range(2)
            ]
            for t in range(3)
        ]
        facts = {
            "axes": "TCZYX",
            "PhysicalSizeX": 0.325,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": 0.325,
            "PhysicalSizeYUnit": "µm",
            "PhysicalSizeZ": 1.5,
            "PhysicalSizeZUnit": "µm",
            "Channel": {"Name": ["DAPI", "GFP"]},
        }
        tifffile.imwrite(path, np.array(stacks), metadata=facts, ome=True)
    return path


def make_evaluation(scratch: Path) -> tuple[Path, Path]:
    """Return scores of two systems with their pictures, and the folder of the sets."""
    sets, scores = scratch / "sets", scratch / "scores"
    if not scores.is_dir():
        for story in stories()[:2]:
            folder = sets / story.name
            folder.mkdir(parents=True, exist_ok=True)
            for n, frame in enumerate(story.scene.frames):
                cv2.imwrite(str(folder / f"{n + 1:02d}.png"), frame[..., ::-1])
            cv2.imwrite(str(folder / "truth.png"), story.scene.truth[..., ::-1])
        words = ["evaluate", "--data", str(sets), "--out", str(scores), "--save-images"]
        words += ["--systems", "guided,dualpath", "--metrics", "SSIM,GMSD,Q_G", "--no-plots"]
        main_of_panfocus(words)
    return scores, sets


class Tour:
    """One window in which pictures are taken."""

    def __init__(self, page: Page, out: Path, window: str) -> None:
        self.page = page
        self._out = out
        self._window = window

    def shoot(self, name: str) -> None:
        """Take a picture of what is on the page once it is whole."""
        if self.page.locator(".screen .pane").count():
            self.page.wait_for_function(READY)
            self.page.wait_for_timeout(700)
        self.page.screenshot(path=self._out / f"{name}-{self._window}.png")

    def tab(self, name: str) -> None:
        """Go to a tab."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def stack(self, name: str) -> None:
        """Go to an open stack."""
        self.page.locator(".tab .name", has_text=name).click()
        self.page.wait_for_selector(".cell img")
        self.page.wait_for_selector("option[value=draft]", state="attached")

    def fuse(self, system: str = "guided") -> None:
        """Fuse and wait."""
        self.tab("Fuse")
        results = self.page.locator(".result").count()
        self.page.get_by_label("System", exact=True).select_option(system)
        self.page.get_by_role("button", name="Fuse", exact=True).click()
        self.page.wait_for_function(
            "n => document.querySelectorAll('.result').length > n", arg=results
        )
        self.page.locator(".job").first.wait_for(state="detached")


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a share of the picture is on the page."""
    found = page.evaluate(
        """([x, y]) => {
          const pane = document.querySelector('.screen .pane');
          const item = OpenSeadragon.getViewer(pane).world.getItemAt(0);
          const size = item.getContentSize();
          const where = new OpenSeadragon.Point(x * size.x, y * size.y);
          const at = item.imageToViewerElementCoordinates(where);
          const box = pane.getBoundingClientRect();
          return [box.left + at.x, box.top + at.y];
        }""",
        [x, y],
    )
    return float(found[0]), float(found[1])


def photos(tour: Tour) -> None:
    """See, compare, mend and save a stack of photographs."""
    page = tour.page
    tour.stack("motorcycle")
    tour.shoot("draft")
    page.locator("summary", has_text="Alignment and brightness").click()
    tour.shoot("options")
    tour.fuse("dualpath")
    tour.shoot("fused")
    tour.tab("See")
    page.get_by_role("radio", name="Depth").click()
    page.get_by_role("radio", name="Wipe").click()
    page.get_by_label("Compared with").select_option(index=4)
    page.mouse.move(*at(page, 0.2, 0.3))
    page.mouse.move(*at(page, 0.23, 0.35))
    page.wait_for_selector("output.value >> text=frame")
    tour.shoot("see")
    page.get_by_role("radio", name="None").click()
    page.get_by_role("radio", name="Side by side").click()
    tour.shoot("side")
    page.get_by_role("radio", name="One", exact=True).click()
    page.get_by_role("button", name="Height in 3-D").click()
    page.wait_for_timeout(2500)
    tour.shoot("solid")
    page.keyboard.press("Escape")
    tour.tab("Mend")
    page.get_by_role("radio", name="Brush").click()
    page.get_by_label("Painted from").select_option("6")
    page.mouse.move(*at(page, 0.45, 0.3))
    page.mouse.down()
    page.mouse.move(*at(page, 0.55, 0.42), steps=8)
    page.mouse.move(*at(page, 0.6, 0.3), steps=8)
    tour.shoot("mend")
    page.mouse.up()
    page.wait_for_selector("text=1 stroke")
    tour.tab("Save")
    page.wait_for_selector("code >> text=panfocus fuse")
    tour.shoot("save")


def volume(tour: Tour) -> None:
    """The same of a volume."""
    page = tour.page
    tour.stack("cells")
    tour.shoot("volume_draft")
    page.get_by_role("slider", name="Channel").fill("1")
    page.wait_for_timeout(500)
    page.wait_for_selector("option[value=draft]", state="attached")
    tour.fuse()
    tour.tab("See")
    page.get_by_role("radio", name="Depth").click()
    page.mouse.move(*at(page, 0.5, 0.5))
    page.mouse.move(*at(page, 0.52, 0.5))
    page.wait_for_selector("output.value >> text=frame")
    tour.shoot("volume")
    page.get_by_role("button", name="Height in 3-D").click()
    page.get_by_role("dialog").get_by_role("radio", name="Depth").click()
    page.wait_for_timeout(2500)
    tour.shoot("volume_solid")
    page.keyboard.press("Escape")
    tour.tab("Save")
    page.wait_for_selector("code >> text=panfocus fuse")
    tour.shoot("volume_save")
    page.locator("#panel").evaluate("n => n.scrollTo(0, 10000)")
    tour.shoot("volume_save_below")


def dim(tour: Tour) -> None:
    """Frames that use few of the numbers that their files can hold."""
    tour.stack("dim")
    tour.tab("See")
    tour.shoot("dim")


def comparison(tour: Tour) -> None:
    """An evaluation."""
    page = tour.page
    page.locator(".tab .name", has_text="scores").click()
    page.wait_for_selector(".scores td")
    page.get_by_role("radio", name="This part").click()
    page.wait_for_timeout(2500)
    tour.shoot("compare")
    page.get_by_role("button", name="Difference to truth").click()
    tour.shoot("compare_difference")


def others(tour: Tour) -> None:
    """What is there without a stack, and the keys."""
    page = tour.page
    page.get_by_role("button", name="Keys").click()
    tour.shoot("keys")
    page.keyboard.press("Escape")
    page.locator(".brand").click()
    page.wait_for_selector(".listing .head")
    tour.shoot("open")


@contextmanager
def window(browser: Browser, name: str, address: str) -> Iterator[Page]:
    """Yield a page in a window of a kind."""
    context = browser.new_context(locale="en-US", reduced_motion="reduce", **WINDOWS[name])
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    yield page
    context.close()


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--windows", default=",".join(WINDOWS))
    parser.add_argument("--only", default="photos,volume,dim,comparison,others")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    stacks = [make_photos(chosen.scratch), make_volume(chosen.scratch)]
    stacks += [make_dim(chosen.scratch), *make_evaluation(chosen.scratch)]
    acts = {
        "photos": photos,
        "volume": volume,
        "dim": dim,
        "comparison": comparison,
        "others": others,
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        for name in chosen.windows.split(","):
            with viewing(*stacks) as address, window(browser, name, address) as page:
                tour = Tour(page, chosen.out, name)
                for act in chosen.only.split(","):
                    acts[act](tour)
        browser.close()
    for state, file in IN_DOCS.items() if chosen.docs else ():
        picture = cv2.imread(str(chosen.out / f"{state}-dark.png"))
        cv2.imwrite(str(chosen.docs / f"{file}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
