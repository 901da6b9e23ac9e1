"""An epoch as a CUDA graph: the host says once what is to be done, and the device repeats it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from graphkd.dropout.seeds import SeedSlots

EAGER_EPOCHS = 3
"""Epochs before one becomes a graph, at least: what is made once is made in these."""

EPOCHS = 20
"""Between one look of the host and the next, at most."""


def can_capture(device: torch.device) -> bool:
    """Whether there are graphs on such a device."""
    return device.type == "cuda"


class CudaGraph:
    """Calls to the device that are recorded once; what they drop is drawn anew for every repetition.

    A graph reads and writes memory by its address and keeps none of it, so that what the epoch holds is kept here.

    Args:
        epoch: makes the calls, has made them before, and asks the device nothing.
        draws: how many numbers dropout begins with in an epoch.
        device: to which the calls go.
    """

    def __init__(self, epoch: Callable[[], None], draws: int, device: torch.device) -> None:
        self.graph, self.epoch, self.slots = torch.cuda.CUDAGraph(), epoch, SeedSlots(EPOCHS, draws, device)
        with _uncollected(), torch.cuda.graph(self.graph), self.slots.recorded():
            epoch()

    def __call__(self, times: int) -> None:
        """Repeats them, up to ``EPOCHS`` times."""
        self.slots.fill(times)
        for _ in range(times):
            self.graph.replay()


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is collected: another graph in it, given back while one is recorded, would spoil the record."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
