"""The page in a real Chromium: from a folder to a mended, saved picture, and by keys alone."""

import json
import shlex
import shutil
import time
from zipfile import ZipFile

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus import fuse_volume
from panfocus.cli import main
from tests.conftest import psnr
from tests.web.browser import page_of, viewing
from tests.web.conftest import SPOT, planted, write_frames
from tests.web.test_mending import read

HEIGHT, WIDTH = 160, 240


@pytest.fixture
def spoilt(tmp_path):
    frames, sharp = planted(3, HEIGHT, WIDTH)  # each sharp in a third of it
    return write_frames(tmp_path / "wasp", frames), sharp


def fuse(page):
    """Fuse by the guided filter, frames as they lie."""
    page.get_by_label("System", exact=True).select_option("guided")
    page.locator("summary", has_text="Alignment and brightness").click()
    page.get_by_label("Alignment", exact=True).select_option("none")
    page.get_by_label("Brightness", exact=True).select_option("none")
    page.get_by_role("button", name="Fuse", exact=True).click()
    page.wait_for_selector(".result")
    page.locator(".job").first.wait_for(state="detached")


def at(page, x, y):
    """Return where a pixel of the picture is on the page."""
    box = page.locator(".screen").bounding_box()
    scale = min(box["width"] / WIDTH, box["height"] / HEIGHT)
    left = box["x"] + (box["width"] - WIDTH * scale) / 2
    top = box["y"] + (box["height"] - HEIGHT * scale) / 2
    return left + (x + 0.5) * scale, top + (y + 0.5) * scale


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def paint(page, x, y):
    page.mouse.move(*at(page, x - 8, y))
    page.mouse.down()
    page.mouse.move(*at(page, x, y), steps=3)
    page.mouse.move(*at(page, x + 8, y), steps=3)
    page.mouse.up()


def strokes(page):
    """Return how many strokes the server has."""
    return page.evaluate(
        "async () => (await (await fetch(`/api/stacks/${location.hash.slice(1)}/strokes`)).json())"
        ".strokes.length"
    )


def until(page, count):
    end = time.monotonic() + 60
    while strokes(page) != count:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_from_a_folder_to_a_mended_picture(browser, spoilt, tmp_path, capsys):
    folder, sharp = spoilt
    with viewing(folder) as address, page_of(browser, address) as page:
        # opened, with a draft
        page.wait_for_selector(".cell img")
        assert page.locator(".cell").count() == 3
        page.wait_for_selector("option[value=draft]", state="attached")
        fuse(page)
        # two pictures and a line between them
        page.get_by_role("radio", name="Wipe").click()
        page.get_by_label("Compared with").select_option(label="2: f1.png")
        handle = page.get_by_role("slider", name="Line between the two pictures")
        page.mouse.move(*center(handle))
        page.mouse.down()
        page.mouse.move(300, 400, steps=4)
        page.mouse.up()
        assert 10 < int(handle.get_attribute("aria-valuenow")) < 40
        page.get_by_role("radio", name="One", exact=True).click()
        # the spot is painted over from the frame that has it right
        tab(page, "Mend")
        page.get_by_role("radio", name="Brush").click()
        page.get_by_label("Painted from").select_option("1")
        page.get_by_label("Hardness").fill("0.9")
        page.get_by_label("Size").fill("3.4")  # on a scale of logarithms: 30 pixels
        paint(page, 115, 85)
        until(page, 1)
        page.get_by_role("button", name="Undo").click()
        until(page, 0)
        page.get_by_role("button", name="Redo").click()
        until(page, 1)
        # saved, with the project that holds the stroke
        tab(page, "Save")
        page.get_by_label("File name").fill("out")
        page.get_by_label("Format").select_option("png")
        page.locator("code", has_text="out.png").wait_for()
        line = page.locator("code").text_content()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector(".saved")
        # a second time it asks
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    saved = read(folder / "out.png")
    assert psnr(saved[SPOT], sharp[SPOT]) > 40
    words = shlex.split(line)
    words[words.index("-o") + 1] = str(tmp_path / "again.png")
    assert main(words[1:]) == 0
    assert (tmp_path / "again.png").read_bytes() == (folder / "out.png").read_bytes()
    # and opened again
    with viewing(folder / "out.panfocus.json") as address, page_of(browser, address) as page:
        page.wait_for_selector(".result")
        until(page, 1)
        tab(page, "Mend")
        page.wait_for_selector("text=1 stroke, saved in the project.")


