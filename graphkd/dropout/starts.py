"""Where the random bits of a call begin: numbers of a generator of the CPU, whatever the device.

What is dropped is then the same on every device. Nothing waits for the device either: a number goes there with the
call, and an epoch that is recorded as a CUDA graph reads them from a table that is filled before it is repeated.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from graphkd.errors import GraphKDError

LIMIT = 4096
"""Numbers that a recorded epoch may take: its calls, times the tables of each."""


def numbers(count: int, generator: torch.Generator | None) -> Tensor:
    """``[count]`` int64 of all 64 bits; as many calls for one each give the same."""
    return torch.empty(count, dtype=torch.int64).random_(-(2**63), None, generator=generator)


def starts(generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
    """One number of each generator, ``[S]`` int64 on the device."""
    slots = _RECORDED.get()
    if slots is not None:
        return slots.taken(generators)
    return torch.cat([numbers(1, generator) for generator in generators]).to(device, non_blocking=True)


class Slots:
    """The numbers of epochs that are recorded once and repeated.

    Args:
        epochs: that are repeated before the host looks again, at most.
        device: of what is recorded.
    """

    def __init__(self, epochs: int, device: torch.device) -> None:
        self.table = torch.zeros(epochs, LIMIT, dtype=torch.int64, device=device)
        self.row, self.epoch = torch.zeros_like(self.table[:1]), torch.zeros(1, dtype=torch.int64, device=device)
        self.sources: list[torch.Generator | None] = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """What is called in the block takes its numbers here, in the same order in every repetition."""
        torch.index_select(self.table, 0, self.epoch, out=self.row)
        self.epoch += 1
        outer = _RECORDED.set(self)
        try:
            yield
        finally:
            _RECORDED.reset(outer)

    def taken(self, generators: Sequence[torch.Generator | None]) -> Tensor:
        """Places of this epoch's numbers, ``[S]``.

        Raises:
            GraphKDError: there are none left.
        """
        first = len(self.sources)
        self.sources += generators
        if len(self.sources) > LIMIT:
            raise GraphKDError(f"an epoch draws dropout for more than {LIMIT} tables: train fewer seeds at once")
        return self.row[0, first : len(self.sources)]

    def fill(self, times: int) -> None:
        """Draws the numbers of the next ``times`` repetitions."""
        drawn = torch.zeros(times, len(self.sources), dtype=torch.int64)
        for generator in dict.fromkeys(self.sources):
            mine = [k for k, source in enumerate(self.sources) if source is generator]
            drawn[:, mine] = numbers(times * len(mine), generator).view(times, -1)
        self.table[:times, : len(self.sources)].copy_(drawn, non_blocking=True)
        self.epoch.zero_()


_RECORDED: contextvars.ContextVar[Slots | None] = contextvars.ContextVar("slots", default=None)
