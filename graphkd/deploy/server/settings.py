"""Settings of a server, in a form that can be passed to its worker processes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphkd.deploy.server.hosts import Hosts

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits of one worker process.

    Args:
        body: bytes of a request's body; beyond it, 413.
        rows: rows of a request; beyond it, 413.
        rows_waiting: rows of all requests in progress; a request that would exceed it gets 429.
        requests: requests in progress; beyond it, 503.
        bytes_waiting: bytes of all bodies that are being received or processed; beyond it, 503.
        connections: open connections; beyond it, the connection that has kept the server waiting longest is
            closed, and beyond a few spare ones in use, 503.
        unsent: buffered bytes of all responses; a connection that would exceed it is closed.
        head_seconds: time for a request's head to arrive.
        body_seconds: time for its body to arrive, else 408.
        answer_seconds: time for the client to receive a response.
        drain_seconds: time for the rest of a body after a response that did not need it.
        idle_seconds: time that a connection is kept open between two requests.
        stop_seconds: time for requests in flight to complete when the server stops.
    """

    body: int = 8 * MIB
    rows: int = 4096
    rows_waiting: int = 16384
    requests: int = 256
    bytes_waiting: int = 256 * MIB
    connections: int = 900
    unsent: int = 128 * MIB
    head_seconds: float = 10
    body_seconds: float = 30
    answer_seconds: float = 60
    drain_seconds: float = 2
    idle_seconds: float = 15
    stop_seconds: int = 30


@dataclass(frozen=True)
class Token:
    """A bearer token, stored only as its digest.

    Args:
        digest: SHA-256.
    """

    digest: bytes

    @classmethod
    def of(cls, text: str) -> Token:
        """Builds it from the token's text."""
        return cls(_digest(text.encode()))

    def fits(self, given: bytes) -> bool:
        """Returns whether ``given`` is the token; in constant time, so that timing reveals nothing."""
        return hmac.compare_digest(self.digest, _digest(given))


@dataclass(frozen=True)
class Settings:
    """Settings of a worker: a few hundred bytes.

    They are sent to workers through a pipe. If they exceeded the pipe's buffer and a worker was killed before it
    had read them, its parent would block forever; therefore each worker reads large data from files.

    Args:
        bundle: the bundle's folder.
        runtime: any of ``RUNTIMES`` but torch.
        name: of the model.
        scores: of the run over all its seeds, for users; see ``runtime_choice.scores_of``.
        store: folder of a feature store, or None.
        window: largest delay in seconds to form a batch; 0 computes each request immediately.
        token: required bearer token, or None.
        limits: per worker.
        hosts: allowed values of the header ``Host``.
        access_log: whether every request is a line on the standard output.
    """

    bundle: Path
    runtime: str
    name: str
    scores: dict[str, Any] | None = None
    store: str | None = None
    window: float = 0.0
    token: Token | None = None
    limits: Limits = field(default_factory=Limits)
    hosts: Hosts = field(default_factory=Hosts)
    access_log: bool = False


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
