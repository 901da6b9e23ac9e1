"""An epoch as a CUDA graph: the host says once what is to be done, and the device repeats it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

EAGER_EPOCHS = 3
"""Epochs before one becomes a graph, at least: what is made once is made in these."""

EPOCHS = 20
"""Between one look of the host and the next."""


def can_replay(device: torch.device) -> bool:
    """Whether there are graphs on such a device."""
    return device.type == "cuda"


class Replay:
    """Calls to the device that are recorded once; generators go on from one replay to the next.

    Args:
        epoch: makes the calls, has made them before, and asks the device nothing.
        generators: from which they draw, beside torch's own.
    """

    def __init__(self, epoch: Callable[[], None], generators: Iterable[torch.Generator]) -> None:
        self.graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph):
            epoch()

    def __call__(self, times: int) -> None:
        """Repeats them."""
        for _ in range(times):
            self.graph.replay()
