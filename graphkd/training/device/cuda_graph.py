"""An epoch as a CUDA graph: captured once, and replayed by the device."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from graphkd.dropout.seeds import SeedSlots

EAGER_EPOCHS = 3
"""Minimum number of eager epochs before a capture: what is allocated lazily is allocated in these."""

EPOCHS = 20
"""Maximum number of replays between two reads by the host."""


def can_capture(device: torch.device) -> bool:
    """Returns whether a device supports CUDA graphs."""
    return device.type == "cuda"


class CudaGraph:
    """An epoch captured once; dropout masks are redrawn for every replay.

    A graph reads and writes memory by address without owning it, so that this object references the epoch.

    Args:
        epoch: launches the operations; must have run before, and must not wait for the device.
        draws: number of seeds that dropout uses in an epoch.
        device: on which the epoch runs.
    """

    def __init__(self, epoch: Callable[[], None], draws: int, device: torch.device) -> None:
        self.graph, self.epoch, self.slots = torch.cuda.CUDAGraph(), epoch, SeedSlots(EPOCHS, draws, device)
        with _uncollected(), torch.cuda.graph(self.graph), self.slots.recorded():
            epoch()

    def __call__(self, times: int) -> None:
        """Replays the epoch, up to ``EPOCHS`` times."""
        self.slots.fill(times)
        for _ in range(times):
            self.graph.replay()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disables garbage collection: freeing another graph during a capture would invalidate the capture."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
