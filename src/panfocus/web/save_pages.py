"""Addresses for saving: what would be written, the command line, writing it, fetching it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from panfocus.errors import PanfocusError, UsageError
from panfocus.io.volumes.open import is_zarr
from panfocus.web import saving
from panfocus.web.answers import JSONResponse
from panfocus.web.desk import Desk
from panfocus.web.jobs import PageJob, facts_of
from panfocus.web.requests import body_of
from panfocus.web.results import Result
from panfocus.web.stacks import DRAFT, OpenStack


def _archived(folder: Path) -> Path:
    """Return an archive beside a folder that holds it, as it is."""
    archive = folder.with_name(f"{folder.name}.zip")
    with ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder.parent))
    return archive


class SavePages:
    """Answers to pages that save.

    Args:
        desk: what is open.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def _read(self, request: Request) -> tuple[OpenStack, Result, saving.SaveRequest]:
        stack = self._desk.stack(str(request.path_params["stack"]))
        body = await body_of(request)
        result = stack.result(str(body.get("result")))
        if result.id == DRAFT or result.name == "region":
            raise UsageError("a draft is not saved", remedy="fuse the stack first")
        return stack, result, saving.SaveRequest.of(body, stack, result, self._desk.places)

    async def line(self, request: Request) -> Response:
        """The command line, what is there already, and what cannot be."""
        stack, result, wanted = await self._read(request)
        standing = [path.name for path in saving.standing(stack, result, wanted)]
        problem = None
        try:  # nobody is asked about what is not replaced in any case, such as a frame
            await run_in_threadpool(saving.check, stack, result, wanted.replacing())
        except PanfocusError as error:
            problem = facts_of(error)
        line = saving.line(stack, result, wanted)
        return JSONResponse({"command": line, "standing": standing, "problem": problem})

    async def save(self, request: Request) -> Response:
        """Begin to write."""
        stack, result, wanted = await self._read(request)
        standing = [path.name for path in saving.standing(stack, result, wanted)]
        await run_in_threadpool(saving.check, stack, result, wanted.replacing())
        if standing and not wanted.wanted.overwrite:
            return JSONResponse({"standing": standing})

        def work(job: PageJob) -> None:
            files = saving.save(stack, result, wanted, job, self._desk.jobs)
            self._desk.hub.tell("saved", stack=stack.id, files=files)
            self._desk.jobs.changed(stack.id)

        job = self._desk.jobs.start(PageJob("save", stack.id, wanted.wanted.picture.name), work)
        return JSONResponse(job.facts())

    async def fetch(self, request: Request) -> Response:
        """A file that was saved among dropped ones: the browser is the way to its user.

        A Zarr is a folder, and comes as an archive of it.
        """
        path = self._desk.places.resolve(request.query_params.get("path"))
        is_folder = is_zarr(path) and path.is_dir()
        if not self._desk.places.is_dropped(path) or not (path.is_file() or is_folder):
            raise UsageError("only what was made of dropped files is fetched")
        if is_folder:
            path = await run_in_threadpool(_archived, path)
        name = path.name.encode(errors="replace").decode()
        return FileResponse(path, filename=name, content_disposition_type="attachment")

    def routes(self, one: str) -> Sequence[Route]:
        """Return the addresses, below that of a stack."""
        return [
            Route(one + "/save/line", self.line, methods=["POST"]),
            Route(one + "/save", self.save, methods=["POST"]),
            Route("/api/fetch", self.fetch),
        ]
