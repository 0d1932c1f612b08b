"""Who may come in: the page itself, by a cookie that it got for a token, and nobody else.

A server on this machine can be reached by every page that the user's browser shows. So every
request must name this server as its host (a name that was bound anew to 127.0.0.1 is refused),
carry the cookie, and, where it changes anything, come from this very page.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: No script, style, picture or connection but this server's own; nobody may frame the page.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})


@dataclass
class Doors:
    """What opens the server.

    Attributes:
        port: that it listens on.
        hosts: names by which it may be called, without port.
        any_address: whether any IP address may stand for a host: an address cannot be bound anew
            as a name can, and a server for the network has several.
        cookie: name of the cookie; cookies know no ports, so the name does.
    """

    port: int
    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost", "[::1]"})
    any_address: bool = False
    cookie: str = field(init=False)
    _secret: str = field(init=False, repr=False)
    _tokens: set[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.cookie = f"panfocus-{self.port}"
        self._secret = secrets.token_urlsafe(32)
        self._tokens = set()

    def token(self) -> str:
        """Return a new token, good for one exchange."""
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return token

    def exchange(self, token: str) -> str | None:
        """Return the cookie for a token that is still good; None for any other."""
        if not any(secrets.compare_digest(token.encode(), t.encode()) for t in self._tokens):
            return None
        self._tokens.discard(token)
        return f"{self.cookie}={self._secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit():
            name, port = host, "80"
        if port != str(self.port):
            return False
        return name.lower() in self.hosts or (self.any_address and _is_address(name))

    def knows_cookie(self, header: str) -> bool:
        """Whether a Cookie header carries the cookie."""
        try:
            found = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(
            found.value.encode(), self._secret.encode()
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


class Guarded:
    """The app behind its doors; every answer carries the headers of safety."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may come in; answer the rest with a sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *_HEADERS]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        answer = self._answer(scope)
        await (self._app if answer is None else answer)(scope, receive, send_safely)

    def _answer(self, scope: Scope) -> ASGIApp | None:
        """Return what to say to a request that may not pass, None for one that may."""
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        if not self._doors.knows_host(headers.get("host", "")):
            return PlainTextResponse("This server goes by another name.", 421)
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] == "/" and scope["method"] == "GET" and token:
            return self._enter(headers, token[0])
        if not self._doors.knows_cookie(headers.get("cookie", "")):
            return PlainTextResponse(
                "This page opens by the address that `panfocus view` printed, once. "
                "Start it again for another.",
                403,
            )
        return _cross_site(headers, scope["method"])

    def _enter(self, headers: Mapping[str, str], token: str) -> ASGIApp | None:
        cookie = self._doors.exchange(token)
        home = RedirectResponse("/", 303)
        if cookie is not None:
            home.headers["set-cookie"] = cookie
            return home
        if self._doors.knows_cookie(headers.get("cookie", "")):
            return home
        return PlainTextResponse(
            "This address has been used already, or is none of this run: it opens once, in one "
            "browser. Go on there, or start `panfocus view` again for another.",
            403,
        )


def _cross_site(headers: Mapping[str, str], method: str) -> ASGIApp | None:
    """Refuse what another page has sent; a browser says so, and pages cannot make it lie."""
    site = headers.get("sec-fetch-site", "same-origin")
    own = {f"http://{headers.get('host', '')}"}
    origin = headers.get("origin")
    foreign = origin is not None and origin not in own
    silent = origin is None and method not in _SAFE_METHODS
    if site not in _OWN_SITES or foreign or silent:
        return PlainTextResponse("Requests of other pages are refused.", 403)
    return None
