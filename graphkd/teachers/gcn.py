"""Graph convolutional network."""

from __future__ import annotations

from torch import Tensor, nn

from graphkd.norm import check_sizes, has_biases, layer_widths
from graphkd.sparse import Edges, Features, spmm_linear
from graphkd.teachers.base import Teacher
from graphkd.teachers.linear_maps import xavier_linear
from graphkd.teachers.readout import jump


class GCNLayer(nn.Module):
    """``Ã X Wᵀ + b`` with ``Ã = D^-1/2 (A + I) D^-1/2``, in the order that costs less.

    Args:
        in_dim: width of ``X``.
        out_dim: width of the result.
        bias: whether there is a ``b``.
    """

    def __init__(self, in_dim: int, out_dim: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = xavier_linear(in_dim, out_dim, bias)

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``[N, in_dim]``, dense or sparse → ``[N, out_dim]``; for a block ``[m, …]`` → ``[n, …]``."""
        operator = edges.normalize("symmetric", self_loops=1, dtype=self.linear.weight.dtype)
        return spmm_linear(operator, x, self.linear.weight, self.linear.bias)


class GCN(Teacher):
    """GCN of any depth.

    Source: Kipf and Welling, Semi-Supervised Classification with Graph Convolutional Networks, ICLR 2017

    Args:
        num_features: ``D``.
        hidden_dim: width of the hops before the last.
        num_classes: ``C``.
        num_layers: hops, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        initial_residual: ``α``, the share of the first hop in the convolution output of every later hidden hop.
        hops: whether hidden hops are taken ``after_activation`` and residual, or ``before_activation``.
        jumping_knowledge: ``none``: the last convolution is the classifier. ``cat`` or ``max``: it is a hidden
            one, and a linear layer reads the embeddings of all hops side by side, or their maximum.

    Raises:
        GraphKDError: an invalid size.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = GCN(graph.num_features, hidden_dim=16, num_classes=graph.num_classes)(graph.x, graph.adj)
    >>> [hop.shape for hop in output.hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "gcn"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        residual: bool = False,
        initial_residual: float = 0.0,
        hops: str = "after_activation",
        jumping_knowledge: str = "none",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        out, readout = jump(jumping_knowledge, hidden_dim, num_classes, num_layers)
        widths = layer_widths(num_features, hidden_dim, out, num_layers)
        pairs = zip(widths, has_biases(norm, num_layers, readout is None), strict=True)
        convs: list[nn.Module] = [GCNLayer(*pair, bias) for pair, bias in pairs]
        super().__init__(convs, hidden_dim, dropout, norm, residual, initial_residual, hops, readout)
