"""What networks call; where the entries are decides how it is done."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.shard import current_shard
from graphkd.dropout import cpu, cuda


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator | None = None) -> Tensor:
    """``x ⊙ m / (1 − p)`` with ``P(m = 1) = 1 − p``.

    One number is drawn per call, and the bits are counted from it (``graphkd.dropout.rng``): on a CPU torch's own
    mask costs more than a whole sparse layer (``experiments/factored``), on a GPU no mask has to be kept, and both
    drop the same.
    Sixteen bits make an entry, so ``p`` is rounded to a multiple of 2⁻¹⁶ and the scale is that of the rounded one.
    Of rows that are a shard of a batch (``graphkd.distributed.shard_scope``) what is dropped is as if all were
    here.

    Args:
        x: of any shape.
        p: probability of a zero, in [0, 1).
        training: ``x`` itself where false.
        generator: of the CPU; torch's own where there is none. The same state gives the same mask on every device.

    Returns:
        A tensor of ``x``'s shape.
    """
    if not training or p == 0:
        return x
    part = current_shard()
    return (
        _dropped(x, p, generator) if part is None else part.dropped(x, lambda all_: _dropped(all_, p, generator))
    )


def relu_dropout(
    z: Tensor, p: float, training: bool, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """``h = max(z, 0)`` in the place of ``z``, and ``dropout(h)``: the same numbers as one after the other.

    Both are made in one pass, and so is the gradient; no mask is kept.

    Args:
        z: of any shape; overwritten.
        p: probability of a zero, in [0, 1).
        training: whether anything is dropped.
        generator: as in ``dropout``.

    Returns:
        ``h`` and what is left of it, of ``z``'s shape; ``h`` itself where nothing is dropped.
    """
    if training and p > 0 and _joins(z):
        return _together(z, [p], [generator])
    hidden = F.relu(z, inplace=True)
    return hidden, dropout(hidden, p, training, generator)


def stacked_relu_dropout(
    z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
) -> tuple[Tensor, Tensor]:
    """``relu_dropout`` of every ``z[s]`` with a rate and a generator of its own, as it would be alone.

    Args:
        z: ``[S, …]``; overwritten.
        rates: ``[S]``.
        generators: ``[S]``.

    Returns:
        As ``relu_dropout``.
    """
    if any(rates) and _joins(z):
        return _together(z, rates, generators)
    hidden = F.relu(z, inplace=True)
    if not any(rates):
        return hidden, hidden
    each = zip(hidden, rates, generators, strict=True)
    return hidden, torch.stack([dropout(own, p, True, generator) for own, p, generator in each])


def _joins(z: Tensor) -> bool:
    """Whether activation and dropout are one pass there."""
    known = z.is_cuda or (z.is_cpu and z.dtype in cpu.NUMBERS)
    return known and z.is_contiguous() and current_shard() is None and not torch.compiler.is_compiling()


def _together(
    z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
) -> tuple[Tensor, Tensor]:
    run = cpu.ReluDropout if z.is_cpu else cuda.ReluDropout
    return run.apply(z, rates, generators)  # type: ignore[no-untyped-call, no-any-return]


def _dropped(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    if torch.compiler.is_compiling() or not (x.is_cpu or x.is_cuda):
        return F.dropout(x, p)
    run = cpu.Dropout if x.is_cpu else cuda.Dropout
    return run.apply(x, p, generator)  # type: ignore[no-untyped-call, no-any-return]
