"""Who gets in, and where the page may go: every way around it that is known is tried."""

import asyncio
import os
import tracemalloc

import pytest

from panfocus.errors import InputError, UsageError
from panfocus.web.places import Places, RefusedError
from panfocus.web.serve import open_inputs, places_of
from panfocus.web.uploads import Uploads
from tests.web.conftest import HOME, PORT, serving


def bare(page):
    """The client without its cookie."""
    page.http.cookies.clear()
    return page.http


def test_nobody_gets_in_without_the_token(page):
    http = bare(page)
    for path in ("/", "/api/state", "/api/events", "/static/js/main.js", "/?token=guess"):
        answer = http.get(path)
        assert answer.status_code == 403
        assert "panfocus" not in answer.headers.get("set-cookie", "")


def test_a_token_is_good_once(page):
    token = page.doors.token()
    http = bare(page)
    first = http.get(f"/?token={token}", follow_redirects=False)
    assert first.status_code == 303
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"panfocus-{PORT}=" in cookie
    http = bare(page)
    again = http.get(f"/?token={token}")
    assert again.status_code == 403
    assert "`panfocus view` again" in again.text  # what to do


def test_a_folder_that_two_files_lie_in_is_shown_once(tmp_path):
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).touch()
    assert places_of([tmp_path / "a.tif", tmp_path / "b.tif"]).given == [tmp_path]


def test_a_cookie_of_another_run_is_none(page):
    http = bare(page)
    http.cookies.set(f"panfocus-{PORT}", "x" * 43)
    assert http.get("/api/state").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8123", "127.0.0.1:1", "", "localhost"]
)
def test_a_name_that_was_bound_anew_is_refused(page, host):
    assert page.http.get("/api/state", headers={"host": host}).status_code == 421


def test_a_tunnel_may_call_it_localhost(page):
    assert page.doors.knows_host(f"localhost:{PORT}")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{PORT + 1}"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_pages_are_refused(page, shots, headers):
    answer = page.http.post("/api/stacks", json={"paths": [str(shots)]}, headers=headers)
    assert answer.status_code == 403
    assert page.get("/api/state").json()["stacks"] == []


def test_what_changes_anything_must_say_where_it_comes_from(page):
    del page.http.headers["origin"]
    assert page.http.post("/api/uploads").status_code == 403
    assert page.http.get("/api/state").status_code == 200


def test_every_answer_carries_the_policy(page):
    for path in ("/", "/static/js/main.js", "/api/state", "/api/folder", "/nothing"):
        headers = page.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


