"""The screens in a browser: textual-serve, on this machine alone, for who has the address with the key in it.

What can be done on the screens can be done in the program. So a port that any user and any web page can reach is not
enough: the key in the address, which only this terminal shows, is turned into a cookie, and without that, or from
another page or another host's name, there is no answer but a refusal.
"""

import asyncio
import hmac
import logging
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bus.trace.redact import escape
from console.target import TargetError

HOST = "127.0.0.1"
_LAST_PORT = 65_535
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self' ws://{place}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def serve(arguments: Sequence[str], title: str, port: int, check: Callable[[], object]) -> int:
    """Until ^C, serve what `bus-console ARGUMENTS` shows; each page that is opened has a process of its own.

    PORT 0 takes one that is free. CHECK raises a TargetError where a page would have nothing to show.

    Raises:
        TargetError: textual-serve is not installed, or the port cannot be had.
    """
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError as error:
        message = f"the screens in a browser need the package {error.name}; run: pip install 'bus-console[web]'"
        raise TargetError(message) from None
    from rich.console import Console

    listener = _listen(port)
    door = Doorkeeper(listener.getsockname()[1])
    command = shlex.join([sys.executable, "-m", "console", *arguments])
    server = Server(f"exec {command}", HOST, title=escape(title), public_url=door.origin)
    server.console = Console(quiet=True)  # it would print the command and an address without the key
    logging.getLogger("textual-serve").setLevel(logging.ERROR)
    sys.stdout.write(f"{escape(title)} is at {door.address}\nCtrl-C ends it; whoever has this address can act.\n")
    sys.stdout.flush()
    web.run_app(_application(server, web, door, check), sock=listener, print=None, access_log=None)
    return 0


class Doorkeeper:
    """Who may come in. It changes nothing after it was made."""

    def __init__(self, port: int) -> None:
        self.place = f"{HOST}:{port}"
        self.origin = f"http://{self.place}"
        self._key = secrets.token_urlsafe(32)
        self._cookie = f"bus-console-{port}"  # a browser does not keep the ports of one host apart

    @property
    def address(self) -> str:
        """What a person opens."""
        return f"{self.origin}/?key={self._key}"

    def refusal(self, host: str, origin: str | None) -> str:
        """Why a request is none of ours, "" if it may be; ORIGIN is that of the page that makes it."""
        if host != self.place:
            return f"this is {self.place}, and not {host[:100]!r}"
        if origin is not None and origin != self.origin:
            return "another page may not use this one"
        return ""

    def knows(self, key: str | None) -> bool:
        """Whether KEY is the one."""
        return hmac.compare_digest((key or "").encode(errors="replace"), self._key.encode())

    async def admit(self, web: Any, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Answer REQUEST by HANDLER, or refuse it."""
        refusal = self.refusal(request.headers.get("Host", ""), request.headers.get("Origin"))
        if refusal:
            return web.Response(status=403, text=refusal)
        if request.path == "/" and self.knows(request.query.get("key")):
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="Strict", path="/")
            return answer
        if not self.knows(request.cookies.get(self._cookie)):
            return web.Response(status=403, text="open the address that bus-console web has printed: the key is in it")
        return await handler(request)

    async def harden(self, _request: Any, response: Any) -> None:
        """Nothing is loaded from elsewhere, nothing is shown inside another page, and the key is told to nobody."""
        response.headers["Content-Security-Policy"] = _POLICY.format(place=self.place)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"


async def _application(server: Any, web: Any, door: Doorkeeper, check: Callable[[], object]) -> Any:
    async def shown(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        if request.path == "/":
            try:
                await asyncio.to_thread(check)
            except TargetError as error:
                return web.Response(status=503, text=str(error))  # or the page would wait for screens for ever
        return await handler(request)

    async def admitted(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await door.admit(web, request, handler)

    app = await server._make_app()  # noqa: SLF001  its `serve` takes no socket and no middleware
    app.middlewares.extend((web.middleware(admitted), web.middleware(shown)))  # the first is the outermost
    app.on_response_prepare.append(door.harden)
    return app


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        message = f"port {port} cannot be had: ports go up to {_LAST_PORT}"
        raise TargetError(message)
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        message = f"port {port} cannot be had: {reason}; choose another with --port, or a free one with --port 0"
        raise TargetError(message) from None
