"""Startup of the server: from settings to worker processes."""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from graphkd.deploy.server.app import application
from graphkd.deploy.server.connection import SPARE, Connection
from graphkd.deploy.server.metrics import FOLDER
from graphkd.deploy.server.scratch import scratch
from graphkd.deploy.server.settings import Settings
from graphkd.deploy.server.stop import Server, Workers
from graphkd.errors import GraphKDError

BACKLOG = 2048
"""Largest number of connections that wait to be accepted."""

ORPHANED = 1.0
"""Interval in seconds at which a worker checks that its parent is alive."""


def listening(host: str, port: int) -> socket.socket:
    """Opens a listening socket; connections wait in its backlog until a worker accepts them.

    Args:
        host: a name or an address.
        port: 0 selects any free port.

    Raises:
        GraphKDError: the address is invalid or in use.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        text = getattr(error, "strerror", None) or error
        raise GraphKDError(
            f"cannot listen on {host}, port {port} ({text}): choose another --host or --port"
        ) from None
    return listener


def run(settings: Settings, bound: socket.socket, workers: int) -> None:
    """Serves requests until SIGTERM or SIGINT, then completes those in flight.

    Args:
        settings: of each worker.
        bound: a listening socket.
        workers: 1 serves in this process; more are child processes, which are replaced if they die. They read a
            copy of the bundle, so that all serve the same model if its files change.
    """
    if workers == 1:
        signal.signal(signal.SIGTERM, _done)  # uvicorn re-raises it after the shutdown
        with suppress(KeyboardInterrupt):
            Server(_config(partial(application, settings), settings, 1)).run([bound])
        return
    with scratch() as folder:
        worker_settings = replace(settings, bundle=Path(shutil.copytree(settings.bundle, folder / "bundle")))
        (folder / "metrics").mkdir()
        os.environ[FOLDER] = str(folder / "metrics")
        Workers(_config(partial(_in_worker, worker_settings, os.getpid()), settings, workers), [bound]).run()


def _config(make: partial[ASGIApp], settings: Settings, workers: int) -> uvicorn.Config:
    limits = settings.limits
    return uvicorn.Config(
        make,
        factory=True,
        http=cast(Any, partial(Connection, limits=limits)),
        loop="uvloop",
        ws="none",
        lifespan="on",
        workers=workers,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=limits.connections + SPARE,
        timeout_keep_alive=math.ceil(limits.idle_seconds),
        timeout_graceful_shutdown=limits.stop_seconds,
    )


def _in_worker(settings: Settings, parent: int) -> ASGIApp:
    """Builds the application of a worker process that ends with its parent, even if that is killed."""
    threading.Thread(target=_follow, args=(parent, settings.bundle.parent), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return application(settings)


def _follow(parent: int, folder: Path) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHANED)
    shutil.rmtree(folder, ignore_errors=True)  # all files have been read or are open
    os.kill(os.getpid(), signal.SIGTERM)


def _done(*_: object) -> None:
    """Ignores a signal."""
