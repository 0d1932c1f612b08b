"""Strokes while something else is done: saved, stopped, another place shown, opened again."""

from panfocus.pipeline.project import Project
from panfocus.web import saving, unsaved
from tests.web.conftest import serving
from tests.web.test_at_once import stack_of
from tests.web.test_mending import dot, draw, opened


def saved_with_a_stroke(page, folder):
    """Mend a stack by one stroke and save it with its project; return its address."""
    stack, result = opened(page, folder)
    draw(page, stack, result, dot(115, 85, {"frame": 2}))
    page.post(f"{stack}/save", {"result": result, "name": "out.tif", "project": True})
    page.idle()
    return stack


def test_a_stroke_that_is_drawn_while_it_is_saved_is_kept(spoilt, monkeypatch):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        save_project = saving.save_project

        def slowly(*given):
            draw(page, stack, result, dot(60, 40, {"frame": 1}))
            return save_project(*given)

        monkeypatch.setattr(saving, "save_project", slowly)
        page.post(f"{stack}/save", {"result": result, "name": "out.tif", "project": True})
        page.idle()
        assert len(Project.read(folder / "out.panfocus.json").strokes) == 1  # as in the picture
        told = page.get(f"{stack}/strokes").json()
        assert (len(told["strokes"]), told["is_saved"]) == (2, False)
        kept = unsaved.path_of(stack_of(page, stack))
        assert len(Project.read(kept).strokes) == 2


def test_nothing_is_kept_of_what_is_saved(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack = saved_with_a_stroke(page, folder)
        unsaved.keep(stack_of(page, stack))  # of the stroke, which was in no hurry
        assert not unsaved.path_of(stack_of(page, stack)).exists()


def test_a_project_that_is_stopped_keeps_its_strokes(spoilt):
    """Saved again after another fusion, it must not lose them."""
    folder, _ = spoilt
    with serving(folder) as page:
        saved_with_a_stroke(page, folder)
    with serving(folder) as page:
        open_ = page.desk.open([folder / "out.panfocus.json"])
        page.desk.jobs.stop_all(open_.id, "fuse")
        stack = f"/api/stacks/{open_.id}"
        page.idle()
        again = page.fuse(stack, align="none", exposure="none")["id"]
        told = page.get(f"{stack}/strokes").json()
        assert (len(told["strokes"]), told["is_saved"]) == (1, True)
        asked = {"result": again, "name": "out.tif", "project": True, "overwrite": True}
        assert page.post(f"{stack}/save", asked).status_code == 200
        page.idle()
    assert len(Project.read(folder / "out.panfocus.json").strokes) == 1


def test_a_project_opened_twice_is_one_stack(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        page.post(f"{stack}/save", {"result": result, "name": "out.tif", "project": True})
        page.idle()
        project = folder / "out.panfocus.json"
        assert page.open(project) == page.open(project) != stack
