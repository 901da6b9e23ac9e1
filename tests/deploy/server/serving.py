"""Servers on a free port: in a thread of this process, or as the command."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from graphkd.deploy.server.app import application
from graphkd.deploy.server.run import _config, listening
from graphkd.deploy.server.settings import Settings


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int, path: str, body: Any = None, method: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request; anything but bytes is sent as JSON."""
    content, more = body, dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        content = json.dumps(body).encode()
        more.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, content, more)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


@contextmanager
def in_thread(bundle: Path, **settings: Any) -> Iterator[int]:
    """The port of a server with one worker."""
    made = Settings(bundle, **{"runtime": "numpy", "name": "student", **settings})
    bound = listening("127.0.0.1", 0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(_config(partial(application, made), made, 1))
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


@contextmanager
def as_command(bundle: Path, *args: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``graphkd serve`` and its port, when it answers."""
    asked = [sys.executable, "-m", "graphkd", "serve", str(bundle), "--port", "0", "--runtime", "numpy", *args]
    process = subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://127.0.0.1:" in line, process.stderr and process.stderr.read()
        port = int(line.rpartition(":")[2])
        wait_for(lambda: ask(port, "/v2/health/ready").status == 200)
        yield process, port
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for(done: Any, seconds: float = 30) -> None:
    """Until something is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