def center(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_overlays_and_values(browser, spoilt):
    folder, _ = spoilt
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        tab(page, "See")
        page.get_by_role("radio", name="Depth").click()
        page.wait_for_selector(".colours >> text=Depth (frames)")
        page.mouse.move(*at(page, 100, 60))
        page.mouse.move(*at(page, 110, 60))
        page.wait_for_selector("output.value >> text=frame")
        assert "confidence" in page.locator("output.value").text_content()
        page.get_by_role("button", name="Height in 3-D").click()
        page.wait_for_selector("dialog canvas")
        page.keyboard.press("Escape")
        page.get_by_role("radio", name="Side by side").click()
        page.wait_for_selector(".pane.right canvas")
        page.get_by_role("radio", name="One", exact=True).click()


def test_levels_and_maps_follow_what_is_done(browser, spoilt):
    folder, _ = spoilt
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        tab(page, "See")
        page.get_by_role("radio", name="Depth").click()
        with page.expect_request(lambda r: "/tiles/r1/" in r.url and "~0,0.5," in r.url):
            page.get_by_label("White").fill("500")  # of a thousand
        page.locator(".cell img[src*='~0,0.5,']").first.wait_for()
        page.get_by_role("button", name="As in the file").click()
        page.locator(".cell img:not([src*='~'])").first.wait_for()
        tab(page, "Mend")
        page.get_by_role("radio", name="Brush").click()
        page.get_by_label("Painted from").select_option("0")
        with page.expect_request(lambda r: "/tiles/r1-depth/" in r.url and "v=r1.1" in r.url):
            paint(page, 115, 85)
        page.wait_for_selector("output.value >> text=frame 1")
        # fused again, it is there, too; and taken back and brought back
        tab(page, "Fuse")
        page.get_by_label("System", exact=True).select_option("guided-variance")
        with page.expect_request(lambda r: "/tiles/r2-depth/" in r.url and "v=r2.1" in r.url):
            page.get_by_role("button", name="Fuse", exact=True).click()
        tab(page, "Mend")
        page.wait_for_selector("text=1 stroke, not saved yet")
        assert page.locator(".warning").count() == 0
        page.get_by_role("button", name="Undo").click()
        until(page, 0)
        page.get_by_role("button", name="Redo").click()
        until(page, 1)


def test_keys_alone_do_the_whole_work(browser, spoilt):
    """No pointer is touched: tabs, options, fusing, painting in the middle, undo, saving."""
    folder, _ = spoilt
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")

        def reach(selector, most=120):
            for _ in range(most):
                page.keyboard.press("Tab")
                if page.evaluate("s => document.activeElement.matches(s)", selector):
                    return
            raise AssertionError(f"{selector} is not reached by Tab")

        reach("[role=tab]")
        reach("select")
        reach("button.main")
        page.keyboard.press("Enter")
        page.wait_for_selector(".result")
        page.locator(".skip").focus()
        page.keyboard.press("Enter")  # to the tools
        assert page.evaluate("document.activeElement.id") == "panel"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("[role=tab][aria-selected=true] >> text=Mend")
        page.locator(".screen").focus()
        page.keyboard.press("b")
        page.wait_for_selector("text=Painted from")
        page.keyboard.press("]")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        until(page, 1)
        page.keyboard.press("Control+z")
        until(page, 0)
        page.keyboard.press("Control+Shift+Z")
        until(page, 1)


def test_options_are_chosen_by_words_and_files_by_their_names(browser, spoilt):
    """A reference frame stays the same where another is left out; folders beside it are offered."""
    folder, _ = spoilt
    flats = folder / "flats"
    flats.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), (200, 200, 200)).save(flats / "flat.png")
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.wait_for_selector("option[value=draft]", state="attached")
        page.locator("summary", has_text="Alignment and brightness").click()
        said = page.get_by_label("Alignment", exact=True).locator("option").all_text_contents()
        assert "Parts of it, too (parallax)" in said
        page.get_by_label("Reference frame").select_option(label="3: f2.png")
        page.get_by_label("Shear").uncheck()
        page.get_by_label("Use f0.png").uncheck()
        page.wait_for_selector(".cell.off")
        chosen = page.get_by_label("Reference frame")
        page.wait_for_function("n => n.options.length === 5", arg=chosen.element_handle())
        chosen = page.get_by_label("Reference frame")
        assert chosen.evaluate("n => n.selectedOptions[0].textContent") == "3: f2.png"
        page.locator("summary").get_by_text("Frames", exact=True).click()
        field = page.get_by_label("Flat field")
        field.focus()
        page.wait_for_selector("datalist option", state="attached")
        offered = page.locator("datalist option").evaluate_all("all => all.map(n => n.value)")
        assert str(flats) in offered
        field.fill("flats")
        field.blur()
        page.get_by_label("System", exact=True).select_option("guided")
        page.get_by_role("button", name="Fuse", exact=True).click()
        page.wait_for_selector(".result")
        page.locator(".job").first.wait_for(state="detached")
        tab(page, "Save")
        line = page.locator("code", has_text="panfocus fuse").text_content()
    assert "--reference 1 " in line
    assert "--align-dof shift,scale,rotate " in line
    assert f"--flat-field {flats} " in line


