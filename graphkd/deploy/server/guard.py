"""What happens to every request, whatever its route."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.hosts import Hosts
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.settings import Token

OPEN = {"/", "/page.css", "/page.js", "/docs", "/docs.js", "/v2/health/live", "/v2/health/ready"}
"""Paths that need no token: they hold nothing of the model, and probes have none."""

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "data:",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
"""What the page may load: its own files, nothing from outside."""

KNOWN = 64
"""Hosts that are not checked again."""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", "; ".join(f"{key} {value}" for key, value in POLICY.items()).encode()),
]


class Guard:
    """Asks for a name of the server and for the token, counts, answers HEAD like GET, and adds headers.

    Args:
        app: that answers.
        token: or nothing.
        hosts: that requests may name.
        metrics: that are told.
    """

    def __init__(self, app: ASGIApp, token: Token | None, hosts: Hosts, metrics: Metrics) -> None:
        self.app, self.token, self.hosts, self.metrics = app, token, hosts, metrics
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        # uvicorn itself leaves out the body of an answer to HEAD
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        self.metrics.begin()
        try:
            refusal = self._refusal(inner)
            await (self.app if refusal is None else refusal.response)(inner, receive, sent)
        finally:
            route = getattr(inner.get("route"), "path", "other")
            self.metrics.end(route, status, time.perf_counter() - begin)

    def _refusal(self, scope: Scope) -> RefusedError | None:
        """Of a request whose head says enough."""
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) > 1 or (not given and scope["http_version"] == "1.1"):
            return RefusedError(400, "send the header Host, once")
        if given and not (given[0] in self._known or self._names(given[0])):
            return RefusedError(421, "this is no name of the server: start it with --allowed-host NAME", "Host")
        if self._welcome(scope):
            return None
        return RefusedError(401, "send the header Authorization: Bearer TOKEN")

    def _names(self, host: bytes) -> bool:
        """Whether a host is this server; it is asked for by a few names, again and again."""
        fits = self.hosts.fits(host)
        if fits and len(self._known) < KNOWN:
            self._known.add(host)
        return fits

    def _welcome(self, scope: Scope) -> bool:
        if self.token is None or scope["path"] in OPEN:
            return True
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        kind, _, value = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        return self.token.fits(value.strip()) and kind.lower() == b"bearer"
