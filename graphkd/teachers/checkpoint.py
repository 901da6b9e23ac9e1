"""Activation checkpointing: parts of a network that the backward pass recomputes to save memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from graphkd.norm import BatchNorm


def remade(model: nn.Module, part: Callable[..., Any], *inputs: Any) -> Any:
    """Computes ``part(*inputs)`` and keeps only the inputs; the backward pass recomputes the rest.

    The recomputation draws the same random numbers, and does not update the running statistics of norms.

    Args:
        model: the network whose norms the part may use.
        part: a part of its forward pass, which draws from torch's default generator.
        inputs: of the part, which must not change them.
    """
    return checkpoint(part, *inputs, use_reentrant=False, context_fn=lambda: (nullcontext(), _again(model)))


@contextmanager
def _again(model: nn.Module) -> Iterator[None]:
    norms = [part for part in model.modules() if isinstance(part, BatchNorm)]
    for norm in norms:
        norm.again = True
    try:
        yield
    finally:
        for norm in norms:
            norm.again = False
