"""SGC, a graph convolutional network without activations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphkd.norm import check_sizes
from graphkd.sparse import Edges, Features, spmm, spmm_linear
from graphkd.teachers.base import Teacher
from graphkd.teachers.linear_maps import xavier_linear


class SGCLayer(nn.Module):
    """``Ã X``, with weights ``Ã X Wᵀ``, with a bias ``Ã X + b``; ``Ã = D^-1/2 (A + I) D^-1/2``.

    Args:
        weights: ``(d_in, d_out)`` of ``W``, or None.
        bias: width of ``b``, or None.
    """

    def __init__(self, weights: tuple[int, int] | None, bias: int | None) -> None:
        super().__init__()
        self.linear = None if weights is None else xavier_linear(*weights, bias=False)
        self.bias = None if bias is None else nn.Parameter(torch.zeros(bias))

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``[N, d_in]`` → ``[N, d_out]``; for a block ``[m, …]`` → ``[n, …]``; sparse rows need ``W``."""
        operator = edges.normalize("symmetric", self_loops=1, dtype=x.dtype)
        if self.linear is not None:
            return spmm_linear(operator, x, self.linear.weight, self.bias)
        assert isinstance(x, Tensor)
        out = spmm(operator, x)
        return out if self.bias is None else out + self.bias


class SGC(Teacher):
    """``Ã^K X Wᵀ + b`` with ``Ã = D^-1/2 (A + I) D^-1/2``: a linear classifier of rows that were propagated.

    ``W`` comes first and the ``K`` steps after it, which is the same function and costs ``C`` columns in place of
    ``D``. So hidden hop ``k`` is ``Ã^k X Wᵀ [N, C]``. There is no hidden width, activation, norm or dropout.

    Source: Wu et al., Simplifying Graph Convolutional Networks, ICML 2019

    Args:
        num_features: ``D``.
        num_classes: ``C``.
        num_layers: steps ``K``, from 1.

    Raises:
        GraphKDError: an invalid size.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = SGC(graph.num_features, graph.num_classes, num_layers=2)(graph.x, graph.adj)
    >>> [hop.shape for hop in output.hops]
    [torch.Size([60, 3]), torch.Size([60, 3])]
    """

    name = "sgc"

    def __init__(self, num_features: int, num_classes: int = 2, num_layers: int = 2) -> None:
        check_sizes(num_layers, num_classes, 0.0)
        convs: list[nn.Module] = [
            SGCLayer((num_features, num_classes) if k == 0 else None, num_classes if k + 1 == num_layers else None)
            for k in range(num_layers)
        ]
        super().__init__(convs, num_classes, 0.0, "none", False, 0.0, "after_activation")

    @staticmethod
    def activation(x: Tensor) -> Tensor:
        """Returns ``x``: hops are linear."""
        return x