def test_everything_has_a_name(browser, spoilt):
    """A screen reader finds a name on all that can be used, and one landmark for the page."""
    folder, _ = spoilt
    nameless = """() => [...document.querySelectorAll(
            'button,input,select,[role=slider],[tabindex="0"]')]
        .filter(n => n.checkVisibility() && !n.labels?.length && !(n.getAttribute('aria-label')
            || n.getAttribute('aria-labelledby') || n.textContent.trim() || n.title))
        .map(n => n.outerHTML.slice(0, 120))"""
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        for name in ("Fuse", "See", "Mend", "Save"):
            tab(page, name)
            if name == "Mend":
                page.get_by_role("radio", name="Brush").click()
            assert page.evaluate(nameless) == []
        page.get_by_role("radio", name="Wipe").click()
        assert page.evaluate(nameless) == []
        assert page.locator("main").count() == 1
        assert page.evaluate("document.documentElement.lang") == "en"


CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (n) => {
    for (; n; n = n.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(n).backgroundColor);
      if (a > 0.7 && r !== undefined) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const n = walk.currentNode.parentElement;
    const out_of_it = ':disabled,option,noscript,.out-of-sight,.skip,.stage .over';
    if (!walk.currentNode.textContent.trim() || !n.checkVisibility()) continue;
    if (n.closest(out_of_it)) continue;
    const both = [light(parse(getComputedStyle(n).color)), light(ground(n))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < 4.5) out.push([n.textContent.slice(0, 40), ratio.toFixed(2)]);
  }
  return out;
}"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_texts_can_be_read(browser, spoilt, scheme):
    """Contrast of 4.5 to 1 (WCAG AA) in both themes."""
    folder, _ = spoilt
    with viewing(folder) as address, page_of(browser, address, color_scheme=scheme) as page:
        page.wait_for_selector(".cell img")
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        fuse(page)
        for name in ("Fuse", "See", "Mend", "Save"):
            tab(page, name)
            assert page.evaluate(CONTRAST) == []
        page.locator(".brand").click()
        page.wait_for_selector("text=Drop frames here")
        assert page.evaluate(CONTRAST) == []
        page.get_by_role("button", name="Light" if scheme == "dark" else "Dark").click()
        assert page.evaluate("document.documentElement.dataset.theme") != scheme


