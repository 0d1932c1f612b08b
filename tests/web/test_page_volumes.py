"""A volume on the page, in a real Chromium: its places, strokes on one, what is saved."""

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from tests.web.browser import page_of, viewing
from tests.web.conftest import planted
from tests.web.test_page import HEIGHT, WIDTH, at, paint, tab, until


def test_a_volume_is_mended_at_the_place_that_is_shown(browser, tmp_path):
    grey = planted(3, HEIGHT, WIDTH)[0][..., 1].astype(np.uint16) * 16
    volume = np.stack([grey, grey[:, ::-1] // 2])
    tifffile.imwrite(tmp_path / "cells.ome.tif", volume, metadata={"axes": "CZYX"})
    with viewing(tmp_path / "cells.ome.tif") as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.get_by_role("slider", name="Channel").fill("1")
        page.locator("label", has_text="Channel").locator(".number", has_text="1").wait_for()
        page.get_by_label("System", exact=True).select_option("guided")
        page.get_by_role("button", name="Fuse", exact=True).click()
        page.wait_for_selector(".result")
        page.locator(".job").first.wait_for(state="detached")
        tab(page, "Mend")
        page.get_by_role("radio", name="Brush").click()
        page.get_by_label("Painted from").select_option("2")
        paint(page, 115, 85)
        until(page, 1)
        tab(page, "Save")
        page.get_by_label("File name").fill("out")
        page.locator("code", has_text="--project").wait_for()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector(".saved")
        page.screenshot(path=tmp_path / "saved.png")
    saved = tifffile.imread(tmp_path / "out.ome.tif")
    assert saved[1, 85, 115] == volume[1, 2, 85, 115]
    again = tmp_path / "again.ome.tif"
    assert main(["fuse", "--project", str(tmp_path / "out.panfocus.json"), "-o", str(again)]) == 0
    np.testing.assert_array_equal(tifffile.imread(again), saved)


@pytest.fixture
def cells(tmp_path):
    """Three times of two channels, with lengths."""
    grey = planted(4, HEIGHT, WIDTH)[0][..., 1].astype(np.uint16) * 16
    facts = {"axes": "TCZYX", "PhysicalSizeZ": 1.5, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, np.stack([[grey, grey // 2]] * 3), metadata=facts, ome=True)
    return path


def fuse(page):
    page.wait_for_selector("option[value=draft]", state="attached")
    page.get_by_label("System", exact=True).select_option("guided")
    page.get_by_role("button", name="Fuse", exact=True).click()
    page.wait_for_selector(".result")
    page.locator(".job").first.wait_for(state="detached")


def test_a_volume_is_seen_in_micrometres(browser, cells):
    """Sliders by keys, a scale bar, lengths under the pointer, heights to scale."""
    with viewing(cells) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        time = page.get_by_role("slider", name="Time")
        time.focus()
        for shown in ("2/3", "3/3"):  # the slider is not lost while its place is fetched
            page.keyboard.press("ArrowRight")
            page.locator("label", has_text="Time").locator(".number", has_text=shown).wait_for()
            place = "document.querySelector('.places input').value"
            page.wait_for_function(f"() => {place} === '{int(shown[0]) - 1}'")
            assert time.evaluate("n => n === document.activeElement")
        fuse(page)
        tab(page, "See")
        with page.expect_request(lambda r: "-depth/" in r.url and "fade=1" in r.url):
            page.get_by_role("radio", name="Depth").click()
        page.wait_for_selector(".colours >> text=Depth (µm)")
        page.wait_for_selector(".scale >> text=µm")
        page.mouse.move(*at(page, 100, 60))
        page.mouse.move(*at(page, 110, 60))
        page.wait_for_selector("output.value >> text=depth")
        pixels, lengths = page.locator("output.value").text_content().split("   ")[:2]
        x, y = (0.5 * (int(n) + 0.5) for n in pixels.split(" · "))
        told = [float(n) for n in lengths.removesuffix(" µm").split(" · ")]
        assert told == pytest.approx([x, y], abs=0.06)
        page.get_by_role("button", name="Height in 3-D").click()
        page.wait_for_selector("dialog >> text=all three dimensions are to scale")
        page.get_by_role("dialog").get_by_role("radio", name="Depth").click()


def test_what_is_shown_of_a_volume_is_saved_as_a_picture(browser, cells):
    with viewing(cells) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.get_by_role("slider", name="Time").fill("2")
        fuse(page)
        tab(page, "Save")
        page.get_by_role("radio", name="What is shown").click()
        page.get_by_label("File name").fill("one")
        page.get_by_label("Format").select_option("png")
        bar = page.get_by_label("Picture with a scale bar")
        bar.check()
        assert bar.evaluate("n => n === document.activeElement")  # which is drawn anew
        page.get_by_label("Slabs").check()
        page.get_by_label("Frames a slab").fill("2")
        page.get_by_label("Shared with the next").fill("0")
        page.locator("code", has_text="--slab 2 0").wait_for()
        assert "--only T=2,C=0" in page.locator("code").text_content()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector(".saved")
        # another place, and back: what was fused is still there
        tab(page, "Fuse")
        page.get_by_role("slider", name="Channel").fill("1")
        page.wait_for_selector(".result", state="detached")
        page.get_by_role("slider", name="Channel").fill("0")
        page.wait_for_selector(".result")
    names = {"one.png", "one_scalebar.png", "one_slab01.png", "one_slab02.png"}
    assert {p.name for p in cells.parent.glob("*.png")} == names
