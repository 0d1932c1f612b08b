"""Addresses for looking: histogram, values under the pointer, parts of pictures, the surface."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import cv2
import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panfocus.errors import UsageError
from panfocus.pipeline.settings import is_length
from panfocus.surface.mesh import Surface, build_surface
from panfocus.web.answers import JSONResponse
from panfocus.web.desk import Desk
from panfocus.web.mended import Mended
from panfocus.web.pictures import histogram
from panfocus.web.pyramids import Byte, encode, size_at
from panfocus.web.requests import LevelsRequest, PointRequest, body_of, whole
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack

#: Pixels of the level that a histogram is counted on.
_COUNTED = 1_500_000
#: Points of a surface that a browser turns smoothly.
_VERTICES = 90_000
_TEXTURE = 2048
#: Sides of a part of a picture that is asked for as one, at most.
_MOST_SIDE = 4096


class SeePages:
    """Answers to pages that look.

    Args:
        desk: what is open.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _result(self, request: Request) -> tuple[OpenStack, Result]:
        stack = self._desk.stack(str(request.path_params["stack"]))
        return stack, stack.result(str(request.path_params["result"]))

    async def histogram(self, request: Request) -> Response:
        """How many pixels of a picture have each level."""
        stack = self._desk.stack(str(request.path_params["stack"]))
        name = str(request.path_params["picture"])

        def count() -> list[list[int]]:
            picture = stack.picture(name)
            level = 0
            while np.prod(size_at(picture, level)) > _COUNTED:
                level += 1
            result = stack.results.get(name)
            if result is not None:
                return histogram(Mended(stack, result, self._desk.pyramids).level(level))
            return histogram(self._desk.pyramids.level(picture, level))

        return JSONResponse({"channels": await run_in_threadpool(count)})

    async def value(self, request: Request) -> Response:
        """What the maps of a result say of a pixel, strokes included."""
        wanted = PointRequest.of(request)
        stack = self._desk.stack(str(request.path_params["stack"]))
        result = stack.result(wanted.result)
        height, width = result.fusion.image.shape[:2]
        if wanted.x >= width or wanted.y >= height:
            return JSONResponse({})
        mended = Mended(stack, result, self._desk.pyramids)
        return JSONResponse(await run_in_threadpool(mended.value, wanted.x, wanted.y))

    async def part(self, request: Request) -> Response:
        """A rectangle of a picture at a size, as one JPEG: what a brush shows while it paints."""
        stack = self._desk.stack(str(request.path_params["stack"]))
        name = str(request.path_params["picture"])
        found = request.query_params
        box = [whole(key, found.get(key)) for key in ("left", "top", "width", "height")]
        size = [whole(key, found.get(key), least=1, most=_MOST_SIDE) for key in ("wide", "high")]

        def make() -> bytes:
            picture = stack.picture(name)
            level = 0
            while box[2] >> (level + 1) >= size[0] and level < 12:
                level += 1
            pixels = self._desk.pyramids.level(picture, level)
            left, top, width, height = (n >> level for n in box)
            cut = pixels[top : top + max(height, 1), left : left + max(width, 1)]
            if cut.size == 0:
                raise UsageError("there is no such part of the picture", got=str(box))
            shown: Byte = np.asarray(
                cv2.resize(cut, (size[0], size[1]), interpolation=cv2.INTER_LINEAR), np.uint8
            )
            return encode(shown, exact=False)[0]

        return Response(await run_in_threadpool(make), media_type="image/jpeg")

    async def mesh(self, request: Request) -> Response:
        """The surface: counts, places, places in the texture, triangles, as numbers."""
        stack, result = self._result(request)
        mended = Mended(stack, result, self._desk.pyramids)
        told = request.query_params.get("pixel")
        size = stack.frames.pixel_um
        pixel = _length(told) if told is not None else size and size[1]
        surface = await run_in_threadpool(_surface, mended, pixel)
        places = surface.vertices - surface.vertices.mean(axis=0)
        places /= np.float32(np.ptp(places[:, :2], axis=0).max() / 2)
        parts = [
            struct.pack("<II", len(places), len(surface.faces)),
            places.astype("<f4").tobytes(),
            surface.uv.astype("<f4").tobytes(),
            surface.faces.astype("<u4").tobytes(),
        ]
        return Response(b"".join(parts), media_type="application/octet-stream")

    async def texture(self, request: Request) -> Response:
        """The picture that lies on the surface, or its depth in colours."""
        stack, result = self._result(request)
        is_depth = request.query_params.get("of") == "depth"
        if is_depth and "depth" not in result.scales:
            raise UsageError("this result has no depth")

        def make() -> bytes:
            level = 0
            while max(size_at(stack.result_picture(result), level + 1)) >= _TEXTURE:
                level += 1
            mended = Mended(stack, result, self._desk.pyramids)
            shown = mended.map_level("depth", level) if is_depth else mended.level(level)
            longest = max(shown.shape[:2])
            if longest > _TEXTURE:
                size = [max(side * _TEXTURE // longest, 1) for side in shown.shape[1::-1]]
                shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
            return encode(shown, exact=False)[0]

        return Response(await run_in_threadpool(make), media_type="image/jpeg")

    async def levels(self, request: Request) -> Response:
        """Say which numbers are black and white on the screen."""
        stack = self._desk.stack(str(request.path_params["stack"]))
        stack.levels = LevelsRequest.of(await body_of(request)).levels
        self._desk.jobs.changed(stack.id)
        return JSONResponse({})

    def routes(self, one: str) -> Sequence[Route]:
        """Return the addresses, below that of a stack."""
        return [
            Route(one + "/levels", self.levels, methods=["POST"]),
            Route(one + "/histogram/{picture}", self.histogram),
            Route(one + "/value/{result}", self.value),
            Route(one + "/part/{picture}", self.part),
            Route(one + "/surface/{result}/mesh", self.mesh),
            Route(one + "/surface/{result}/texture", self.texture),
        ]


def _length(text: str) -> float:
    try:
        length = float(text)
    except ValueError:
        length = 0.0
    if not is_length(length):
        raise UsageError("this is no size of a pixel", expected="micrometres", got=text[:40])
    return length


def _surface(mended: Mended, pixel_um: float | None) -> Surface:
    fusion = mended.result.fusion
    if fusion.depth is None or fusion.confidence is None:
        raise UsageError("this result has no depth")
    return build_surface(
        np.asarray(fusion.image),
        mended.map("depth"),
        mended.map("confidence"),
        pixel_um=pixel_um,
        is_length=fusion.report.depth_unit == "µm",
        near_first=mended.result.options.order == "near-first",
        most_vertices=_VERTICES,
    )