WAYS_OUT = [
    "/etc", "/etc/passwd", "{shots}/..", "{shots}/../..", "{shots}/x/../../..", "..", ".", "",
    "shots", "~", "{shots}\0", "/", "//", "{shots}-other", "file://{shots}",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_out_of_the_folder(page, shots, way):
    (shots.parent / "shots-other").mkdir(exist_ok=True)
    path = way.format(shots=shots)
    assert page.get("/api/folder", path=path).status_code == 403
    assert page.post("/api/stacks", {"paths": [path]}).status_code in (400, 403)
    assert page.get("/api/fetch", path=path).status_code in (400, 403)
    assert page.get("/api/state").json()["stacks"] == []


def test_a_link_is_no_way_out(page, shots):
    secret = shots.parent / "secret"
    secret.mkdir()
    for n in range(2):
        (secret / f"{n}.png").write_bytes((shots / f"f{n}.png").read_bytes())
    (shots / "link").symlink_to(secret, target_is_directory=True)
    (shots / "file.png").symlink_to(secret / "0.png")
    assert page.get("/api/folder", path=str(shots / "link")).status_code == 403
    assert page.post("/api/stacks", {"paths": [str(shots / "link")]}).status_code == 403
    assert page.post("/api/stacks", {"paths": [str(shots / "file.png")]}).status_code == 403
    listed = page.get("/api/folder", path=str(shots)).json()
    assert listed["folders"] == []
    assert "file.png" not in [f["name"] for f in listed["files"]]


def test_a_folder_with_a_link_out_is_not_opened(page, shots):
    """A link among the frames would be read with them."""
    outside = shots.parent / "outside.png"
    outside.write_bytes((shots / "f0.png").read_bytes())
    (shots / "f9.png").symlink_to(outside)
    assert page.post("/api/stacks", {"paths": [str(shots)]}).status_code == 403


@pytest.fixture
def links(shots):
    """A folder of links to frames elsewhere, as a user makes a stack of some of many."""
    folder = shots.parent / "chosen"
    folder.mkdir()
    for n in (0, 2, 4):
        (folder / f"{n}.png").symlink_to(shots / f"f{n}.png")
    return folder


def test_links_that_the_user_has_named_with_their_folder_are_read_as_frames(links, shots):
    with serving(places=places_of([links])) as page:
        open_inputs(page.desk, [links])  # as from the command line
        page.idle()
        (told,) = page.get("/api/state").json()["stacks"]
        stack = f"/api/stacks/{told['id']}"
        assert page.get(stack).json()["count"] == 3
        result = page.fuse(stack)["id"]
        stroke = {"kind": "brush", "points": [[9, 9]], "radius": 5, "source": {"frame": 0}}
        page.post(f"{stack}/strokes", {"result": result, "stroke": stroke})
        body = {"result": result, "folder": str(links), "name": "out.png", "project": True}
        assert page.post(f"{stack}/save", body).status_code == 200
        page.idle()
        # closed, it is found in its folder again, and opens with its project
        assert page.http.delete(stack).status_code == 200
        assert page.get("/api/folder", path=str(links)).json()["pictures"] == 3  # and a result
        page.open(links)
        stack = page.open(links / "out.panfocus.json")
        page.idle()
        assert page.get(stack).json()["strokes"] == 1


def test_a_path_of_the_browsers_leads_nowhere_by_these_links(links, shots):
    with serving(places=places_of([links])) as page:
        for path in (links / "0.png", shots, shots / "f0.png"):
            assert page.post("/api/stacks", {"paths": [str(path)]}).status_code == 403
            assert page.get("/api/folder", path=str(path)).status_code == 403
            assert page.get("/api/fetch", path=str(path)).status_code == 403
        stack = page.open(links)
        page.idle()
        result = page.fuse(stack)["id"]
        before = (shots / "f0.png").read_bytes()
        body = {"result": result, "folder": str(links), "name": "0.png", "overwrite": True}
        assert page.post(f"{stack}/save", body).status_code == 403
        assert (shots / "f0.png").read_bytes() == before


def test_a_link_that_is_made_later_is_none_of_the_users(links, shots, tmp_path):
    """Whatever puts it there: only what lay in the folder when it was named counts."""
    secret = tmp_path / "secret.png"
    secret.write_bytes((shots / "f1.png").read_bytes())
    with serving(places=places_of([links])) as page:
        (links / "9.png").symlink_to(secret)
        assert page.post("/api/stacks", {"paths": [str(links)]}).status_code == 403
        (links / "9.png").unlink()
        (links / "0.png").unlink()
        (links / "0.png").symlink_to(secret)  # turned elsewhere
        assert page.post("/api/stacks", {"paths": [str(links)]}).status_code == 403
        (links / "below").mkdir()
        (links / "below" / "0.png").symlink_to(secret)
        (links / "below" / "1.png").symlink_to(shots / "f1.png")
        assert page.post("/api/stacks", {"paths": [str(links / "below")]}).status_code == 403


def test_files_that_are_named_as_links_are_read(links):
    with serving(places=places_of([links / "0.png", links / "2.png"])) as page:
        open_inputs(page.desk, [links / "0.png", links / "2.png"])
        assert len(page.get("/api/state").json()["stacks"]) == 1
        assert page.post("/api/stacks", {"paths": [str(links)]}).status_code == 403  # 4.png


@pytest.mark.parametrize(
    "name", ["../out", "a/b", "..", ".hidden", "", "x" * 300, "C:\\x", None, 7]
)
def test_names_of_results_have_no_folders(page, shots, name):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]
    text = f"{name}.png" if isinstance(name, str) and name else name
    before = sorted(shots.parent.rglob("*"))
    answer = page.post(f"{stack}/save", {"result": result, "folder": str(shots), "name": text})
    if name == "C:\\x":  # a letter like others here
        assert answer.status_code in (200, 400)
        return
    assert answer.status_code in (400, 403)
    assert sorted(shots.parent.rglob("*")) == before


