"""What a user waits for on the page, in a real Chromium: opening, drafts, mending a planted fault.

    python benchmarks/page.py SCRATCH [--only draft,short,mend,many] [--count 30]

Makes stacks of one scene in `SCRATCH` (kept, and taken again): 30 frames of 24 megapixels, 12 of 12
with a fault of 60 pixels in one of them, 12 of 1200 x 800. Needs Playwright and a Chromium. Prints
Markdown: clock seconds, which whatever else runs on the machine lengthens, and the server's
processor seconds of all cores together.

- `draft`: from the start of the server to the draft on the stage, as the frames lie; 30 x 24 MP.
- `short`: the same of the small stack.
- `mend`: a user opens, fuses, goes to the fault, paints over it from the frame that is right, and
  saves; the PSNR of the fault against the truth, before and after.
- `many`: 100 frames of 24 MP (links) are opened, each is looked at; the server's peak memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

import panfocus
from compiled import environment

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.web.browser import ARGUMENTS, chromium, serving_process

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 97]
#: Where the fault begins, as a share of the picture's sides, and its side in pixels.
FAULT_AT = (0.46, 0.62)
FAULT = 60
#: A picture of this name is whole on the stage.
SHOWN = """(name) => {
  const pane = document.querySelector('.screen .pane');
  const viewer = pane && globalThis.OpenSeadragon?.getViewer(pane);
  const item = viewer?.world.getItemAt(0);
  return Boolean(item?.getFullyLoaded() && item.source.getTileUrl(0, 0, 0).includes(`/${name}/`));
}"""


def scene(height: int, width: int) -> NDArray[np.uint8]:
    """Return ``(H, W, 3)`` of detail at all scales, as photographs have it."""
    rng = np.random.default_rng(28)
    total = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < 2 * max(height, width):
        noise = rng.normal(0, 1, (min(side, height), min(side, width), 3)).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * side**-0.5
        side *= 2
    total -= total.mean()
    return np.clip(127 + total * (42 / total.std()), 0, 255).astype(np.uint8)


def make_stack(folder: Path, count: int, height: int, width: int) -> tuple[Path, NDArray[np.uint8]]:
    """Return a folder of frames, each sharp in its own stripe, and the truth."""
    sharp = scene(height, width)
    if len(list(folder.glob("*.jpg"))) == count:
        return folder, sharp
    folder.mkdir(parents=True, exist_ok=True)
    soft = cv2.GaussianBlur(sharp, (0, 0), 6.0)
    for n in range(count):
        frame = soft.copy()
        stripe = slice(n * width // count, (n + 1) * width // count)
        frame[:, stripe] = sharp[:, stripe]
        cv2.imwrite(str(folder / f"f{n:03d}.jpg"), frame, QUALITY)
    return folder, sharp


def fault_of(height: int, width: int) -> tuple[slice, slice]:
    """Return rows and columns of the fault."""
    top, left = int(FAULT_AT[0] * height), int(FAULT_AT[1] * width)
    return slice(top, top + FAULT), slice(left, left + FAULT)


def plant(folder: Path, count: int, height: int, width: int) -> int:
    """Put a harsh pattern into a frame that is soft there; return which frame is right."""
    rows, columns = fault_of(height, width)
    right = columns.start * count // width
    wrong = folder / f"f{(right + count // 2) % count:03d}.jpg"
    frame = cv2.imread(str(wrong))
    yy, xx = np.mgrid[0:FAULT, 0:FAULT]
    frame[rows, columns] = ((yy // 2 + xx // 2) % 2 * 255).astype(np.uint8)[..., None]
    cv2.imwrite(str(wrong), frame, QUALITY)
    return right


@dataclass
class Watched:
    """A page and the server behind it."""

    page: Page
    pid: int
    start: float

    @property
    def clock(self) -> float:
        """Seconds since the server was started."""
        return time.monotonic() - self.start

    @property
    def cpu(self) -> float:
        """Processor seconds of the server."""
        rest = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, rest[11:13])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak(self) -> float:
        """The server's peak memory in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def see(self, name: str) -> None:
        """Wait for a picture."""
        self.page.wait_for_function(SHOWN, arg=name, polling=20)

    def row(self, what: str) -> None:
        """Print what it has taken so far."""
        print(f"| {what} | {self.clock:.1f} | {self.cpu:.1f} | {self.peak:.0f} |", flush=True)


