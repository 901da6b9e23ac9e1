"""The teacher's confidence as influence."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from graphkd.influence._checks import scaled
from graphkd.sparse import Adjacency, Features


def confidence(x: Tensor | Features, edge_index: Tensor | Adjacency, *, logits: Tensor) -> Tensor:
    """Scores the teacher's confidence: ``I_i = s_i / max_l s_l`` with ``s_i = log C − H(softmax(t_i))``.

    It reads the teacher's logits only; features, edges and edge weights have an effect through these. Costs
    O(N C).

    Source: the teacher's entropy, a node's hardness in Wu et al., Teach Harder, Learn Poorer (HGMD), CIKM 2024

    Args:
        x: ``[N, D]``; not used.
        edge_index: ``[2, E]``, or the adjacency; not used.
        logits: ``[N, C]`` of the frozen teacher.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if the teacher is equally confident on all nodes.

    >>> import torch
    >>> logits = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    >>> confidence(torch.zeros(2, 1), torch.tensor([[0], [1]]), logits=logits)
    tensor([1., 0.])
    """
    # Rounding errors of equal logits do not count as confidence.
    return scaled(math.log(logits.shape[1]) - entropy(logits), noise=1e-12)


def entropy(logits: Tensor) -> Tensor:
    """Computes ``H(softmax(t_i))`` in nats and float64: ``[N, C]`` → ``[N]``."""
    log = torch.log_softmax(logits.double(), dim=1)
    return -(log.exp() * log).sum(dim=1)
