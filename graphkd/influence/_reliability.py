"""KRD's reliability: how little the teacher's certainty moves under noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.checks import is_real
from graphkd.errors import GraphKDError
from graphkd.influence._checks import check_seed, scaled
from graphkd.influence._confidence import entropy
from graphkd.sparse import Adjacency, Features


def reliability(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    std: float = 1.0,
    seed: int = 0,
    *,
    logits: Tensor,
    perturbed: Callable[[Tensor], Tensor],
) -> Tensor:
    """How well the teacher's entropy stands noise: ``I_i = (1 − ρ_i) / max_l (1 − ρ_l)``.

        ρ_i = c_i / max_l c_l,    c_i = |H(softmax(t_i(X + δ))) − H(softmax(t_i(X)))|,    δ ~ N(0, std²),

    with one draw. KRD keeps a node as a sender with probability ``1 − ρ^α``; this is that for α = 1, scaled. The
    noise meets the features as the teacher reads them; where their entries are small, as in rows that sum to 1,
    noise of 1 drowns them, and the draw has a large share in the ranking. Edges and their weights count through
    the teacher only.

    One more forward pass of the teacher, on dense features: O(N D) memory, whatever form they had.

    Source: Wu et al., Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs (KRD), ICML 2023

    Args:
        x: ``[N, D]``; only its shape is read.
        edge_index: ``[2, E]``, or the adjacency; not used.
        std: of the noise; KRD's is 1.
        seed: of the noise; in a run, the run's seed is added to it.
        logits: ``[N, C]`` of the frozen teacher.
        perturbed: noise ``[N, D]`` → the teacher's logits ``[N, C]`` where it is added to the features.

    Returns:
        ``[N]`` float32 in [0, 1]; ones where all entropies move alike.

    Raises:
        GraphKDError: a setting outside its range.
    """
    if not (is_real(std) and 0 < std < math.inf):
        raise GraphKDError(f"influence.std is {std}: it must be a finite number greater than 0")
    check_seed(seed)
    noise = std * torch.randn(*x.shape, generator=torch.Generator().manual_seed(seed))
    change = (entropy(perturbed(noise.to(logits.device))) - entropy(logits)).abs()
    return scaled(change.max() - change)
