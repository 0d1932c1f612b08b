"""Names of files that are no text, at the page's doors."""

import json
import os
import sys

import pytest

from panfocus.errors import InputError
from panfocus.web.serve import View, run
from tests.conftest import focal_stack
from tests.web.conftest import serving, write_frames

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are text there")

ODD = os.fsdecode(b"\xff\xfe")


def ask(page, path, body):
    """Send JSON as browsers do: what is no letter as ``\\udcXX``."""
    return page.http.post(path, content=json.dumps(body))


def test_a_stack_whose_name_is_no_text_is_opened_fused_and_saved(tmp_path):
    frames, _ = focal_stack(3, 64, 80, 0)
    folder = write_frames(tmp_path / ODD, frames)
    with serving(tmp_path) as page:
        (listed,) = page.get("/api/folder", path=str(tmp_path)).json()["folders"]
        assert listed["name"] == ODD
        answer = ask(page, "/api/stacks", {"paths": [str(folder)]})
        assert answer.status_code == 200
        stack = f"/api/stacks/{answer.json()['id']}"
        assert page.get(stack).json()["title"] == ODD
        assert page.fuse(stack)["width"] == 80
        assert page.get("/api/state").status_code == 200


def test_a_current_folder_that_is_gone_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for inputs in ([], ["frames"]):
        with pytest.raises(InputError, match="folder is gone"):
            run(View(inputs=inputs, opens=False))


IMPOSSIBLE = {"long": "x" * 300, "longer": "x" * 5000, "half a letter": "\ud800", "zero": "a\0b"}


@pytest.mark.parametrize("name", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_name_that_no_file_can_have_is_told(tmp_path, name):
    with serving(tmp_path) as page:
        answer = ask(page, "/api/stacks", {"paths": [f"{tmp_path}/{name}"]})
        assert answer.status_code in (400, 403)
        assert answer.json()["error"]["what"]
