"""Static pages from this package: one for users, and one that shows ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import resources

from fastapi import FastAPI
from starlette.responses import Response

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
}


def add_page(app: FastAPI, paths: Sequence[str] = tuple(FILES)) -> None:
    """Adds a route per file."""
    folder = resources.files("graphkd.deploy.server") / "static"
    for path in paths:
        name, kind = FILES[path]
        content = (folder / name).read_bytes()
        app.add_api_route(path, _file(content, kind), include_in_schema=False, response_class=Response)


def _file(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def file() -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    return file
