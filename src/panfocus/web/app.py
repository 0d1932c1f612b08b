"""Addresses and what they answer; who may ask is settled before, by `panfocus.web.safety`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from panfocus._version import __version__
from panfocus.errors import PanfocusError, UsageError
from panfocus.web.answers import JSONResponse
from panfocus.web.compare_pages import ComparePages
from panfocus.web.desk import Desk
from panfocus.web.form import form, read_options
from panfocus.web.gone import GoneError
from panfocus.web.jobs import facts_of
from panfocus.web.listing import listing
from panfocus.web.mend_pages import MendPages
from panfocus.web.places import RefusedError
from panfocus.web.readings import read_reading
from panfocus.web.requests import BoxRequest, body_of, list_of, whole
from panfocus.web.safety import Doors, Guarded
from panfocus.web.save_pages import SavePages
from panfocus.web.see_pages import SeePages
from panfocus.web.spot import Spot
from panfocus.web.stacks import DRAFT, OpenStack
from panfocus.web.tile_pages import TilePages
from panfocus.web.uploads import TAKEN, Uploads

STATIC = Path(__file__).parent / "static"


class Pages:
    """The server's answers.

    Args:
        desk: what is open.
        doors: for another address of the page.
    """

    def __init__(self, desk: Desk, doors: Doors) -> None:
        self.desk = desk
        self.doors = doors
        self.uploads = Uploads(desk.places)

    def stack(self, request: Request) -> OpenStack:
        """Return the stack that an address names."""
        return self.desk.stack(str(request.path_params["stack"]))

    async def home(self, _request: Request) -> Response:
        """The page."""
        return Response((STATIC / "index.html").read_bytes(), media_type="text/html")

    async def state(self, _request: Request) -> Response:
        """What is open, and the form of options."""
        facts = await run_in_threadpool(lambda: {**self.desk.facts(), "form": form()})
        return JSONResponse({**facts, "version": __version__, "taken": sorted(TAKEN)})

    async def events(self, _request: Request) -> Response:
        """Server-sent events, for as long as the page is open."""
        return StreamingResponse(self.desk.hub.listen(), media_type="text/event-stream")

    async def address(self, _request: Request) -> Response:
        """An address for another browser, good once."""
        return JSONResponse({"token": self.doors.token()})

    async def folder(self, request: Request) -> Response:
        """What lies in a folder."""
        path = self.desk.places.resolve(request.query_params.get("path"))
        return JSONResponse(await run_in_threadpool(listing, path, self.desk.places))

    async def open(self, request: Request) -> Response:
        """Open a stack."""
        body = await body_of(request)
        if "upload" in body:
            return await self._open_dropped(str(body["upload"]), body.get("title"))
        given = list_of(body.get("paths"))
        if not given:
            raise UsageError("nothing was named to be opened")
        paths = [self.desk.places.resolve(one) for one in given]
        reading = read_reading(body.get("reading"))
        stack = await run_in_threadpool(self.desk.open, paths, reading)
        return JSONResponse({"id": stack.id})

    async def read_anew(self, request: Request) -> Response:
        """Open a stack again, read as a volume of these axes, names or tiles."""
        stack = self.stack(request)
        reading = read_reading((await body_of(request)).get("reading"))
        opened = await run_in_threadpool(self.desk.reread, stack, reading)
        return JSONResponse({"id": opened.id})

    async def _open_dropped(self, id_: str, told: object) -> Response:
        """Open all stacks of a drop; what cannot be opened is told where another one can."""
        stacks = await run_in_threadpool(self.uploads.stacks, id_)
        opened: list[str] = []
        problems: list[PanfocusError] = []
        for paths in stacks:
            try:
                stack = await run_in_threadpool(self.desk.open, paths)
            except PanfocusError as error:
                problems.append(error)
                continue
            title = self.uploads.title(told)
            if title is not None and (len(stacks) == 1 or paths == [self.uploads.folder(id_)]):
                stack.title = title
                self.desk.hub.tell("stacks")
            opened.append(stack.id)
        if not opened:
            raise problems[0]
        return JSONResponse({"id": opened[0], "problems": [facts_of(one) for one in problems]})

    async def close(self, request: Request) -> Response:
        """Close a stack."""
        await run_in_threadpool(self.desk.close_stack, str(request.path_params["stack"]))
        return JSONResponse({})

    async def facts(self, request: Request) -> Response:
        """All that is known of a stack."""
        opened = self.desk.opened(str(request.path_params["stack"]))
        facts = await run_in_threadpool(opened.facts)
        return JSONResponse({**facts, "undrafted": self.desk.jobs.why_undrafted(opened.id)})

    async def frames(self, request: Request) -> Response:
        """Say which frames are used."""
        stack = self.stack(request)
        body = await body_of(request)
        if "number" in body:  # others may be switched by another page at the same time
            stack.switch_one(whole("number", body["number"]), bool(body.get("used")))
        else:
            stack.switch([bool(one) for one in list_of(body.get("used"))])
        self.desk.jobs.changed(stack.id)
        return JSONResponse({})

    async def place(self, request: Request) -> Response:
        """Show another position, T and C of a volume."""
        stack = self.stack(request)
        body = await body_of(request)
        place = whole("p", body.get("p")), whole("t", body.get("t")), whole("c", body.get("c"))
        for kind in ("draft", "region"):  # what is fused and saved goes on
            self.desk.jobs.stop_all(stack.id, kind)
        await run_in_threadpool(stack.go_to, place)
        self.desk.pyramids.forget(f"{stack.id}.")
        if DRAFT not in stack.results:
            self.desk.draft(stack)
        self.desk.jobs.changed(stack.id)
        return JSONResponse({})

    async def fuse(self, request: Request) -> Response:
        """Begin to fuse."""
        stack = self.stack(request)
        body = await body_of(request)
        options = read_options(body.get("options", {}), self.desk.places)
        told = body.get("guide")
        spot = Spot.of(stack, None if told is None else whole("guide_channel", told))
        if "box" in body:
            box = BoxRequest.of(body).box
            job = await run_in_threadpool(self.desk.region, stack, options, box, spot)
        else:
            job = await run_in_threadpool(self.desk.fuse, stack, options, spot)
        return JSONResponse(job.facts())

    async def drop(self, request: Request) -> Response:
        """Forget a result."""
        stack = self.stack(request)
        id_ = str(request.path_params["result"])
        await run_in_threadpool(stack.drop, id_)
        self.desk.pyramids.forget(f"{stack.key}/{id_}")
        self.desk.jobs.changed(stack.id)
        return JSONResponse({})

    async def stop(self, request: Request) -> Response:
        """Stop a job."""
        return JSONResponse({"stopped": self.desk.jobs.stop(str(request.path_params["job"]))})

    async def drop_begin(self, _request: Request) -> Response:
        """Begin to take dropped files."""
        return JSONResponse({"id": await run_in_threadpool(self.uploads.begin)})

    async def drop_file(self, request: Request) -> Response:
        """Take one dropped file."""
        found = request.path_params
        length = request.headers.get("content-length", "")
        told = int(length) if length.isdecimal() and len(length) < 20 else None
        await self.uploads.take(str(found["upload"]), str(found["name"]), request.stream(), told)
        return JSONResponse({})

    def routes(self) -> Sequence[Route | Mount]:
        """Return all addresses."""
        one = "/api/stacks/{stack}"
        return [
            Route("/", self.home),
            Route("/api/state", self.state),
            Route("/api/events", self.events),
            Route("/api/address", self.address, methods=["POST"]),
            Route("/api/folder", self.folder),
            Route("/api/stacks", self.open, methods=["POST"]),
            Route("/api/uploads", self.drop_begin, methods=["POST"]),
            Route("/api/uploads/{upload}/{name:path}", self.drop_file, methods=["PUT"]),
            Route("/api/jobs/{job}", self.stop, methods=["DELETE"]),
            Route(one, self.facts),
            Route(one, self.close, methods=["DELETE"]),
            Route(one + "/frames", self.frames, methods=["POST"]),
            Route(one + "/place", self.place, methods=["POST"]),
            Route(one + "/reading", self.read_anew, methods=["POST"]),
            Route(one + "/fuse", self.fuse, methods=["POST"]),
            Route(one + "/results/{result}", self.drop, methods=["DELETE"]),
            *TilePages(self.desk).routes(one),
            *SeePages(self.desk).routes(one),
            *MendPages(self.desk).routes(one),
            *SavePages(self.desk).routes(one),
            *ComparePages(self.desk).routes(one),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]


def make_app(desk: Desk, doors: Doors) -> Guarded:
    """Return the server's app behind its doors."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        desk.hub.begin()
        try:
            yield
        finally:
            await run_in_threadpool(desk.close)

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, PanfocusError)
        codes = ((RefusedError, 403), (GoneError, 410))
        code = next((code for kind, code in codes if isinstance(error, kind)), 400)
        facts: dict[str, Any] = facts_of(error)
        return JSONResponse({"error": facts}, code)

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    pages = Pages(desk, doors)
    handlers: dict[Any, Any] = {PanfocusError: refused, ClientDisconnect: gone}
    app = Starlette(routes=pages.routes(), lifespan=lifespan, exception_handlers=handlers)
    return Guarded(app, doors)