def test_results_go_into_the_folder_alone(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]
    (shots / "away").symlink_to(shots.parent, target_is_directory=True)
    (shots / "hole.png").symlink_to(shots.parent / "hole.png")
    for folder, name in (
        ("/tmp", "x.png"),
        (str(shots / "away"), "x.png"),
        (str(shots), "hole.png"),
    ):
        answer = page.post(f"{stack}/save", {"result": result, "folder": folder, "name": name})
        assert answer.status_code == 403
    assert not (shots.parent / "hole.png").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"system": "../../etc"},
        {"system": "/etc"},
        {"load_transforms": "/etc/passwd"},
        {"load_transforms": "{shots}/../x.json"},
        {"mode": "nothing"},
        {"unknown": 1},
        {"threads": -1},
        {"threads": "many"},
        {"system": ["a"]},
        {"max_memory": {"a": 1}},
        "text",
        7,
    ],
)
def test_options_are_checked(page, shots, options):
    stack = page.open(shots)
    if isinstance(options, dict):
        options = {
            k: v.format(shots=shots) if isinstance(v, str) else v for k, v in options.items()
        }
    answer = page.post(f"{stack}/fuse", {"options": options})
    assert answer.status_code in (400, 403)
    assert answer.json()["error"]["what"]


ODD = [
    "../../etc/passwd", "..%2f..%2fetc", "frame-", "frame--1", "frame-99", "frame-1@x", "r9",
    "x-depth", "frame-1@..", "9" * 40, "draft-nothing", "%00",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_pictures_are_named_not_pathed(page, shots, name):
    stack = page.open(shots)
    page.idle()
    for path in (f"tiles/{name}/0/0_0", f"histogram/{name}", f"part/{name}"):
        assert page.http.get(f"{stack}/{path}").status_code in (400, 404)


@pytest.mark.parametrize(
    "place", ["0/-1_0", "99/0_0", "0/0_9999999", "x/0_0", "0/0_1e9", "0/nan_0"]
)
def test_tiles_that_are_none(page, shots, place):
    stack = page.open(shots)
    assert page.http.get(f"{stack}/tiles/frame-0/{place}").status_code in (400, 404)


def test_nothing_of_another_session_is_served(page):
    for path in ("/api/stacks/abc", "/api/stacks/..%2f/tiles/frame-0/0/0_0", "/static/../app.py",
                 "/static/%2e%2e/app.py", "/static/js/../../app.py"):  # fmt: skip
        assert page.http.get(path).status_code in (400, 404)


def test_bodies_are_bounded(page, monkeypatch):
    monkeypatch.setattr("panfocus.web.requests.MOST_BYTES", 1000)
    answer = page.post("/api/stacks", {"paths": ["x" * 2000]})
    assert answer.status_code == 400
    assert "too large" in answer.json()["error"]["what"]
    for content in (b"[1]", b"{", b"\xff", b"[" * 900):
        answer = page.http.post("/api/stacks", content=content)
        assert answer.status_code == 400


async def _pieces(count, size):
    for _ in range(count):
        yield b"x" * size


def test_uploads_are_bounded_and_leave_nothing(tmp_path):
    places = Places([tmp_path])
    uploads = Uploads(places, most_file=10_000, most_together=25_000)
    try:
        id_ = uploads.begin()
        folder = uploads.folder(id_)
        with pytest.raises(InputError, match="more than the page takes"):
            asyncio.run(uploads.take(id_, "a.png", _pieces(100, 1000)))
        assert list(folder.iterdir()) == []
        for name in ("b.png", "c.png"):
            asyncio.run(uploads.take(id_, name, _pieces(10, 1000)))
        with pytest.raises(InputError):
            asyncio.run(uploads.take(id_, "d.png", _pieces(10, 1000)))
        assert sorted(p.name for p in folder.iterdir()) == ["b.png", "c.png"]
    finally:
        places.close()
    assert not folder.exists()


def test_a_stream_that_does_not_end_is_left_at_the_bound(tmp_path):
    """Neither memory nor disk grows with what somebody sends."""
    places = Places([tmp_path])
    uploads = Uploads(places, most_file=64 * 2**20, most_together=2**30)
    taken = []

    async def endless():
        piece = b"x" * 2**16
        while True:
            taken.append(len(piece))
            yield piece

    try:
        id_ = uploads.begin()
        tracemalloc.start()
        with pytest.raises(InputError, match="more than the page takes"):
            asyncio.run(uploads.take(id_, "a.png", endless()))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        assert sum(taken) == 64 * 2**20 + 2**16
        assert list(uploads.folder(id_).iterdir()) == []
    finally:
        tracemalloc.stop()
        places.close()


def test_a_file_that_says_it_is_too_large_is_refused_unread(page):
    id_ = page.post("/api/uploads").json()["id"]
    path = f"/api/uploads/{id_}/a.png"
    headers = {"content-length": str(2**31 + 1)}
    answer = page.http.put(path, content=iter([b"x"]), headers=headers)
    assert answer.status_code == 400
    assert "more than the page takes" in answer.json()["error"]["what"]
    for odd in ("-1", "9" * 40, "\u0663"):
        headers = {"content-length": odd.encode()}
        assert page.http.put(path, content=iter([b"x"]), headers=headers).status_code in (200, 400)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("../../etc/x\n", "_.._etc_x_"),
        ("蝶 3", "蝶 3"),
        ("...", None),
        (7, None),
        ("a" * 99, "a" * 60),
    ],
)
def test_titles_of_drops_can_stand_in_names_of_files(told, kept):
    assert Uploads.title(told) == kept


