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


def numbers(count: int, generator: torch.Generator | None) -> Tensor:
    """``[count]`` int64 of all 64 bits; as many calls for one each give the same."""
    return torch.empty(count, dtype=torch.int64).random_(-(2**63), None, generator=generator)


def starts(generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
    """One number of each generator, ``[S]`` int64 on the device."""
    watch = _WATCH.get()
    return _drawn(generators, device) if watch is None else watch.taken(generators, device)


class DrawCounter:
    """How many numbers an epoch takes, which is known once one has been run without a record."""

    def __init__(self) -> None:
        self.size = 0

    @contextmanager
    def of_calls(self) -> Iterator[None]:
        """Counts those in the block anew."""
        self.size = 0
        with _watched(self):
            yield

    def taken(self, generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
        """Drawn as without a count."""
        self.size += _places(generators)
        return _drawn(generators, device)


class SeedSlots:
    """The numbers of epochs that are recorded once and repeated.

    Args:
        epochs: that are repeated before the host looks again, at most.
        size: numbers of an epoch, as ``DrawCounter`` says.
        device: of what is recorded.
    """

    def __init__(self, epochs: int, size: int, device: torch.device) -> None:
        self.table = torch.zeros(epochs, size, dtype=torch.int64, device=device)
        self.row, self.epoch = torch.zeros_like(self.table[:1]), torch.zeros(1, dtype=torch.int64, device=device)
        self.sources: list[tuple[int, torch.Generator | None]] = []
        self.used = 0

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """What is called in the block takes its numbers here, in the same order in every repetition."""
        torch.index_select(self.table, 0, self.epoch, out=self.row)
        self.epoch += 1
        with _watched(self):
            yield

    def taken(self, generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
        """Places of this epoch's numbers, ``[S]``."""
        first = self.used
        self.used += _places(generators)
        assert self.used <= self.row.shape[1], "a recorded epoch takes more numbers than the one that was counted"
        self.sources += [(first + k, generator) for k, generator in enumerate(generators)]
        return self.row[0, first : first + len(generators)]

    def fill(self, times: int) -> None:
        """Draws the numbers of the next ``times`` repetitions."""
        drawn = torch.zeros(times, self.row.shape[1], dtype=torch.int64)
        for generator in dict.fromkeys(source for _, source in self.sources):
            mine = [place for place, source in self.sources if source is generator]
            drawn[:, mine] = numbers(times * len(mine), generator).view(times, -1)
        self.table[:times].copy_(drawn, non_blocking=True)
        self.epoch.zero_()


def _drawn(generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
    return torch.cat([numbers(1, generator) for generator in generators]).to(device, non_blocking=True)


def _places(generators: Sequence[torch.Generator | None]) -> int:
    """An even number: kernels are compiled for addresses that 16 bytes divide, as those of fresh tensors are."""
    return len(generators) + len(generators) % 2


@contextmanager
def _watched(by: DrawCounter | SeedSlots) -> Iterator[None]:
    outer = _WATCH.set(by)
    try:
        yield
    finally:
        _WATCH.reset(outer)


_WATCH: contextvars.ContextVar[DrawCounter | SeedSlots | None] = contextvars.ContextVar("watch", default=None)
