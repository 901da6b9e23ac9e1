"""Rows of several requests, computed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

ROWS = 256
"""After which a batch waits for no more."""

SHORT = 2**17
"""Numbers in rows that are computed at once, in the loop: sooner done than handed to a thread and back."""


@dataclass
class _Waiting:
    rows: FloatArray
    answer: asyncio.Future[FloatArray]


class Batcher:
    """Computes rows, those of several requests together if they may wait for one another.

    Args:
        compute: rows ``[B, D']`` → logits ``[B, C]``.
        window: seconds that rows may wait, the bound of what batching adds to an answer; 0 computes each request's
            rows at once and by themselves, with the bits that they have alone.
        seen: is told how many rows were computed together.
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
        """Rows ``[B, D']`` of a request → logits ``[B, C]``."""
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
        """Ends the thread."""
        self._thread.shutdown(wait=False)

    async def _computed(self, rows: FloatArray) -> FloatArray:
        self.seen(rows.shape[0])
        if rows.size <= SHORT:
            return self.compute(rows)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.compute, rows)

    def _flush(self) -> None:
        """Takes all that wait."""
        if self._timer is not None:
            self._timer.cancel()
        batch, self._waiting, self._rows, self._timer = self._waiting, [], 0, None
        task = asyncio.get_running_loop().create_task(self._answer(batch))
        self._running.add(task)  # the loop itself keeps no hold of tasks
        task.add_done_callback(self._running.discard)

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            logits = await self._computed(np.concatenate([each.rows for each in batch]))
        except Exception as error:
            for each in batch:
                if not each.answer.done():
                    each.answer.set_exception(error)
            return
        begin = 0
        for each in batch:
            end = begin + each.rows.shape[0]
            if not each.answer.done():  # cancelled with its request
                each.answer.set_result(logits[begin:end])
            begin = end
