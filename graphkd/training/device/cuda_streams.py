"""Concurrent work of several members: on a CUDA device each member has a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class CudaStreams:
    """Streams for independent work, which a CUDA graph then runs concurrently.

    The results of a stream may be used elsewhere after ``join``.

    Args:
        count: number of streams.
        device: of the work.
    """

    def __init__(self, count: int, device: torch.device) -> None:
        side_by_side = device.type == "cuda" and count > 1
        self.streams = [torch.cuda.Stream(device) for _ in range(count)] if side_by_side else []  # type: ignore[no-untyped-call]
        self.used: set[int] = set()

    @contextmanager
    def stream(self, k: int) -> Iterator[None]:
        """Runs the block in stream ``k``, after the work queued before it."""
        if not self.streams:
            yield
            return
        self.used.add(k)
        self.streams[k].wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.streams[k]):
            yield

    def join(self) -> None:
        """Makes the current stream wait for the streams used since the last call."""
        for k in self.used:
            torch.cuda.current_stream().wait_stream(self.streams[k])
        self.used.clear()