def test_a_window_of_a_telephone(browser, spoilt):
    folder, _ = spoilt
    how = {"viewport": {"width": 390, "height": 780}, "has_touch": True}
    with viewing(folder) as address:
        context = browser.new_context(**how, locale="en-US")
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(".cell img")
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert page.evaluate(wide)
        fuse(page)
        for name in ("See", "Mend", "Save"):
            tab(page, name)
            assert page.evaluate(wide)
        small = """() => [...document.querySelectorAll('.panel button,.panel select')]
            .filter(n => n.checkVisibility() && n.getBoundingClientRect().height < 24).length"""
        assert page.evaluate(small) == 0
        context.close()


def test_files_are_dropped_onto_the_page(browser, spoilt, tmp_path):
    folder, _ = spoilt
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        page.set_input_files("input[type=file]", sorted(folder.glob("*.png")))
        page.wait_for_selector(".cell img")
        assert page.locator(".cell").count() == 3


def drag(page, kind, *paths):
    """Do a part of dropping files or folders onto the page, as from a file manager."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})


def drop(page, *paths):
    """Drop files or folders onto the page."""
    for kind in ("dragEnter", "dragOver", "drop"):
        drag(page, kind, *paths)


def test_folders_and_volumes_are_dropped_onto_the_page(browser, spoilt, tmp_path):
    folder, _ = spoilt
    volume = tmp_path / "cells.ome.tif"
    grey = planted(4, HEIGHT, WIDTH)[0][..., 1]
    tifffile.imwrite(volume, np.stack([grey, grey]), metadata={"axes": "CZYX"})
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        drop(page, folder)
        page.wait_for_selector(".tab.on >> text=wasp")
        assert page.locator(".cell").count() == 3
        drop(page, volume)
        page.wait_for_selector(".tab.on >> text=cells.ome.tif")
        page.get_by_role("slider", name="Channel").wait_for()
        assert page.locator(".cell").count() == 4
        drop(page, *sorted(folder.glob("*.png"))[:2])
        page.wait_for_selector(".tab.on >> text=f0.png + 1")
        assert page.locator(".cell").count() == 2


def test_what_is_open_is_not_forgotten_for_a_late_answer(browser, spoilt, tmp_path):
    """An answer from before a drop arrives after it: the tab that came since stays."""
    folder, _ = spoilt
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        late = []

        def hold(route):
            if late:
                route.continue_()
            else:
                late.append((route, route.fetch()))

        page.route("**/api/state", hold)
        page.evaluate("import('/static/js/store.js').then((it) => { it.refresh(); })")
        drop(page, folder)
        page.wait_for_selector(".tab.on >> text=wasp")
        route, answer = late[0]
        assert answer.json()["stacks"] == []
        with page.expect_response("**/api/state"):
            route.fulfill(response=answer)
        page.evaluate("new Promise((done) => setTimeout(done, 200))")
        assert page.locator(".tab.on").inner_text().strip() == "wasp"


def test_what_is_not_shown_any_more_is_not_drawn(browser, spoilt, tmp_path):
    """Each stage draws by itself: of those that are gone none does."""
    folder, _ = spoilt
    for name in ("ant", "bee"):
        shutil.copytree(folder, tmp_path / name)
    count = """() => new Promise((done) => {
        const ask = window.requestAnimationFrame;
        let asked = 0;
        window.requestAnimationFrame = (act) => { asked += 1; return ask(act); };
        let left = 20;
        const next = () => {
            left -= 1;
            if (left) { ask(next); return; }
            window.requestAnimationFrame = ask;
            done(asked / 20);
        };
        ask(next);
    })"""
    with viewing(tmp_path / "ant", tmp_path / "bee") as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        for name in ("bee", "ant") * 4:
            page.locator(".tab", has_text=name).locator("button.name").click()
            page.wait_for_selector(f".tab.on >> text={name}")
            page.wait_for_selector(".cell img")
        page.wait_for_selector("option[value=draft]", state="attached")
        page.evaluate("new Promise((done) => setTimeout(done, 2000))")
        assert page.evaluate(count) < 3


def test_a_text_that_is_written_is_not_disturbed_by_news(browser, spoilt):
    """The panel is drawn anew when something ends: what is marked stays so, and is written over."""
    folder, _ = spoilt
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector("option[value=draft]", state="attached")
        fuse(page)
        tab(page, "Save")
        page.get_by_label("File name").click()
        page.keyboard.press("Control+a")
        page.evaluate("import('/static/js/store.js').then((it) => it.tell('stack'))")
        page.keyboard.type("out")
        assert page.get_by_label("File name").input_value() == "out"


def test_zarrs_and_folders_of_stacks_are_dropped_and_come_back(browser, spoilt, tmp_path):
    """What lies below a folder is opened as by its name; results of drops are fetched."""
    folder, _ = spoilt
    grey = planted(4, HEIGHT, WIDTH)[0][..., 1]
    both, store = tmp_path / "both", tmp_path / "cells.ome.zarr"
    shutil.copytree(folder, both / "shots" / "wasp")
    (both / "shots" / "wasp" / "notes.txt").write_text("no picture")
    (both / "shots" / ".hidden").mkdir()
    shutil.copy(folder / "f0.png", both / "shots" / ".hidden")
    fuse_volume(np.stack([grey, grey]), axes="CZYX", system="guided").save(both / "two.ome.zarr")
    zarr = pytest.importorskip("zarr").open_group(str(store), mode="w", zarr_format=2)
    zarr.create_array("0", data=np.stack([grey, grey])[None], chunks=(1, 1, 1, HEIGHT, WIDTH))
    axes = [{"name": name} for name in "tczyx"]
    zarr.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    shutil.copytree(store, both / "deeper" / "cells.zarr")
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        drop(page, store)
        page.wait_for_selector(".tab.on >> text=cells.ome.zarr")
        page.get_by_role("slider", name="Channel").wait_for()
        assert page.locator(".cell").count() == 4
        page.wait_for_selector("option[value=draft]", state="attached")
        fuse(page)
        tab(page, "Save")
        page.get_by_label("Format").select_option("ome.zarr")
        page.get_by_role("button", name="Save", exact=True).click()
        with page.expect_download() as told:
            page.get_by_role("link", name="_fused.ome.zarr").click()
        told.value.save_as(tmp_path / "out.zip")
        drop(page, both)
        page.wait_for_selector(".tab >> text=cells.zarr")
        page.wait_for_selector(".tab >> text=wasp")
        # a Zarr with nothing along Z is no stack, which does not keep the others from being opened
        page.wait_for_selector(".toast >> text=There is nothing to fuse along Z")
        assert page.locator(".tab").count() == 3
    with ZipFile(tmp_path / "out.zip") as archive:
        assert "cells_fused.ome.zarr/.zattrs" in archive.namelist()


def test_a_folder_is_chosen_by_keys(browser, spoilt, tmp_path):
    folder, _ = spoilt
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a folder").press("Enter")
        chooser.value.set_files(folder)
        page.wait_for_selector(".tab.on >> text=wasp")
        assert page.locator(".cell").count() == 3


def test_what_is_wrong_is_said(browser, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    Image.new("RGB", (60, 50)).save(folder / "a.png")
    Image.new("RGB", (80, 50)).save(folder / "b.png")
    with viewing(tmp_path) as address:
        context = browser.new_context(locale="en-US")
        page = context.new_page()
        page.goto(address)
        page.locator(".entries").get_by_role("button", name="Open").click()
        page.wait_for_selector(".toast >> text=The frames differ in size")
        context.close()


def test_the_server_ends_with_its_last_page(browser, spoilt):
    """After a minute; here after less."""
    import subprocess
    import sys

    folder, _ = spoilt
    code = (
        "import sys; from pathlib import Path; from panfocus.web.serve import View, run;"
        "run(View([Path(sys.argv[1])], opens=False, idle_s=0.5))"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**__import__("os").environ, "PYTHONPATH": ":".join(sys.path)},
    )
    try:
        address = server.stdout.readline().strip()
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(".cell img")
        time.sleep(1)
        assert server.poll() is None  # a page is open
        context.close()
        assert server.wait(90) == 0
    finally:
        server.kill()
        _, said = server.communicate()
    assert "The last page was closed" in said
    assert json.dumps(said).count("Traceback") == 0