@contextmanager
def watched(browser: Browser, folder: Path) -> Iterator[Watched]:
    """Yield the page of a folder; the browser's own start does not count."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(600_000)
    start = time.monotonic()
    with serving_process(folder) as (address, server):
        it = Watched(page, server.pid, start)
        it.row("the server tells its address")
        page.goto(address)
        yield it
        context.close()


def draft(browser: Browser, folder: Path, what: str) -> None:
    """Measure the draft of a folder."""
    with watched(browser, folder) as it:
        it.see("draft")
        it.row(f"{what}: draft seen")
        it.page.locator(".job").first.wait_for(state="detached")
        it.row(f"{what}: aligned draft")


def mend(browser: Browser, folder: Path, sharp: NDArray[np.uint8], right: int) -> None:
    """Measure a user who mends the fault."""
    height, width = sharp.shape[:2]
    rows, columns = fault_of(height, width)
    for path in folder.glob("*mended*"):
        path.unlink()
    for path in folder.glob(".*unsaved*"):
        path.unlink()
    with watched(browser, folder) as it:
        page = it.page
        it.see("draft")
        page.get_by_label("System", exact=True).select_option("guided")
        page.get_by_role("button", name="Fuse", exact=True).click()
        page.wait_for_selector(".result")
        it.see("r1")
        it.row("12 x 12 MP: fused and seen (guided)")
        begun = it.clock
        taken = it.cpu
        page.get_by_role("tab", name="Mend", exact=True).click()
        page.locator(".screen").focus()
        page.keyboard.press("b")
        page.get_by_label("Painted from").select_option(str(right))
        x, y = columns.start + FAULT / 2, rows.start + FAULT / 2
        for _ in range(7):  # wheel at the fault, as one comes nearer to a spot
            page.mouse.move(*on_page(page, x, y))
            page.mouse.wheel(0, -240)
            page.wait_for_timeout(400)
        for _ in range(5):
            page.keyboard.press("]")
        for dy in (-20, 20):
            page.mouse.move(*on_page(page, x - 25, y + dy))
            page.mouse.down()
            page.mouse.move(*on_page(page, x + 25, y + dy), steps=12)
            page.mouse.up()
        page.wait_for_selector("text=2 strokes")
        it.see("r1")
        print(
            f"| 12 x 12 MP: mended on the page | {it.clock - begun:.1f} | {it.cpu - taken:.1f} | |"
        )
        page.get_by_role("tab", name="Save", exact=True).click()
        page.get_by_label("File name").fill("mended")
        page.get_by_label("Format").select_option("png")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector("text=Saved")
        print(
            f"| 12 x 12 MP: saved | {it.clock - begun:.1f} | {it.cpu - taken:.1f} | {it.peak:.0f} |"
        )
        page.screenshot(path=folder.parent / "mended.png")
    fused = panfocus.fuse(folder, system="guided").image[..., ::-1]
    saved = cv2.imread(str(folder / "mended.png"))
    before, after = (psnr(p[rows, columns], sharp[rows, columns]) for p in (fused, saved))
    print(f"| 12 x 12 MP: the fault has {before:.1f} dB fused, {after:.1f} dB mended | | | |")
    for path in folder.glob("mended*"):
        path.unlink()


def on_page(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a pixel of the picture is."""
    point = page.evaluate(
        """([x, y]) => {
          const pane = document.querySelector('.screen .pane');
          const item = OpenSeadragon.getViewer(pane).world.getItemAt(0);
          const at = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(x + .5, y + .5));
          const box = pane.getBoundingClientRect();
          return [box.left + at.x, box.top + at.y];
        }""",
        [x, y],
    )
    return float(point[0]), float(point[1])


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return decibels."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error))


def many(browser: Browser, source: Path, folder: Path) -> None:
    """Measure the memory of a hundred frames."""
    folder.mkdir(exist_ok=True)
    frames = sorted(source.glob("*.jpg"))
    for n in range(100):
        link = folder / f"g{n:03d}.jpg"
        if not link.exists():
            os.link(frames[n % len(frames)], link)
    with watched(browser, folder) as it:
        it.see("draft")
        it.row("100 x 24 MP: draft seen")
        it.page.locator(".screen").focus()
        for n in range(100):
            it.page.locator(".cell").nth(n).locator("button").first.click()
            it.see(f"frame-{n}")
        it.row("100 x 24 MP: every frame looked at")
        it.page.keyboard.press("1")
        it.page.wait_for_timeout(1000)
        it.see("frame-99")
        it.row("100 x 24 MP: one at full scale")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--only", default="draft,short,mend,many")
    parser.add_argument("--repeat", type=int, default=1)
    chosen = parser.parse_args()
    scratch: Path = chosen.scratch
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed program: compiled modules
    os.environ.update(environment())
    subprocess.run([sys.executable, "-m", "panfocus.web.serve"], check=True)
    acts: dict[str, Callable[[Browser], None]] = {
        "draft": lambda b: draft(
            b, make_stack(scratch / "shots30", 30, 4000, 6000)[0], "30 x 24 MP"
        ),
        "short": lambda b: draft(
            b, make_stack(scratch / "shots12s", 12, 800, 1200)[0], "12 x 1 MP"
        ),
        "mend": lambda b: mend(b, *planted(scratch)),
        "many": lambda b: many(b, scratch / "shots30", scratch / "shots100"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        load = os.getloadavg()[0]
        print(f"{date.today()}; load of the machine at the beginning {load:.1f}\n")
        print("| what | clock s | server's processor s | peak MiB |\n|---|---|---|---|", flush=True)
        for _ in range(chosen.repeat):
            for name in chosen.only.split(","):
                acts[name](browser)
        browser.close()


def planted(scratch: Path) -> tuple[Path, NDArray[np.uint8], int]:
    """Return the stack with the fault, its truth, and the frame that is right."""
    height, width, count = 3000, 4000, 12
    folder, sharp = make_stack(scratch / "shots12", count, height, width)
    return folder, sharp, plant(folder, count, height, width)


if __name__ == "__main__":
    main()
