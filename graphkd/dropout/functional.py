"""Functional interface of dropout; the tensor's device selects the implementation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.shard import current_shard
from graphkd.dropout import cpu, cuda


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator | None = None) -> Tensor:
    """Computes ``x ⊙ m / (1 − p)`` with ``P(m = 1) = 1 − p``.

    One number is drawn per call and seeds a counter-based generator (``graphkd.dropout.rng``): on a CPU torch's
    mask costs more than a whole sparse layer (``experiments/factored``), on a GPU no mask is saved, and both
    devices use the same mask.
    An entry uses sixteen bits, so ``p`` is rounded to a multiple of 2⁻¹⁶, and the scale follows from the rounded
    ``p``. For a shard of a batch (``graphkd.distributed.shard_scope``) the mask is the shard's rows of the whole
    batch's mask.

    Args:
        x: of any shape.
        p: probability of a zero, in [0, 1).
        training: if false, ``x`` is returned.
        generator: on the CPU; by default torch's global one. The same state gives the same mask on every device.

    Returns:
        A tensor of ``x``'s shape.
    """
    if not training or p == 0:
        return x
    shard = current_shard()
    return (
        _dropped(x, p, generator) if shard is None else shard.dropped(x, lambda all_: _dropped(all_, p, generator))
    )


def relu_dropout(
    z: Tensor, p: float, training: bool, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Computes ``h = max(z, 0)`` in place and ``dropout(h)``, with the same results as two calls.

    Both are computed in one pass, as is the gradient; no mask is saved.

    Args:
        z: of any shape; overwritten.
        p: probability of a zero, in [0, 1).
        training: if false, dropout is the identity.
        generator: as in ``dropout``.

    Returns:
        ``h`` and its dropout, of ``z``'s shape; ``h`` twice without dropout.
    """
    if training and p > 0 and _joins(z):
        return _together(z, [p], [generator])
    hidden = F.relu(z, inplace=True)
    return hidden, dropout(hidden, p, training, generator)


def stacked_relu_dropout(
    z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
) -> tuple[Tensor, Tensor]:
    """Applies ``relu_dropout`` to every ``z[s]`` with its own rate and generator; results equal separate calls.

    Args:
        z: ``[S, …]``; overwritten.
        rates: ``[S]``.
        generators: ``[S]``.

    Returns:
        The same as ``relu_dropout``.
    """
    if any(rates) and _joins(z):
        return _together(z, rates, generators)
    hidden = F.relu(z, inplace=True)
    if not any(rates):
        return hidden, hidden
    members = zip(hidden, rates, generators, strict=True)
    return hidden, torch.stack([dropout(h, p, True, generator) for h, p, generator in members])


def _joins(z: Tensor) -> bool:
    """Returns whether ReLU and dropout can be fused for this tensor."""
    supported = z.is_cuda or (z.is_cpu and z.dtype in cpu.NUMBERS)
    return supported and z.is_contiguous() and current_shard() is None and not torch.compiler.is_compiling()


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
