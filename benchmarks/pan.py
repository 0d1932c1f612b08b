"""Frames a second while a fused stack is panned on the page, in a Chromium without a screen.

    python benchmarks/pan.py shots/ [--gl swiftshader]

Needs Playwright and a Chromium. Without a graphics card Chromium draws by itself (the default here)
or lets SwiftShader emulate a card, which costs several times as much; a page on a desk has a card.
On a machine that others use, look at the processor time of a frame.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.web.browser import ARGUMENTS, chromium, viewing

SECONDS = 5
PAN = """async (seconds) => {
  const viewer = OpenSeadragon.getViewer(document.querySelector('.screen .pane'));
  const start = performance.now();
  let frames = 0;
  await new Promise((done) => {
    const next = () => {
      frames += 1;
      const turn = frames / 30;
      const to = new OpenSeadragon.Point(0.5 + 0.2 * Math.cos(turn), 0.33 + 0.1 * Math.sin(turn));
      viewer.viewport.panTo(to, true);
      if (performance.now() - start < seconds * 1000) requestAnimationFrame(next); else done();
    };
    requestAnimationFrame(next);
  });
  return frames / ((performance.now() - start) / 1000);
}"""


def processor_seconds() -> float:
    """Return what all processes of Chromium have taken, user and system."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        try:
            stat = (folder / "stat").read_text() if folder.name.isdigit() else ""
        except OSError:
            continue
        name, _, rest = stat.rpartition(")")
        if "chrom" in name:
            ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Fuse, pan at two scales, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--gl", choices=("none", "swiftshader"), default="none")
    chosen = parser.parse_args()
    arguments = list(ARGUMENTS)
    if chosen.gl == "swiftshader":
        arguments.remove("--disable-gpu")
        arguments += ["--use-gl=angle", "--use-angle=swiftshader"]
    with viewing(chosen.folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        page = browser.new_context(
            viewport={"width": 1280, "height": 800}, locale="en-US"
        ).new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        page.wait_for_selector(".cell img")
        page.get_by_label("System", exact=True).select_option("guided")
        page.get_by_role("button", name="Fuse", exact=True).click()
        page.wait_for_selector(".result")
        page.locator(".job").first.wait_for(state="detached")
        for name, key in (("whole picture", "0"), ("full scale", "1")):
            page.locator(".screen").focus()
            page.keyboard.press(key)
            page.wait_for_timeout(2500)
            page.evaluate(PAN, SECONDS)  # tiles come for the first time
            before = processor_seconds()
            rate = float(page.evaluate(PAN, SECONDS))
            each = (processor_seconds() - before) / (rate * SECONDS)
            print(f"{name}: {rate:.0f} frames a second, {each * 1000:.1f} ms of processor a frame")
        browser.close()


if __name__ == "__main__":
    main()
