"""Differentiable collectives over the processes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.distributed.world import world


def total(x: Tensor) -> Tensor:
    """Computes ``Σ_r x_r`` over the processes; its backward sums the gradients of all processes' losses."""
    return _Total.apply(x)  # type: ignore[no-any-return, no-untyped-call]


def gather_rows(x: Tensor, shard: Shard) -> Tensor:
    """Gathers all rows ``[B, d]`` from each process's ``[b, d]``, for a loss that all processes compute equally.

    Each process divides such a loss by the number of processes ``K``. The sum over the processes is then the loss,
    and likewise for the gradients of its other inputs. The gradient of a process's own rows is one of ``K`` equal
    terms, hence the factor ``K`` in the backward pass, which needs no communication.
    """
    return _Whole.apply(x, shard.index, shard.total)  # type: ignore[no-any-return, no-untyped-call]


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.world = world()  # backward on a device runs in another thread, where the context variable is not set
        return world().all_reduce(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return ctx.world.all_reduce(grads[0])  # type: ignore[no-any-return]


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: slice, rows: int) -> Tensor:
        ctx.index, ctx.size = index, world().size
        return world().all_gather(x, rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0][ctx.index] * ctx.size, None, None
