"""Which rows of a batch a process has, where several share it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shard:
    """Rows of a whole that several processes share.

    Args:
        index: which of them are here: a slice, or ``[b]`` int64.
        total: ``B``, how many there are.
    """

    index: slice | Tensor
    total: int

    def dropped(self, x: Tensor, drop: Callable[[Tensor], Tensor]) -> Tensor:
        """What dropout leaves of these rows, as it would be in one process.

        Random bits are cheap beside the products, so every process draws those of all rows and takes its own: the
        generators of all processes stay in step.

        Args:
            x: ``[b, …]``.
            drop: of a whole ``[B, …]``.
        """
        mask: Tensor = drop(x.new_ones(self.total, *x.shape[1:]))[self.index]
        return x * mask


@contextmanager
def shard_scope(shard: Shard | None) -> Iterator[None]:
    """Networks that are called in the block are given these rows; nothing for all of them."""
    outer = _CURRENT_SHARD.set(shard)
    try:
        yield
    finally:
        _CURRENT_SHARD.reset(outer)


def current_shard() -> Shard | None:
    """What the innermost ``shard_scope`` says; nothing in what ``torch.compile`` makes, which is never shared."""
    return None if torch.compiler.is_compiling() else _CURRENT_SHARD.get()


_CURRENT_SHARD: contextvars.ContextVar[Shard | None] = contextvars.ContextVar("shard", default=None)
