"""Start states of the random bits per call: numbers of a CPU generator, for every device.

The masks are then the same on every device. Nothing synchronises with the device either: a number is copied
asynchronously, and an epoch captured as a CUDA graph reads them from a table that is filled before its replay.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


def numbers(count: int, generator: torch.Generator | None) -> Tensor:
    """Draws ``[count]`` int64 of all 64 bits; the same numbers as ``count`` calls for one each."""
    return torch.empty(count, dtype=torch.int64).random_(-(2**63), None, generator=generator)


def starts(generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
    """Draws one number from each generator, ``[S]`` int64 on the device."""
    watch = _WATCH.get()
    return _drawn(generators, device) if watch is None else watch.taken(generators, device)


class DrawCounter:
    """A counter of the numbers that an epoch draws, used in an epoch before the capture."""

    def __init__(self) -> None:
        self.size = 0

    @contextmanager
    def of_calls(self) -> Iterator[None]:
        """Resets the count and counts the draws in the block."""
        self.size = 0
        with _watched(self):
            yield

    def taken(self, generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
        """Draws the numbers and counts them."""
        self.size += _places(generators)
        return _drawn(generators, device)


class SeedSlots:
    """The numbers of epochs that are captured once as a CUDA graph and replayed.

    Args:
        epochs: maximal number of replays between two synchronisations with the host.
        size: numbers per epoch, counted by ``DrawCounter``.
        device: of the captured graph.
    """

    def __init__(self, epochs: int, size: int, device: torch.device) -> None:
        self.table = torch.zeros(epochs, size, dtype=torch.int64, device=device)
        self.row, self.epoch = torch.zeros_like(self.table[:1]), torch.zeros(1, dtype=torch.int64, device=device)
        self.sources: list[tuple[int, torch.Generator | None]] = []
        self.used = 0

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Serves the numbers of the calls in the block from the table, in the same order in every replay."""
        torch.index_select(self.table, 0, self.epoch, out=self.row)
        self.epoch += 1
        with _watched(self):
            yield

    def taken(self, generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
        """Returns a view of this epoch's numbers, ``[S]``."""
        first = self.used
        self.used += _places(generators)
        assert self.used <= self.row.shape[1], "a recorded epoch takes more numbers than the one that was counted"
        self.sources += [(first + k, generator) for k, generator in enumerate(generators)]
        return self.row[0, first : first + len(generators)]

    def fill(self, times: int) -> None:
        """Draws the numbers of the next ``times`` replays."""
        drawn = torch.zeros(times, self.row.shape[1], dtype=torch.int64)
        for generator in dict.fromkeys(source for _, source in self.sources):
            slots = [slot for slot, source in self.sources if source is generator]
            drawn[:, slots] = numbers(times * len(slots), generator).view(times, -1)
        self.table[:times].copy_(drawn, non_blocking=True)
        self.epoch.zero_()


def _drawn(generators: Sequence[torch.Generator | None], device: torch.device) -> Tensor:
    return torch.cat([numbers(1, generator) for generator in generators]).to(device, non_blocking=True)


def _places(generators: Sequence[torch.Generator | None]) -> int:
    """Returns the slots of a call, rounded up to even: kernels are compiled for 16-byte aligned addresses."""
    return len(generators) + len(generators) % 2


@contextmanager
def _watched(by: DrawCounter | SeedSlots) -> Iterator[None]:
    outer = _WATCH.set(by)
    try:
        yield
    finally:
        _WATCH.reset(outer)


_WATCH: contextvars.ContextVar[DrawCounter | SeedSlots | None] = contextvars.ContextVar("watch", default=None)
