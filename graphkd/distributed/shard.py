"""The shard of a batch's rows that a process holds."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shard:
    """One process's rows of a batch that is distributed over several processes.

    Args:
        index: the rows of this process: a slice, or ``[b]`` int64.
        total: ``B``, number of rows of the batch.
    """

    index: slice | Tensor
    total: int

    def dropped(self, x: Tensor, drop: Callable[[Tensor], Tensor]) -> Tensor:
        """Applies dropout to these rows with the same result as in one process.

        Random bits are cheap compared with the products, so every process draws those of all rows and uses its
        own rows: the generators of all processes stay in the same state.

        Args:
            x: ``[b, …]``.
            drop: dropout of the whole batch, ``[B, …]`` → ``[B, …]``.
        """
        mask: Tensor = drop(x.new_ones(self.total, *x.shape[1:]))[self.index]
        return x * mask


@contextmanager
def shard_scope(shard: Shard | None) -> Iterator[None]:
    """Sets the rows on which networks are called in the block; ``None`` for all rows."""
    outer = _CURRENT_SHARD.set(shard)
    try:
        yield
    finally:
        _CURRENT_SHARD.reset(outer)


def current_shard() -> Shard | None:
    """Returns the shard of the innermost ``shard_scope``; ``None`` in compiled code, which is never sharded."""
    return None if torch.compiler.is_compiling() else _CURRENT_SHARD.get()


_CURRENT_SHARD: contextvars.ContextVar[Shard | None] = contextvars.ContextVar("shard", default=None)
