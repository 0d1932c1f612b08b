"""What a user sees of the page: nothing cut, nothing out of sight that answers what he did."""

import numpy as np
import pytest
from PIL import Image

from tests.conftest import focal_stack
from tests.web.browser import page_of, serving_process, viewing
from tests.web.conftest import write_frames
from tests.web.test_page import HEIGHT, WIDTH, fuse, paint, tab, until

#: Texts that do not fit: of buttons, tabs and the chosen entry of a list, beside its arrow.
CUT = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const out = [];
  for (const node of document.querySelectorAll("button, .tag, .mark, select")) {
    if (!node.clientWidth) continue;
    if (node.tagName !== "SELECT") {
      if (node.scrollWidth > node.clientWidth + 1) out.push(node.textContent);
      continue;
    }
    const style = getComputedStyle(node);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const room = node.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const wide = pen.measureText(node.selectedOptions[0].textContent).width;
    if (wide > room + 1) out.push(node.selectedOptions[0].textContent);
  }
  return out;
}"""


@pytest.fixture
def shots(tmp_path):
    return write_frames(tmp_path / "moth", focal_stack(3, HEIGHT, WIDTH)[0])


def ratio(page):
    """Return the zoom that is shown, in per cent, once it rests."""
    page.wait_for_timeout(800)
    return int(page.locator(".toolbar .zoom").inner_text().split()[0])


def is_in_sight(page, selector):
    box = page.locator(selector).bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


def test_what_is_seen_whole_stays_so_beside_another_and_on_another_stage(browser, tmp_path):
    shots = write_frames(tmp_path / "moth", focal_stack(3, 640, 960)[0])
    with viewing(shots) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        whole = ratio(page)
        page.get_by_role("radio", name="Side by side").click()
        half = ratio(page)
        page.get_by_role("button", name="Whole picture").click()
        assert half == ratio(page) < whole
        page.get_by_role("radio", name="One", exact=True).click()
        assert abs(ratio(page) - whole) < 9  # tools may take another row
        page.get_by_role("button", name="1:1").click()
        assert ratio(page) == 100
        page.set_viewport_size({"width": 1000, "height": 640})
        assert ratio(page) == 100


def test_what_came_of_saving_and_fusing_is_in_sight(browser, shots):
    with viewing(shots) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        tab(page, "Save")
        page.locator("code", has_text="moth_fused.tif").wait_for()
        words = page.locator("code .word").all_text_contents()
        assert "-o" in words
        assert " ".join(words) == page.locator("code").text_content()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector(".saved")
        assert is_in_sight(page, ".saved")
        page.get_by_label("Format").select_option("png")
        page.get_by_label("File name").fill("f0")
        page.wait_for_selector(".problem")
        assert is_in_sight(page, ".problem")
        assert page.locator(".saved").count() == 0  # of another name


def test_strokes_of_a_session_that_crashed_are_offered_at_once(browser, shots):
    with serving_process(shots) as (address, server), page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        tab(page, "Mend")
        page.get_by_role("radio", name="Brush").click()
        paint(page, 115, 85)
        until(page, 1)
        kept = shots / ".moth.unsaved.panfocus.json"
        while not kept.exists():
            page.wait_for_timeout(50)
        page.goto("about:blank")
        server.kill()
    with viewing(shots) as address, page_of(browser, address) as page:
        page.get_by_role("button", name="Restore").wait_for()
        assert page.get_by_role("tab", name="Fuse").get_attribute("aria-selected") == "true"
        page.get_by_role("button", name="Restore").click()
        page.get_by_role("button", name="Restore").wait_for(state="detached")
        until(page, 1)


def test_why_there_is_no_draft_and_no_stack_is_told(browser, shots, tmp_path):
    (shots / "f1.png").write_bytes((shots / "f1.png").read_bytes()[:3000])
    with viewing(shots) as address, page_of(browser, address) as page:
        page.locator(".problem", has_text="f1.png").wait_for()
    sizes = tmp_path / "sizes"
    write_frames(sizes, [np.zeros((40, 60, 3), np.uint8), np.zeros((40, 61, 3), np.uint8)])
    with viewing(sizes) as address, page_of(browser, address) as page:
        page.locator(".problem", has_text="differ in size").wait_for()


@pytest.mark.parametrize("language", ["en-US", "de-DE", "es-ES", "fr-FR"])
def test_no_text_is_cut(browser, tmp_path, language):
    frames = [*focal_stack(4, HEIGHT, WIDTH)[0], np.full((HEIGHT, WIDTH, 3), 9, np.uint8)]
    frames[2] = np.asarray(Image.fromarray(frames[2]).resize((9, 6)).resize((WIDTH, HEIGHT)))
    shots = write_frames(tmp_path / "moth", frames)
    with viewing(shots) as address, page_of(browser, address, locale=language) as page:
        page.wait_for_selector(".mark")
        for group in page.locator("#panel summary").all():
            group.click()
        assert page.evaluate(CUT) == []
        page.locator(".panel button.main").click()
        page.wait_for_selector(".result")
        for mode in range(5):
            page.locator(".toolbar .segments button").nth(mode).click()
            assert page.evaluate(CUT) == []
        for panel in (1, 2, 3):
            page.locator(".panel-tabs button").nth(panel).click()
            page.locator("#panel .segments, #panel code").first.wait_for()
            for button in page.locator("#panel .segments button").all():
                button.click()
                assert page.evaluate(CUT) == []
