"""A volume on the page, in a real Chromium: its places, strokes on one, what is saved."""

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from tests.web.browser import browsing, page_of, viewing
from tests.web.conftest import planted
from tests.web.test_page import HEIGHT, WIDTH, paint, tab, until


@pytest.fixture(scope="module")
def browser():
    with browsing() as found:
        yield found


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
        page.wait_for_selector("text=Saved")
        page.screenshot(path=tmp_path / "saved.png")
    saved = tifffile.imread(tmp_path / "out.ome.tif")
    assert saved[1, 85, 115] == volume[1, 2, 85, 115]
    again = tmp_path / "again.ome.tif"
    assert main(["fuse", "--project", str(tmp_path / "out.panfocus.json"), "-o", str(again)]) == 0
    np.testing.assert_array_equal(tifffile.imread(again), saved)
