"""The page: requests that nobody's page sends, files and projects that others have made.

A server has no exit code: wrong is an answer 500, and whatever it writes unasked.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.case import Case, How
from fuzz.made import lay
from fuzz.outside import ODD
from fuzz.samples import samples

_PORT = 8123
_HOME = f"http://127.0.0.1:{_PORT}"
_ONE = "/api/stacks/{stack}"
#: Method, address, names of what stands in the query or the body.
_ASKED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("GET", "/api/state", ()), ("GET", "/api/folder", ("path",)), ("GET", "/api/fetch", ("path",)),
    ("POST", "/api/stacks", ("paths", "upload")), ("POST", "/api/uploads", ()),
    ("PUT", "/api/uploads/{odd}/{odd}", ()), ("DELETE", "/api/jobs/{odd}", ()),
    ("GET", "/api/stacks/{odd}", ()), ("DELETE", "/api/stacks/{odd}", ()), ("GET", _ONE, ()),
    ("POST", _ONE + "/frames", ("used", "number")), ("POST", _ONE + "/place", ("p", "t", "c")),
    ("GET", _ONE + "/thumbs/{odd}", ()), ("GET", _ONE + "/tiles/{picture}/{odd}/{odd}_{odd}", ()),
    ("GET", _ONE + "/tiles/{odd}/0/0_0", ()), ("GET", _ONE + "/tiles/{picture}/{odd}/0_0", ()),
    ("POST", _ONE + "/fuse", ("options", "box")), ("DELETE", _ONE + "/results/{odd}", ()),
    ("POST", _ONE + "/levels", ("black", "white", "gamma")),
    ("GET", _ONE + "/histogram/{picture}", ()), ("GET", _ONE + "/histogram/{odd}", ()),
    ("GET", _ONE + "/value/{result}", ("x", "y")),
    ("GET", _ONE + "/part/{picture}", ("left", "top", "width", "height", "wide", "high")),
    ("GET", _ONE + "/surface/{result}/mesh", ()), ("GET", _ONE + "/surface/{odd}/texture", ()),
    ("GET", _ONE + "/strokes", ("result",)), ("POST", _ONE + "/strokes", ("result", "stroke")),
    ("DELETE", _ONE + "/strokes/{odd}", ()), ("POST", _ONE + "/strokes/{odd}", ()),
    ("GET", _ONE + "/source/{result}", ("x", "y")), ("POST", _ONE + "/restore", ("take",)),
    ("POST", _ONE + "/save/line", ("result", "name", "maps", "quality", "folder", "overwrite")),
    ("POST", _ONE + "/save", ("result", "name", "maps", "quality", "folder", "overwrite")),
    ("POST", "/api/nothing", ("x",)), ("GET", "/static/{odd}", ()),
)  # fmt: skip
_WORDS = ("0", "1", "-1", "3", "1e9", "99999999999999999999", "9" * 400, "x", "²", "%00", "..",
          "%2e%2e%2f", "nan", "inf", "1.5", " ", "frame-0", "a" * 300, "%ff")  # fmt: skip
_BODIES = (b"", b"{", b"null", b"[]", b'"x"', b"[" * 50_000, b"\xff\xfe", b"1" * 5000)
_STROKE = {"kind": "brush", "points": [[3, 3], [9, 9]], "source": {"frame": 1}, "radius": 4}


class _Page:
    """A page in this process, that has come in by the token.

    Attributes:
        wrong: answers that it should not have got.
    """

    def __init__(self, folder: Path) -> None:
        from starlette.testclient import TestClient

        from panfocus.web.app import make_app
        from panfocus.web.desk import Desk
        from panfocus.web.events import Hub
        from panfocus.web.places import Places
        from panfocus.web.safety import Doors

        doors = Doors(_PORT)
        self.desk = Desk(Places([folder.absolute()]), Hub(), budget=64 * 2**20)
        self.http = TestClient(
            make_app(self.desk, doors), base_url=_HOME, headers={"origin": _HOME},
            raise_server_exceptions=False,
        )  # fmt: skip
        self.wrong: list[str] = []
        self._doors = doors

    def __enter__(self) -> _Page:
        self.http.__enter__()
        self.http.get(f"/?token={self._doors.token()}")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__(None, None, None)

    def ask(self, method: str, address: str, **how: Any) -> Any:
        """Ask, and note what should not be answered."""
        from httpx2 import InvalidURL  # of the client that Starlette tests with

        try:
            answer = self.http.request(method, address, **how)
        except (InvalidURL, UnicodeError):  # no browser sends it either
            return None
        if answer.status_code >= 500:
            self.wrong.append(f"{answer.status_code} to {method} {address[:120]} {str(how)[:200]}")
        return answer

    def open(self, paths: list[str]) -> str | None:
        """Open files or a folder; return the stack, or None where that is refused."""
        answer = self.ask(
            "POST", "/api/stacks", json={"paths": [str(Path(p).absolute()) for p in paths]}
        )
        return answer.json()["id"] if answer is not None and answer.status_code == 200 else None

    def idle(self) -> None:
        """Wait until nothing is being done."""
        end = time.monotonic() + 60
        while self.ask("GET", "/api/state").json()["jobs"] and time.monotonic() < end:
            time.sleep(0.02)

    def judge(self) -> None:
        """Tell what was wrong, as a process does that ends badly."""
        for words in self.wrong[:5]:
            print(f"unexpected answer: {words}", file=sys.stderr)
        assert not self.wrong


def _fused(page: _Page, stack: str) -> str:
    page.ask("POST", f"/api/stacks/{stack}/fuse", json={"options": {"system": "guided"}})
    page.idle()
    results = page.ask("GET", f"/api/stacks/{stack}").json()["results"]
    return str(results[-1]["id"]) if results else "none"


def _odd_request(chance: random.Random, names: dict[str, str]) -> tuple[str, str, dict[str, Any]]:
    method, address, fields = chance.choice(_ASKED)
    while "{odd}" in address:
        address = address.replace("{odd}", chance.choice(_WORDS), 1)
    for name, value in names.items():
        is_odd = name != "stack" and chance.random() < 0.2
        address = address.replace("{" + name + "}", chance.choice(_WORDS) if is_odd else value)
    if method == "GET":
        query = {field: chance.choice(_WORDS).replace("%", "") for field in fields
                 if chance.random() < 0.9}  # fmt: skip
        return method, address, {"params": query}
    if chance.random() < 0.1:
        return method, address, {"content": chance.choice(_BODIES)}
    body = {field: _value(field, chance, names) for field in fields if chance.random() < 0.9}
    text = json.dumps(body).encode(errors="surrogatepass")
    return method, address, {"content": text}


def _value(field: str, chance: random.Random, names: dict[str, str]) -> Any:
    """Return something for a field: mostly what it cannot be."""
    if field == "result" and chance.random() < 0.8:
        return names["result"]
    if field == "stroke" and chance.random() < 0.8:
        return {**_STROKE, chance.choice([*_STROKE, "opacity", "gain"]): chance.choice(ODD)}
    if field == "options" and chance.random() < 0.8:
        key = chance.choice(("system", "mode", "align", "max_memory", "threads", "reference", "x"))
        return {"system": "guided", key: chance.choice(ODD)}
    if field == "box":
        return [chance.choice((*ODD, 0, 8, 24)) for _ in range(4)]
    return chance.choice(ODD)


def requests_case(seed: int) -> Case:
    """Return a case: many requests to a page that has a stack and its fusion."""

    def call(_: list[str]) -> None:
        chance = random.Random(f"page {seed}")
        with _Page(Path()) as page:
            stack = page.open(["."])
            assert stack is not None
            page.idle()
            names = {"stack": stack, "picture": "frame-0", "result": _fused(page, stack)}
            for _ in range(60):
                method, address, how = _odd_request(chance, names)
                page.ask(method, address, **how)
            page.idle()
        page.judge()

    def prepare(folder: Path) -> list[str]:
        lay(folder)
        return []

    # a save that is asked for is one; the name may be odd
    return Case("page", f"requests {seed}", prepare, codes=(0,), made=("*.tif", "*.png", "*.jpg",
                "*.json", "x*", "1*", "0*", "²*", "NaN*", "True*", "None*", "{*", "[[*"),
                how=How(memory=900), call=call)  # fmt: skip


def files_case(kind: str, how: str, seed: int) -> Case:
    """Return a case: damaged files are opened on the page, looked at and fused."""
    from fuzz.damage import DAMAGES

    sample = samples()[kind]

    def prepare(folder: Path) -> list[str]:
        bad = DAMAGES[how](sample.data, random.Random(f"page {kind} {how} {seed}"))
        (folder / f"f0{sample.ending}").write_bytes(bad)
        for n in (1, 2) if not sample.is_stack else ():
            (folder / f"f{n}{sample.ending}").write_bytes(sample.data)
        return []

    def call(_: list[str]) -> None:
        with _Page(Path()) as page:
            paths = [f"f0{sample.ending}"] if sample.is_stack else ["."]
            stack = page.open(paths)
            if stack is None:
                return
            page.idle()
            one = f"/api/stacks/{stack}"
            for rest in ("", "/thumbs/0", "/tiles/frame-0/0/0_0", "/histogram/frame-0"):
                page.ask("GET", one + rest)
            _fused(page, stack)
        page.judge()

    return Case("page", f"{kind} {how} {seed}", prepare, codes=(0,), made=(), call=call)


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from (requests_case(seed) for seed in range(12))
    for n, kind in enumerate(samples()):
        yield files_case(kind, ("cut", "head", "zeros")[n % 3], n)


def drawn(chance: random.Random) -> Case:
    """Return another one."""
    if chance.random() < 0.5:
        return requests_case(chance.randrange(10**9))
    how = chance.choice(("cut", "flip", "head", "lengths", "more"))
    return files_case(chance.choice(list(samples())), how, chance.randrange(10**9))
