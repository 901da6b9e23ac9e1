"""Middleware of all requests: host check, token, metrics, HEAD, and response headers."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphkd.deploy.server.access_log import write_access
from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.hosts import Hosts
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.settings import Token

OPEN = {"/", "/page.css", "/page.js", "/docs", "/docs.js", "/healthz", "/v2/health/live", "/v2/health/ready"}
"""Paths without authentication: they reveal nothing of the model, and probes send no token."""

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
"""Content security policy: the page loads only its own files."""

KNOWN = 64
"""Number of accepted hosts that are cached."""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", "; ".join(f"{key} {value}" for key, value in POLICY.items()).encode()),
]


class Guard:
    """ASGI middleware that checks host and token, counts requests, answers HEAD like GET, and adds headers.

    Args:
        app: the wrapped application.
        token: required bearer token, or None.
        hosts: allowed values of the header ``Host``.
        metrics: updated for every request.
        access_log: whether every request is a line on the standard output.
    """

    def __init__(
        self, app: ASGIApp, token: Token | None, hosts: Hosts, metrics: Metrics, access_log: bool = False
    ) -> None:
        self.app, self.token, self.hosts, self.metrics = app, token, hosts, metrics
        self.access_log = access_log
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Implements the ASGI interface."""
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

        # uvicorn omits the body of a response to HEAD
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        self.metrics.begin()
        try:
            refusal = self._refusal(inner)
            await (self.app if refusal is None else refusal.response)(inner, receive, sent)
        finally:
            route = getattr(inner.get("route"), "path", "other")
            seconds = time.perf_counter() - begin
            self.metrics.end(route, status, seconds)
            if self.access_log:
                write_access(scope, status, seconds)

    def _refusal(self, scope: Scope) -> RefusedError | None:
        """Returns the error of a request that is refused by its head, or None."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
            return RefusedError(400, "send the header Host, once")
        if hosts and not (hosts[0] in self._known or self._names(hosts[0])):
            return RefusedError(421, "this is no name of the server: start it with --allowed-host NAME", "Host")
        if self._welcome(scope):
            return None
        return RefusedError(401, "send the header Authorization: Bearer TOKEN")

    def _names(self, host: bytes) -> bool:
        """Returns whether a host is a name of this server; cached, since requests repeat a few names."""
        fits = self.hosts.fits(host)
        if fits and len(self._known) < KNOWN:
            self._known.add(host)
        return fits

    def _welcome(self, scope: Scope) -> bool:
        if self.token is None or scope["path"] in OPEN:
            return True
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        kind, _, value = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
        return self.token.fits(value.strip()) and kind.lower() == b"bearer"
