"""Parts of a network that are computed twice to keep less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from graphkd.norm import BatchNorm


def remade(model: nn.Module, part: Callable[..., Any], *inputs: Any) -> Any:
    """``part(*inputs)``, of which only the inputs are kept; the backward pass computes the rest again.

    The second time draws what the first one drew, and leaves the running statistics of norms alone.

    Args:
        model: whose norms the part may use.
        part: a part of its forward pass, on torch's own generator.
        inputs: of the part; not changed by it.
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
