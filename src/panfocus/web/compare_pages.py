"""Addresses for comparing systems on an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panfocus.errors import UsageError
from panfocus.web.answers import JSONResponse
from panfocus.web.desk import Desk
from panfocus.web.evaluations import OpenEvaluation
from panfocus.web.requests import BoxRequest, whole


class ComparePages:
    """Answers to pages that compare.

    Args:
        desk: what is open.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _opened(self, request: Request) -> OpenEvaluation:
        found = self._desk.opened(str(request.path_params["stack"]))
        if not isinstance(found, OpenEvaluation):
            raise UsageError("this is no evaluation")
        return found

    async def size(self, request: Request) -> Response:
        """Height and width of a sample."""
        number = whole("sample", request.path_params["sample"])
        height, width = await run_in_threadpool(self._opened(request).size, number)
        return JSONResponse({"height": height, "width": width})

    async def scores(self, request: Request) -> Response:
        """Each system's PSNR in a part of a sample, or its scores by all metrics of the run."""
        number = whole("sample", request.path_params["sample"])
        text = str(request.query_params.get("box", ""))
        box = BoxRequest.of({"box": cast("list[object]", text.split(","))}).box
        opened = self._opened(request)
        if request.query_params.get("all"):
            return JSONResponse({"scores": await run_in_threadpool(opened.metrics_in, number, box)})
        return JSONResponse({"psnr": await run_in_threadpool(opened.scores_in, number, box)})

    def routes(self, one: str) -> Sequence[Route]:
        """Return the addresses, below that of an evaluation."""
        return [
            Route(one + "/samples/{sample}", self.size),
            Route(one + "/samples/{sample}/scores", self.scores),
        ]
