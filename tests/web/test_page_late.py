"""The page while answers are late: the last that was asked for counts, nothing done is undone."""

import numpy as np
import pytest
import tifffile

from tests.conftest import focal_stack
from tests.web.browser import page_of, viewing
from tests.web.conftest import planted, write_frames
from tests.web.test_page import HEIGHT, WIDTH, at, drag, fuse, tab, until

#: The modules of the page are there once; a test sees what the page knows.
STORE = "const store = await import('/static/js/store.js');"


@pytest.fixture
def shots(tmp_path):
    return write_frames(tmp_path / "stacks" / "moth", focal_stack(4, HEIGHT, WIDTH)[0])


def facts_of(page):
    return page.evaluate(
        "async () => (await fetch(`/api/stacks/${location.hash.slice(1)}`)).json()"
    )


def settle(page, condition, what):
    """Wait until facts of the server are so."""
    for _ in range(600):
        if condition(facts_of(page)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{what}: {facts_of(page)}")


def test_frames_unticked_one_after_the_other_stay_so(browser, shots):
    with viewing(shots) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.evaluate(
            "() => [...document.querySelectorAll('.cell input')].slice(0, 2)"
            ".forEach((box) => box.click())"
        )
        settle(
            page, lambda f: [x["used"] for x in f["frames"]] == [False, False, True, True], "used"
        )
        page.locator(".cell.off").nth(1).wait_for()


def test_sliders_of_two_axes_go_to_one_place(browser, tmp_path):
    """Moved at once, in parts of a second, and back: the page shows where they stand in the end."""
    grey = planted(3, HEIGHT, WIDTH)[0][..., 1].astype(np.uint16) * 16
    volume = np.stack([[grey, grey // 2]] * 3)
    tifffile.imwrite(tmp_path / "cells.ome.tif", volume, metadata={"axes": "TCZYX"})
    with viewing(tmp_path / "cells.ome.tif") as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.evaluate(
            """async () => {
              const pause = (ms) => new Promise((done) => setTimeout(done, ms));
              const put = (axis, value) => {
                const input = document.querySelector(`input[data-axis="${axis}"]`);
                input.value = value;
                input.dispatchEvent(new Event("input", { bubbles: true }));
              };
              put(1, 1); put(2, 1); await pause(250); put(1, 0); await pause(30); put(1, 2);
            }"""
        )
        settle(page, lambda f: f["volume"]["place"] == [0, 2, 1], "place")
        page.wait_for_function(f"""async () => {{ {STORE}
          return String(store.state.stack.volume.place) === "0,2,1" && !store.state.moving; }}""")
        values = page.locator("input[data-axis]").evaluate_all("(all) => all.map((i) => i.value)")
        assert values == ["2", "1"]


def test_a_stack_that_another_page_opens_is_not_thrust_upon_this_one(browser, shots):
    other = write_frames(shots.parent / "wasp", focal_stack(3, HEIGHT, WIDTH, 1)[0])
    with viewing(shots, other.parent) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.locator("button.open").click()
        page.wait_for_selector(".opener")
        page.evaluate(
            """async (path) => { const { post } = await import('/static/js/api.js');
              await post('/api/stacks', { paths: [path] }); }""",
            str(other),
        )
        page.locator(".tab").nth(1).wait_for()
        page.wait_for_timeout(500)
        assert page.locator(".opener").count() == 1
        page.locator(".tab button.name").nth(1).click()
        page.wait_for_selector(".cell img")
        # what is shown is closed: the other one is there
        page.get_by_role("button", name="Close wasp").click()
        page.locator(".tab.on", has_text="moth").wait_for()


def test_what_is_told_while_an_answer_is_on_its_way_is_not_forgotten(browser, shots):
    with viewing(shots) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        found = page.evaluate(
            f"""async () => {{ {STORE}
              const key = store.state.stack.key;
              const job = {{ id: "late", stack: "none", state: "waiting", kind: "fuse" }};
              const answers = [store.refresh(), store.reload()];
              store.hearJob(job);
              store.hearStrokes({{ key, version: 7, count: 3 }});
              const other = store.hearStrokes({{ key: "elsewhere", version: 9, count: 5 }});
              await Promise.all(answers);
              const {{ mended, strokes }} = store.state.stack;
              const isThere = store.state.jobs.has("late");
              await store.refresh();
              return [isThere, store.state.jobs.has("late"), mended, strokes, other];
            }}"""
        )
        # the next answer is asked for later, and knows of no such job
        assert found == [True, False, 7, 3, False]


def test_a_stroke_is_of_the_result_that_it_was_begun_on(browser, tmp_path):
    """Another result comes while the pointer is down."""
    folder = write_frames(tmp_path / "wasp", planted(3, HEIGHT, WIDTH)[0])
    with viewing(folder) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        fuse(page)
        tab(page, "Mend")
        page.get_by_role("radio", name="Brush").click()
        page.get_by_label("Painted from").select_option("2")
        page.mouse.move(*at(page, 100, 85))
        page.mouse.down()
        page.evaluate(
            """async () => { const { post } = await import('/static/js/api.js');
              await post(`/api/stacks/${location.hash.slice(1)}/fuse`,
                         { options: { system: "guided-variance", exposure: "none" } }); }"""
        )
        page.wait_for_function(f"""async () => {{ {STORE} return store.current().id === "r2"; }}""")
        page.mouse.move(*at(page, 115, 85), steps=3)
        with page.expect_request(
            lambda r: r.method == "POST" and r.url.endswith("/strokes")
        ) as sent:
            page.mouse.up()
        assert sent.value.post_data_json["result"] == "r1"
        until(page, 1)


def test_a_closed_stack_is_no_error_of_the_page(browser, shots):
    """Asked for while it is closed: the answer says so, and the page shows what is open."""
    with viewing(shots) as address, page_of(browser, address) as page:
        page.wait_for_selector(".cell img")
        page.evaluate(
            f"""async () => {{ {STORE}
              const {{ del }} = await import('/static/js/api.js');
              const id = store.state.stack.id;
              await del(`/api/stacks/${{id}}`);
              const {{ refusal }} = await import('/static/js/toast.js');
              await store.show(id).catch(refusal);
            }}"""
        )
        page.wait_for_selector(".opener")
        assert page.locator(".toast").count() == 0


def test_files_are_let_go_on_what_was_just_drawn_anew(browser, shots, tmp_path):
    (tmp_path / "empty").mkdir()
    with viewing(tmp_path / "empty") as address, page_of(browser, address) as page:
        page.wait_for_selector("text=Drop frames here")
        for kind in ("dragEnter", "dragOver", "drop"):
            if kind == "drop":
                page.evaluate(f"async () => {{ {STORE} store.tell('shown'); }}")
            drag(page, kind, shots)
        page.wait_for_selector(".tab.on >> text=moth")
