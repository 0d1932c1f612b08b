"""Start the server, say where it is, open the browser, and end when nobody looks any more."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from panfocus.errors import PanfocusError, UsageError
from panfocus.io.endings import beside
from panfocus.io.folder import is_result
from panfocus.resources.paths import as_path, shown
from panfocus.resources.signals import HEARD
from panfocus.web.app import make_app
from panfocus.web.desk import Desk
from panfocus.web.events import Hub
from panfocus.web.listing import PROJECT_ENDING
from panfocus.web.places import Places, linked_frames
from panfocus.web.safety import Doors

#: Seconds for which the server stays after the last page was closed.
IDLE_S = 60.0
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


@dataclass(frozen=True)
class View:
    """What `panfocus view` was asked for.

    Attributes:
        inputs: files and folders.
        host: address to listen on.
        port: 0 for one that is free.
        opens: whether the browser is opened.
        keeps: whether the server stays when the last page was closed.
        idle_s: seconds for which it stays else.
    """

    inputs: Sequence[Path]
    host: str = "127.0.0.1"
    port: int = 0
    opens: bool = True
    keeps: bool = False
    idle_s: float = IDLE_S


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def places_of(inputs: Sequence[Path]) -> Places:
    """Return what the page may use: the folders that were given, and those of the files.

    Raises:
        UsageError: something is not there.
    """
    folders: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise UsageError(
                "an input does not exist",
                where=str(path),
                remedy="check the spelling and the folder",
            )
        folders.append(path if path.is_dir() and path.suffix != ".zarr" else path.parent)
    return Places(folders or [as_path(".").absolute()], linked_frames(inputs))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound.

    Raises:
        UsageError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)  # whoever is quick waits until the server is there
    except (OSError, TypeError, ValueError) as error:  # the latter two of no host's name
        sock.close()
        why = error.strerror if isinstance(error, OSError) else "no name of a host"
        raise UsageError(
            "the page cannot be served there",
            where="host, port",
            expected="an address of this machine and a free port",
            got=f"{shown(host)}:{port}: {why or error}",
            remedy="leave `port` out for one that is free",
        ) from error
    return sock


def run(view: View) -> None:
    """Serve until nobody looks any more, or until interrupted.

    Raises:
        UsageError: an input that is not there, or an address that cannot be had.
    """
    view = replace(view, inputs=[as_path(p, UsageError).absolute() for p in view.inputs])
    places = places_of(view.inputs)
    sock = listen(view.host, view.port)
    port = int(sock.getsockname()[1])
    local = is_loopback(view.host)
    hosts = frozenset({"127.0.0.1", "localhost", "[::1]", view.host.lower()})
    if not local:
        hosts |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    doors = Doors(port, hosts, any_address=not local)
    # a signal may come before there is anything that ends by itself
    with closing(sock), closing(Desk(places, Hub())) as desk:
        _run(view, desk, sock, doors)


def _run(view: View, desk: Desk, sock: socket.socket, doors: Doors) -> None:
    port = doors.port
    address = f"http://{_name(view.host)}:{port}/?token={doors.token()}"
    server = _Server(
        uvicorn.Config(
            make_app(desk, doors),
            log_level="error",  # what is no request is whoever has sent it to mend
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=3,
        )
    )
    ending = _quietly(server)
    try:
        _say(address, view, port)
        asyncio.run(_serve(server, sock, desk, view, address))
    finally:
        for number, handler in ending.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Ends in its own time, once it has heard."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear a signal."""
        HEARD.set()
        super().handle_exit(sig, frame)


def _name(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _say(address: str, view: View, port: int) -> None:
    print(address, flush=True)
    lines = ["Open this address in a browser; it is good once. Ctrl-C ends the server."]
    lines.append(
        f"On another machine, over SSH: ssh -L {port}:127.0.0.1:{port} "
        f"{socket.gethostname()}, then open http://127.0.0.1:{port}/{address.partition('/?')[1][1:]}"
        f"{address.partition('/?')[2]}"
    )
    if not is_loopback(view.host):
        lines.append(
            f"Warning: {view.host} can be reached from other machines, and what is sent is not "
            "encrypted. Whoever has the address can read and write the folders given."
        )
    print("\n".join(lines), file=sys.stderr, flush=True)


async def _serve(
    server: uvicorn.Server, sock: socket.socket, desk: Desk, view: View, address: str
) -> None:
    tasks = [
        asyncio.create_task(_begin(server, desk, view, address)),
        asyncio.create_task(_watch(server, desk, view)),
    ]
    try:
        await server.serve(sockets=[sock])
    finally:
        for task in tasks:
            task.cancel()


def _quietly(server: uvicorn.Server) -> dict[int, Any]:
    """Let signals end the server without a word of error: that is how one ends it.

    One that is ignored, as `nohup` has it, stays so.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        HEARD.set()
        server.should_exit = True

    named = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    heard = [number for number in named if signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, end) for number in heard}


async def _begin(server: uvicorn.Server, desk: Desk, view: View, address: str) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    if view.opens:
        await asyncio.to_thread(webbrowser.open, address)
    await asyncio.to_thread(open_inputs, desk, view.inputs)


def open_inputs(desk: Desk, inputs: Sequence[Path]) -> None:
    """Open what was named: each folder and volume as a stack, files together as one.

    A result that was saved with its project is that project: there is nothing else to do with it.
    """
    from panfocus.io.volumes.open import is_volume  # noqa: PLC0415  not before the browser opens

    inputs = [_project_of(path) or path for path in inputs]
    apart = [p for p in inputs if p.is_dir() or is_volume(p) or p.name.endswith(PROJECT_ENDING)]
    together = [p for p in inputs if p not in apart]
    groups = [*([path] for path in apart), *([together] if together else [])]
    for group in groups:
        try:
            desk.open(group)
        except PanfocusError as error:  # a folder of folders: the page shows what is in it
            desk.note(group, error)


def _project_of(path: Path) -> Path | None:
    """Return the project that lies beside a result; None for frames, and where there is none."""
    project = beside(path, PROJECT_ENDING, "")
    return project if path.is_file() and project.is_file() and is_result(path) else None


async def _watch(server: uvicorn.Server, desk: Desk, view: View) -> None:
    """End the server once nobody has looked for a while; lines to pages end with it."""
    while not server.should_exit:
        await asyncio.sleep(0.2)
        if not view.keeps and desk.hub.idle_s() > view.idle_s:
            print("The last page was closed: panfocus view ends.", file=sys.stderr)
            server.should_exit = True
    desk.hub.close()
