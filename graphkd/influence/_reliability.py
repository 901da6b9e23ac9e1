"""KRD's reliability: the stability of the teacher's entropy under noise."""

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
    """Scores the stability of the teacher's entropy under noise: ``I_i = (1 − ρ_i) / max_l (1 − ρ_l)``.

    Here ``ρ_i = c_i / max_l c_l`` with ``c_i = |H(softmax(t_i(X + δ))) − H(softmax(t_i(X)))|`` and one draw of
    ``δ ~ N(0, std²)``. KRD samples a node as a sender with probability ``1 − ρ^α``; this is that for α = 1,
    scaled. The noise is added to the preprocessed features, the teacher's inputs; where their entries are
    small, as in rows that sum to 1, noise with ``std`` 1 dominates them, and the ranking depends strongly on
    the draw. Edges and their weights have an effect through the teacher only.

    Costs one forward pass of the teacher on dense features: O(N D) memory, also for sparse ones.

    Source: Wu et al., Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs (KRD), ICML 2023

    Args:
        x: ``[N, D]``; only its shape is read.
        edge_index: ``[2, E]``, or the adjacency; not used.
        std: standard deviation of the noise; 1 in KRD.
        seed: of the noise; in a run, the run's seed is added to it.
        logits: ``[N, C]`` of the frozen teacher.
        perturbed: noise ``[N, D]`` → the teacher's logits ``[N, C]`` on features plus noise.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all entropies change equally.

    Raises:
        GraphKDError: a setting is out of range.

    >>> x, edges, logits = torch.zeros(3, 2), torch.tensor([[0], [1]]), torch.zeros(3, 4)
    >>> reliability(x, edges, logits=logits, perturbed=lambda noise: logits)  # a teacher that ignores features
    tensor([1., 1., 1.])
    """
    if not (is_real(std) and 0 < std < math.inf):
        raise GraphKDError(f"influence.std is {std}: it must be a finite number greater than 0")
    check_seed(seed)
    noise = std * torch.randn(*x.shape, generator=torch.Generator().manual_seed(seed))
    change = (entropy(perturbed(noise.to(logits.device))) - entropy(logits)).abs()
    return scaled(change.max() - change)
