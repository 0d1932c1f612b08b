"""Addresses for mending: strokes put on and taken back, what they are painted from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panfocus.errors import UsageError
from panfocus.web import mendings, unsaved
from panfocus.web.answers import JSONResponse
from panfocus.web.desk import Desk
from panfocus.web.mending import DrawnStrokes
from panfocus.web.requests import PointRequest, body_of
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack


class MendPages:
    """Answers to pages that mend.

    Args:
        desk: what is open.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _stack(self, request: Request) -> OpenStack:
        return self._desk.stack(str(request.path_params["stack"]))

    def _result(self, stack: OpenStack, id_: object) -> Result:
        return stack.result(str(id_))

    async def facts(self, request: Request) -> Response:
        """All strokes."""
        stack = self._stack(request)
        result = stack.results.get(request.query_params.get("result", ""))
        return JSONResponse(await run_in_threadpool(mendings.facts, stack, result))

    async def draw(self, request: Request) -> Response:
        """Put a stroke on top."""
        stack = self._stack(request)
        body = await body_of(request)
        result = self._result(stack, body.get("result"))
        drawn = await run_in_threadpool(mendings.draw, stack, result, body.get("stroke"))
        told = self._changed(stack, stack.mending_of(result))
        return JSONResponse({"stroke": mendings.told(drawn), **told})

    async def remove(self, request: Request) -> Response:
        """Take a stroke back."""
        stack = self._stack(request)
        mending = stack.mending
        mending.remove(str(request.path_params["id"]))
        return JSONResponse(self._changed(stack, mending))

    async def bring_back(self, request: Request) -> Response:
        """Put a stroke that was taken back on top again."""
        stack = self._stack(request)
        mending = stack.mending
        drawn = mending.bring_back(str(request.path_params["id"]))
        told = self._changed(stack, mending)
        return JSONResponse({"stroke": mendings.told(drawn), **told})

    async def source(self, request: Request) -> Response:
        """Which frame is sharpest at a pixel."""
        wanted = PointRequest.of(request)
        stack = self._stack(request)
        result = self._result(stack, wanted.result)
        return JSONResponse({"frame": mendings.source_at(stack, result, wanted.x, wanted.y)})

    async def restore(self, request: Request) -> Response:
        """Take, or forget, what an earlier run has left unsaved."""
        stack = self._stack(request)
        takes = bool((await body_of(request)).get("take"))
        found = stack.left_over
        if found is None:
            raise UsageError("nothing was left unsaved")
        stack.left_over = None
        if takes:
            await run_in_threadpool(self._desk.take_up, stack, found)
        else:
            await run_in_threadpool(unsaved.forget, stack)
        self._desk.jobs.changed(stack.id)
        return JSONResponse({})

    def _changed(self, stack: OpenStack, mending: DrawnStrokes) -> dict[str, Any]:
        """Tell all pages that the strokes of a place have changed; return what is told."""
        self._desk.jobs.aside(stack.id, lambda: unsaved.keep(stack))
        place = next((p for p, each in stack.strokes.all().items() if each is mending), stack.place)
        facts = {"version": mending.version, "count": mending.count}
        told: dict[str, Any] = {"key": stack.key_at(place), **facts}
        self._desk.hub.tell("strokes", id=stack.id, **told)
        return told

    def routes(self, one: str) -> Sequence[Route]:
        """Return the addresses, below that of a stack."""
        return [
            Route(one + "/strokes", self.facts),
            Route(one + "/strokes", self.draw, methods=["POST"]),
            Route(one + "/strokes/{id}", self.remove, methods=["DELETE"]),
            Route(one + "/strokes/{id}", self.bring_back, methods=["POST"]),
            Route(one + "/source/{result}", self.source),
            Route(one + "/restore", self.restore, methods=["POST"]),
        ]
