"""What a server is told, in a form that its worker processes can be given."""

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
    """What one worker process takes on.

    Args:
        body: bytes of a request's body; more is answered with 413.
        rows: of a request; more is answered with 413.
        rows_waiting: of all requests that are being answered; a request with which there would be more is
            answered with 429.
        requests: that are being answered; beyond these, 503.
        bytes_waiting: of all bodies that are being received or answered; beyond these, 503.
        connections: open at a time; where one more comes, the one that has kept the server waiting longest is
            closed, and beyond as many and a few that are being answered, 503.
        unsent: bytes of all answers that are not taken; a connection with which there would be more is closed.
        head_seconds: in which a request's head must be here.
        body_seconds: in which its body must be, else 408.
        answer_seconds: in which an answer must be taken.
        drain_seconds: for the rest of a body after an answer that did not need it.
        idle_seconds: that a connection may be kept between two requests.
        stop_seconds: that requests in flight have to finish when the server is told to stop.
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
    """A bearer token of which only the digest is kept.

    Args:
        digest: SHA-256.
    """

    digest: bytes

    @classmethod
    def of(cls, text: str) -> Token:
        """Of the token itself."""
        return cls(_digest(text.encode()))

    def fits(self, given: bytes) -> bool:
        """Whether ``given`` is the token, in a time that says nothing of where it differs."""
        return hmac.compare_digest(self.digest, _digest(given))


@dataclass(frozen=True)
class Settings:
    """All that a worker needs: a few hundred bytes.

    Workers are started through a pipe. One that is killed before it has read more than a pipe holds would leave
    its parent waiting for ever, so what is large is read from files by each.

    Args:
        bundle: its folder.
        runtime: any of ``RUNTIMES`` but torch.
        name: of the model.
        scores: of the run over all its seeds, for users; see ``Scores``.
        store: folder of a feature store, or nothing.
        window: seconds that a row may wait for others to be computed with; 0 computes it at once.
        token: that requests must bring, or nothing.
        limits: per worker.
        hosts: that requests may name.
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


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
