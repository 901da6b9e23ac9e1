"""The ASGI application of a worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from graphkd import __version__
from graphkd.deploy.files import holds_links
from graphkd.deploy.server.document import documented
from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.guard import Guard
from graphkd.deploy.server.inference import add_inference
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.page import add_page
from graphkd.deploy.server.predict_api import add_predict_api
from graphkd.deploy.server.settings import Settings
from graphkd.deploy.server.worker import Worker


def application(settings: Settings) -> ASGIApp:
    """Loads the student and builds the application with its routes.

    Raises:
        GraphKDError: a requirement of the runtime is missing, or the store was built for another student.
    """
    if holds_links(settings.bundle):
        return _of_links(settings)
    worker = Worker.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        worker.batcher.close()

    app = _app(settings, lifespan)
    add_inference(app, worker)  # routes are matched in this order: the most frequent ones come first
    add_predict_api(app, worker)
    add_page(app)
    guarded = _guarded(app, settings, worker.metrics)
    app.openapi = documented(app, worker.served)  # type: ignore[method-assign]
    return guarded


def _of_links(settings: Settings) -> ASGIApp:
    """Builds the application that answers for pairs of nodes; it imports torch."""
    from graphkd.deploy.server.links_api import add_links_api
    from graphkd.deploy.server.links_worker import LinksWorker

    app, worker = _app(settings), LinksWorker.of(settings)
    add_links_api(app, worker)
    add_page(app, ("/docs", "/docs.js", "/page.css"))
    return _guarded(app, settings, worker.metrics)


def _app(settings: Settings, lifespan: Any = None) -> FastAPI:
    return FastAPI(
        title=f"graphkd: {settings.name}",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )


def _guarded(app: FastAPI, settings: Settings, counted: Metrics) -> ASGIApp:
    """Adds the route of metrics and the answers to errors, and the checks before every route."""

    @app.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(counted.text(), headers={"Content-Type": counted.content_type})

    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _broken)
    return Guard(app, settings.token, settings.hosts, counted, settings.access_log)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return error.response


async def _not_found(_: Request, error: Exception) -> Response:
    """Converts the router's 404 and 405 to the form of all error responses."""
    assert isinstance(error, HTTPException)
    response = RefusedError(error.status_code, f"{error.detail}: see /docs").response
    response.headers.update(error.headers or {})
    return response


async def _broken(_: Request, __: Exception) -> Response:
    """Answers 500 for an internal error; starlette re-raises it afterwards, for the log."""
    return RefusedError(500, "the server made a mistake: its log says which").response