def test_a_single_file_that_is_dropped_is_opened_itself(tmp_path):
    places = Places([tmp_path])
    uploads = Uploads(places)
    try:
        id_ = uploads.begin()
        one = asyncio.run(uploads.take(id_, "cells.czi", _pieces(1, 10)))
        assert uploads.stacks(id_) == [[one]]
        frame = asyncio.run(uploads.take(id_, "b.png", _pieces(1, 10)))
        assert uploads.stacks(id_) == [[one], [frame]]
    finally:
        places.close()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x.png", None),
        ("a/../b.png", None),
        ("/a.png", None),
        ("a//b.png", None),
        ("..png", None),
        (".zgroup", None),
        ("a/.zgroup", None),
        ("a.zarr/../.zgroup", None),
        ("a.zarr/./.zgroup", None),
        ("/".join(["a"] * 13 + ["b.png"]), None),
        ("蝶" * 70 + ".png", None),
        ("a/b.png", "a/b.png"),
        ("ü x.jpg", "ü x.jpg"),
        ("蝶:1.jpg", "蝶_1.jpg"),
        ("a.zarr/.zgroup", "a.zarr/.zgroup"),
        ("b/a.ome.zarr/0/0/1.2", "b/a.ome.zarr/0/0/1.2"),
        ("a.zarr", None),
    ],
)
def test_names_of_uploads_are_made_plain(tmp_path, name, kept):
    places = Places([tmp_path])
    uploads = Uploads(places)
    try:
        id_ = uploads.begin()
        if kept is None:
            with pytest.raises(UsageError):
                asyncio.run(uploads.take(id_, name, _pieces(1, 10)))
            return
        path = asyncio.run(uploads.take(id_, name, _pieces(1, 10)))
        assert path == uploads.folder(id_) / kept
    finally:
        places.close()


def test_drops_are_taken_by_name(page):
    id_ = page.post("/api/uploads").json()["id"]
    for folder in ("..", "000000000000", f"{id_}%2f..", f"{id_}x"):
        assert page.http.put(f"/api/uploads/{folder}/a.png", content=b"x").status_code in (400, 404)
    assert page.http.put(f"/api/uploads/{id_}/a.exe", content=b"x").status_code == 400
    assert page.http.put(f"/api/uploads/{id_}/a.png", content=b"x").status_code == 200
    assert page.http.put(f"/api/uploads/{id_}/a.png", content=b"x").status_code == 400


def test_places_follow_links_before_they_look(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "loop").symlink_to(inside / "loop")
    places = Places([inside])
    assert places.resolve(str(inside / "new.png")) == inside / "new.png"
    for text in (str(tmp_path), str(inside) + "/../x", os.sep, "relative", None, 3, ["x"]):
        with pytest.raises(RefusedError):
            places.resolve(text)


def test_the_origin_is_the_address_itself():
    assert HOME.startswith("http://127.0.0.1")
