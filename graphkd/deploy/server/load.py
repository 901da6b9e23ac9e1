"""Load of a worker, and its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.settings import Limits

LARGE = 2**20
"""Size in bytes from which the number of bodies parsed concurrently is limited."""

TURNS = 2
"""That number: one is computed while the next one is parsed."""


class Load:
    """Counts of the requests, rows and bytes in progress.

    Args:
        limits: of this worker.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = self.rows = self.bytes = 0
        self.turns = asyncio.Semaphore(TURNS)
        """Limit on large bodies: parsed numbers take many times the bytes of their JSON."""

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts a request as in progress until the block ends.

        Raises:
            RefusedError: 503, the limit is reached.
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
        """Counts rows as in progress until the block ends.

        Args:
            count: number of rows of a request.
            field: the request's field that contains them.

        Raises:
            RefusedError: 413, the request has too many; 429, too many are waiting.
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
        """Counts received bytes of a body; release them with ``give``.

        Raises:
            RefusedError: 503, the limit is reached.
        """
        if self.bytes + size > self.limits.bytes_waiting:
            raise RefusedError(503, "too much is being received: try again", retry=1)
        self.bytes += size

    def give(self, size: int) -> None:
        """Releases bytes counted by ``take``."""
        self.bytes -= size
