"""Dynamic batching: rows of several requests are computed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

ROWS = 256
"""Number of rows at which a batch is computed without further waiting."""

SHORT = 2**17
"""Largest number of entries computed in the event loop: faster than a round trip to a thread."""


@dataclass
class _Waiting:
    rows: FloatArray
    answer: asyncio.Future[FloatArray]


class Batcher:
    """Computes rows, those of several concurrent requests in one batch.

    Args:
        compute: rows ``[B, D']`` → logits ``[B, C]``.
        window: largest delay in seconds that batching adds to a response; 0 computes each request's rows
            immediately and separately, so that the results do not depend on other requests, bit for bit.
        seen: called with the number of rows of each batch.
    """

    def __init__(
        self, compute: Callable[[FloatArray], FloatArray], window: float, seen: Callable[[int], None]
    ) -> None:
        self.compute, self.window, self.seen = compute, window, seen
        self._waiting: list[_Waiting] = []
        self._rows = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, "graphkd-rows")
        self._running: set[asyncio.Task[None]] = set()

    async def logits(self, rows: FloatArray) -> FloatArray:
        """Computes the logits ``[B, C]`` of a request's rows ``[B, D']``."""
        if self.window <= 0:
            return await self._computed(rows)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows, loop.create_future())
        self._waiting.append(waiting)
        self._rows += rows.shape[0]
        if self._rows >= ROWS:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(self.window, self._flush)
        return await waiting.answer

    def close(self) -> None:
        """Shuts down the thread."""
        self._thread.shutdown(wait=False)

    async def _computed(self, rows: FloatArray) -> FloatArray:
        self.seen(rows.shape[0])
        if rows.size <= SHORT:
            return self.compute(rows)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.compute, rows)

    def _flush(self) -> None:
        """Starts the computation of all waiting rows."""
        if self._timer is not None:
            self._timer.cancel()
        batch, self._waiting, self._rows, self._timer = self._waiting, [], 0, None
        task = asyncio.get_running_loop().create_task(self._answer(batch))
        self._running.add(task)  # the event loop keeps only weak references to tasks
        task.add_done_callback(self._running.discard)

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            logits = await self._computed(np.concatenate([item.rows for item in batch]))
        except Exception as error:
            for item in batch:
                if not item.answer.done():
                    item.answer.set_exception(error)
            return
        begin = 0
        for item in batch:
            end = begin + item.rows.shape[0]
            if not item.answer.done():  # cancelled with its request
                item.answer.set_result(logits[begin:end])
            begin = end
