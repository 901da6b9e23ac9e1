"""From settings to processes that answer."""

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
"""Connections that wait to be accepted."""

ORPHANED = 1.0
"""Seconds between two looks of a worker whether its parent is alive."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that connections may come to from now on; they wait until there is a worker.

    Args:
        host: a name or an address.
        port: 0 takes any that is free.

    Raises:
        GraphKDError: it cannot be had.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, number)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        text = getattr(error, "strerror", None) or error
        raise GraphKDError(
            f"cannot listen on {host}, port {port} ({text}): choose another --host or --port"
        ) from None
    return bound


def run(settings: Settings, bound: socket.socket, workers: int) -> None:
    """Answers until SIGTERM or SIGINT, then finishes what is in flight.

    Args:
        settings: of each worker.
        bound: listens.
        workers: 1 is this process; more are processes of their own, replaced when they die. They read a copy of
            the bundle, so that all answer alike whatever becomes of its files.
    """
    if workers == 1:
        signal.signal(signal.SIGTERM, _done)  # uvicorn raises it again when all is finished
        with suppress(KeyboardInterrupt):
            Server(_config(partial(application, settings), settings, 1)).run([bound])
        return
    with scratch() as folder:
        own = replace(settings, bundle=Path(shutil.copytree(settings.bundle, folder / "bundle")))
        (folder / "metrics").mkdir()
        os.environ[FOLDER] = str(folder / "metrics")
        Workers(_config(partial(_in_worker, own, os.getpid()), settings, workers), [bound]).run()


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
    """The application of a process that does not outlive its parent, even one that was killed."""
    threading.Thread(target=_follow, args=(parent, settings.bundle.parent), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return application(settings)


def _follow(parent: int, folder: Path) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHANED)
    shutil.rmtree(folder, ignore_errors=True)  # all of it was read or is open
    os.kill(os.getpid(), signal.SIGTERM)


def _done(*_: object) -> None:
    """Ends nothing."""
