"""The page for people, and the one that shows what ``/openapi.json`` says: files of this package, nothing else."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
}


def page_routes() -> APIRouter:
    """A route per file."""
    router, folder = APIRouter(), resources.files("graphkd.deploy.server") / "static"
    for path, (name, kind) in FILES.items():
        content = (folder / name).read_bytes()
        router.add_api_route(path, _file(content, kind), include_in_schema=False, response_class=Response)
    return router


def _file(content: bytes, kind: str):  # type: ignore[no-untyped-def]
    async def file() -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    return file
