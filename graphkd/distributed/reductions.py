"""Sums over the processes that gradients flow through."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.distributed.world import world


def total(x: Tensor) -> Tensor:
    """``Σ_r x_r`` over the processes, the same on all; each hears the gradient of every process's loss."""
    return _Total.apply(x)  # type: ignore[no-any-return, no-untyped-call]


def gather_rows(x: Tensor, shard: Shard) -> Tensor:
    """All rows ``[B, d]`` from each process's ``[b, d]``, for a loss that every process computes alike.

    Each process takes such a loss divided by the number of processes. The sum is the loss then, and likewise the
    gradient of whatever else it depends on. Of its own rows a process hears one of as many equal terms, hence the
    factor in the backward pass, which needs no communication.
    """
    return _Whole.apply(x, shard.index, shard.total)  # type: ignore[no-any-return, no-untyped-call]


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.world = world()  # a backward pass on a device has a thread of its own, which knows none
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
