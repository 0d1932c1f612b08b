"""Addresses of the pictures that a page is made of: tiles of all that is looked at, thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panfocus.errors import UsageError
from panfocus.web.desk import Desk
from panfocus.web.evaluations import OpenEvaluation
from panfocus.web.gone import GoneError
from panfocus.web.mended import faded, mended_tile
from panfocus.web.pyramids import Byte, cut, encode
from panfocus.web.requests import TileRequest, whole
from panfocus.web.stacks import OpenStack

#: An address with a version in it never means other bytes.
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
#: A picture of what has gone while it was asked for: nothing, and that only now.
_NOTHING = encode(np.zeros((1, 1, 4), np.uint8), exact=True)
_NOW = {"cache-control": "no-store"}

Packed = tuple[bytes, str]


class TilePages:
    """Answers to pages that show pictures.

    Args:
        desk: what is open.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def thumb(self, request: Request) -> Response:
        """A frame, small."""
        id_, version = str(request.path_params["stack"]), request.query_params.get("v", "")
        number = whole("number", request.path_params["number"])

        def make() -> tuple[Packed | None, bool]:
            stack = self._desk.stack(id_)
            with stack.lock:
                key, count, levels = stack.key, stack.frames.shape[0], stack.levels
                thumbs = stack.survey.thumbs
            if number >= count and not stack.has_gone("", version):
                return None, False
            if stack.has_gone("", version) or number >= len(thumbs):
                raise GoneError("another place is shown")
            is_meant = version == f"{key}{levels.tail}"
            return (thumbs[number].jpeg(levels), "image/jpeg"), is_meant

        return await _answer(make)

    async def tile(self, request: Request) -> Response:
        """A tile of a picture."""
        wanted = TileRequest.of(request)
        id_ = str(request.path_params["stack"])

        def make() -> tuple[Packed | None, bool]:
            opened = self._desk.opened(id_)
            if isinstance(opened, OpenEvaluation):
                return self._of_evaluation(opened, wanted), True
            return self._of_stack(opened, wanted)

        return await _answer(make)

    def _of_evaluation(self, opened: OpenEvaluation, wanted: TileRequest) -> Packed | None:
        picture = opened.picture(wanted.picture)
        part = cut(self._desk.pyramids.level(picture, wanted.level), wanted.column, wanted.row)
        return None if part is None else encode(part, exact=picture.exact)

    def _of_stack(self, stack: OpenStack, wanted: TileRequest) -> tuple[Packed | None, bool]:
        """Return a tile, and whether it is that of the levels which the address tells.

        Raises:
            GoneError: the picture has gone, before or while it was made.
        """
        levels = stack.levels
        self._check_there(stack, wanted)
        try:
            made = self._made(stack, wanted)
        except UsageError:
            self._check_there(stack, wanted)
            raise
        self._check_there(stack, wanted)
        told = wanted.version.partition("~")
        return made, "".join(told[1:]) == levels.tail and stack.levels == levels

    @staticmethod
    def _check_there(stack: OpenStack, wanted: TileRequest) -> None:
        if stack.has_gone(wanted.picture, wanted.version):
            raise GoneError("there is no such picture any more")

    def _made(self, stack: OpenStack, wanted: TileRequest) -> Packed | None:
        mended = mended_tile(stack, self._desk.pyramids, wanted)
        if mended is not None:
            return self._packed(stack, wanted, *mended)
        picture = stack.picture(wanted.picture)
        part = cut(self._desk.pyramids.level(picture, wanted.level), wanted.column, wanted.row)
        return None if part is None else self._packed(stack, wanted, part, picture.exact)

    def _packed(self, stack: OpenStack, wanted: TileRequest, part: Byte, exact: bool) -> Packed:
        is_map = exact and "-" in wanted.picture and part.ndim == 3
        if wanted.fades and is_map:
            part = faded(stack, self._desk.pyramids, wanted, part)
        return encode(part, exact=exact)

    def routes(self, one: str) -> Sequence[Route]:
        """Return the addresses, below that of a stack."""
        return [
            Route(one + "/thumbs/{number}", self.thumb),
            Route(one + "/tiles/{picture}/{level}/{column}_{row}", self.tile),
        ]


async def _answer(make: Callable[[], tuple[Packed | None, bool]]) -> Response:
    """Answer with a picture; with one of nothing where it has gone: a page that asks is not wrong.

    Args:
        make: returns it, packed, and whether its address will always mean it; None for none.
    """
    try:
        made, is_lasting = await run_in_threadpool(make)
    except GoneError:
        return Response(_NOTHING[0], media_type=_NOTHING[1], headers=_NOW)
    if made is None:
        return Response(status_code=404)
    return Response(made[0], media_type=made[1], headers=_FOREVER if is_lasting else _NOW)
