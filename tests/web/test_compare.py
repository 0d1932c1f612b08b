"""An evaluation on the page: pictures of all systems, difference to truth, scores of a part."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from tests.conftest import focal_stack, psnr
from tests.web.browser import browsing, page_of, viewing
from tests.web.conftest import serving
from tests.web.test_mending import read

pytest.importorskip("starlette")
SYSTEMS = ("guided", "guided-tenengrad")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two samples with truth, scored; the folder of scores, and that of the data."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "data" / "GT").mkdir(parents=True)
    for n in range(2):
        frames, sharp = focal_stack(2, 120, 160, n)
        for name, frame in zip("AB", frames, strict=True):
            (folder / "data" / name).mkdir(exist_ok=True)
            Image.fromarray(frame).save(folder / "data" / name / f"p{n}.png")
        Image.fromarray(sharp).save(folder / "data" / "GT" / f"p{n}.png")
    words = ["evaluate", "--data", str(folder / "data"), "--out", str(folder / "scores")]
    words += ["--systems", ",".join(SYSTEMS), "--metrics", "SSIM,GMSD,Q_G"]
    assert main([*words, "--save-images", "--no-plots"]) == 0
    return folder / "scores", folder / "data"


@pytest.fixture
def page(run):
    with serving(*run) as client:
        yield client


@pytest.fixture
def opened(page, run):
    return page.open(run[0])


def test_all_systems_and_their_scores_are_told(page, opened):
    facts = page.get(opened).json()
    assert (facts["kind"], tuple(facts["systems"])) == ("evaluation", SYSTEMS)
    sample = facts["samples"][1]
    assert (sample["name"], sample["truth"], sample["frames"]) == ("p1", True, 2)
    assert sample["scores"]["guided"]["PSNR_RGB"] > 20
    assert {m["name"]: m["lower"] for m in facts["metrics"]}["GMSD"]


def test_pictures_and_differences_are_shown(page, opened):
    for name in ("system-0-1", "truth-0-0", "frame-0-1", "difference-0-0"):
        assert page.get(f"{opened}/tiles/{name}/0/0_0").status_code == 200, name
    for name in ("system-2-0", "system-0-2", "frame-0-2", "truth-9-0", "nothing-0-0"):
        assert page.get(f"{opened}/tiles/{name}/0/0_0").status_code == 400, name


def test_a_part_is_scored_by_the_metrics_of_the_run(page, opened, run):
    scores, data = run
    box = (20, 30, 64, 48)
    address = f"{opened}/samples/1/scores"
    told = page.get(address, box=",".join(map(str, box)), all="1").json()["scores"]
    assert set(told) == set(SYSTEMS)
    assert set(told["guided"]) >= {"PSNR_RGB", "SSIM", "GMSD", "Q_G"}
    part = np.s_[30:78, 20:84]
    fused, truth = read(scores / "fused/guided/p1.png"), read(data / "GT/p1.png")
    assert told["guided"]["PSNR_RGB"] == pytest.approx(psnr(fused[part], truth[part]))
    plain = page.get(address, box=",".join(map(str, box))).json()["psnr"]
    assert plain["guided"] == pytest.approx(told["guided"]["PSNR_RGB"], abs=0.01)


@pytest.mark.parametrize("box", ["0,0,8,8", "0,0,4000,4000", "1,2,3", "a,b,c,d", ""])
def test_parts_that_are_none_are_refused(page, opened, box):
    assert page.get(f"{opened}/samples/0/scores", box=box, all="1").status_code == 400


def test_data_is_shown_only_where_its_folder_was_named(run):
    with serving(run[0]) as page:
        opened = page.open(run[0])
        facts = page.get(opened).json()
        assert str(run[1]) in facts["notes"][0]
        assert not facts["samples"][0]["truth"]
        assert page.get(f"{opened}/tiles/truth-0-0/0/0_0").status_code == 400


def test_a_run_in_a_browser(run):
    with browsing() as browser, viewing(*run) as address, page_of(browser, address) as page:
        page.wait_for_selector(".scores td")
        assert page.locator(".scores thead th").all_text_contents()[1:] == list(SYSTEMS)
        with page.expect_request(lambda r: "/tiles/difference-0-0/" in r.url):
            page.get_by_role("button", name="Difference to truth").click()
        with page.expect_response(lambda r: "all=1" in r.url) as answer:
            page.get_by_role("radio", name="This part").click()
        assert answer.value.status == 200
        page.locator(".scores tr", has_text="SSIM").locator("td").first.wait_for()
        page.wait_for_function(
            "() => [...document.querySelectorAll('.scores tbody tr')].some("
            "(row) => row.textContent.includes('SSIM') && /\\d/.test(row.cells[1].textContent))"
        )
        page.get_by_label("Sample").select_option(label="p1")
        with page.expect_request(lambda r: "/tiles/difference-1-0/" in r.url):
            page.get_by_role("radio", name="Side by side").click()


def test_data_named_otherwise_than_the_run_did_are_found(run, tmp_path, monkeypatch):
    """A run is told of its data from the folder that it was started in."""
    scores, data = run
    copy = tmp_path / "scores"
    shutil.copytree(scores, copy)
    path = copy / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "data": "data"}))
    monkeypatch.chdir(tmp_path)
    with serving(copy, data) as client:
        sample = client.get(client.open(copy)).json()["samples"][0]
        assert (sample["truth"], sample["frames"]) == (True, 2)
    with serving(copy, tmp_path) as client:  # which is no permission for a folder elsewhere
        assert client.get(client.open(copy)).json()["samples"][0]["frames"] == 0
