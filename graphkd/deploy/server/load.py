"""How much a worker is busy with, and when that is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.settings import Limits

LARGE = 2**20
"""Bytes of a body from which on only a few are unpacked at a time."""

TURNS = 2
"""As many: one is computed while the next one is read."""


class Load:
    """Counts what is being answered.

    Args:
        limits: of this worker.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = self.rows = self.bytes = 0
        self.turns = asyncio.Semaphore(TURNS)
        """Of large bodies: numbers take many times the bytes that they are written in."""

    @contextmanager
    def request(self) -> Iterator[None]:
        """While one is answered.

        Raises:
            RefusedError: 503, there are enough.
        """
        if self.requests >= self.limits.requests:
            raise RefusedError(503, f"{self.requests} requests are waiting: try again", retry=1)
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1

    @contextmanager
    def of_rows(self, count: int, field: str) -> Iterator[None]:
        """While as many are computed.

        Args:
            count: rows of a request.
            field: of the request that has them.

        Raises:
            RefusedError: 413, more than a request may have; 429, there are enough without them.
        """
        limits = self.limits
        if count > limits.rows:
            raise RefusedError(413, f"{count} rows, and a request may have {limits.rows}: send fewer", field)
        if self.rows + count > limits.rows_waiting:
            text = (
                f"{self.rows} rows are waiting, with these more than {limits.rows_waiting}: send them again later"
            )
            raise RefusedError(429, text, retry=1)
        self.rows += count
        try:
            yield
        finally:
            self.rows -= count

    def take(self, size: int) -> None:
        """As many bytes of a body have come; ``give`` them back later.

        Raises:
            RefusedError: 503, there are enough.
        """
        if self.bytes + size > self.limits.bytes_waiting:
            raise RefusedError(503, "too much is being received: try again", retry=1)
        self.bytes += size

    def give(self, size: int) -> None:
        """As many bytes are not needed any more."""
        self.bytes -= size
