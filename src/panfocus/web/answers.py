"""Answers of the server that any name of a file can be in."""

from __future__ import annotations

import json

from starlette import responses


class JSONResponse(responses.JSONResponse):
    r"""JSON in ASCII: bytes of a name that are no letters become ``\udcXX``, and come back so."""

    def render(self, content: object) -> bytes:
        """Return the text as bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
