"""In a real Chromium: a volume that is read as somebody says, and frames of a film left out."""

import re
import shlex

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from tests.web.browser import page_of, viewing
from tests.web.conftest import planted
from tests.web.test_page import HEIGHT, WIDTH, tab
from tests.web.test_page_volumes import fuse
from tests.web.test_readings import film_of


@pytest.fixture
def grey():
    frames = planted(3, HEIGHT, WIDTH)[0][..., 1].astype(np.uint16) * 16
    return np.stack([frames, frames[:, ::-1] // 2])


def command(page):
    tab(page, "Save")
    page.get_by_label("File name").fill("out")
    return page.locator("code.command", has_text="/out.")  # the command follows the name


def saved(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".saved")


def test_a_folder_of_odd_names_is_opened_by_their_pattern(browser, tmp_path, grey):
    folder = tmp_path / "odd"
    folder.mkdir()
    for c, z in np.ndindex(2, 3):
        tifffile.imwrite(folder / f"k{c}q{z}.tif", grey[c, z])
    with viewing(tmp_path) as address, page_of(browser, address) as page:
        page.get_by_role("button", name="Read odd otherwise").click()
        page.get_by_label("Names of planes").fill("k{c}q{z}.tif")
        page.screenshot(path=tmp_path / "asked.png")
        page.get_by_role("dialog").get_by_role("button", name="Open", exact=True).click()
        page.get_by_role("slider", name="Channel").wait_for()
        fuse(page)
        line = command(page)
        line.filter(has_text="--pattern 'k{c}q{z}.tif'").wait_for()
        words = shlex.split(line.text_content())
        saved(page)
    assert main([*words[1:-1], str(tmp_path / "again.ome.tif")]) == 0
    first = tifffile.imread(words[-1])
    assert first.shape == (2, HEIGHT, WIDTH)
    np.testing.assert_array_equal(first, tifffile.imread(tmp_path / "again.ome.tif"))


def test_a_tiff_is_read_anew_by_its_axes(browser, tmp_path, grey):
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, grey, photometric="minisblack")
    with viewing(path) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.locator("summary", has_text=re.compile("^Frames$")).click()
        page.get_by_label("Axes", exact=True).fill("CZYX")
        page.get_by_role("button", name="Read it so").focus()
        page.keyboard.press("Enter")
        page.get_by_role("slider", name="Channel").wait_for()
        assert page.locator(".cell").count() == 3
        fuse(page)
        line = command(page)
        line.filter(has_text="--axes CZYX").wait_for()


def test_frames_of_a_film_are_left_out(browser, tmp_path):
    film = film_of(tmp_path / "sweep.mp4", planted(5, HEIGHT, WIDTH)[0])
    with viewing(film) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        boxes = page.locator(".cell input[type=checkbox]")
        assert boxes.count() == 5
        for n in (1, 4):
            boxes.nth(n).uncheck()
            page.locator(f".cell.off[data-number='{n}']").wait_for()
        fuse(page)
        line = command(page)
        line.filter(has_text="--project").wait_for()
        assert page.get_by_label("Project file").is_checked()
        page.wait_for_selector("text=which frames of a file are left out")
        words = shlex.split(line.text_content())
        saved(page)
    again = tmp_path / "again.tif"
    assert main([*words[1:-1], str(again)]) == 0
    np.testing.assert_array_equal(tifffile.imread(words[-1]), tifffile.imread(again))
