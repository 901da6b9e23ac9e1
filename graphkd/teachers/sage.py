"""GraphSAGE with two aggregators."""

from __future__ import annotations

from torch import Tensor, nn

from graphkd.checks import is_count
from graphkd.errors import GraphKDError
from graphkd.norm import check_sizes, has_biases, layer_widths
from graphkd.ranges import check_choice
from graphkd.sparse import Edges, Features, linear, spmm_linear
from graphkd.teachers.base import Teacher
from graphkd.teachers.readout import jump


class SAGELayer(nn.Module):
    """A mean over neighbours, then a linear map.

    ``mean``: ``D^-1 A X W_nᵀ + b + X W_sᵀ``, as in PyG. ``gcn``: ``D^-1 (A + s I) X W_nᵀ + b``, as in
    DGL: the node counts as its own neighbour.

    Args:
        in_dim: width of ``X``.
        out_dim: width of the result.
        aggregator: ``mean`` or ``gcn``.
        self_loops: ``s``.
        bias: whether there is a ``b``.
    """

    def __init__(self, in_dim: int, out_dim: int, aggregator: str, self_loops: int, bias: bool = True) -> None:
        super().__init__()
        self.self_loops = self_loops if aggregator == "gcn" else 0
        self.lin_neigh = nn.Linear(in_dim, out_dim, bias)
        self.lin_self = nn.Linear(in_dim, out_dim, bias=False) if aggregator == "mean" else None
        if bias:
            nn.init.zeros_(self.lin_neigh.bias)
        for part in (self.lin_neigh, self.lin_self):
            if part is not None:
                nn.init.xavier_uniform_(part.weight, nn.init.calculate_gain("relu"))

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``[N, in_dim]``, dense or sparse → ``[N, out_dim]``; for a block ``[m, …]`` → ``[n, …]``."""
        weight, bias = self.lin_neigh.weight, self.lin_neigh.bias
        operator = edges.normalize("row", self_loops=self.self_loops, dtype=weight.dtype)
        out = spmm_linear(operator, x, weight, bias)
        return out if self.lin_self is None else out + linear(edges.receivers(x), self.lin_self.weight)


class SAGE(Teacher):
    """GraphSAGE of any depth.

    Source: Hamilton et al., Inductive Representation Learning on Large Graphs, NeurIPS 2017

    Args:
        num_features: ``D``.
        hidden_dim: width of the hops before the last.
        num_classes: ``C``.
        num_layers: hops, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        aggregator: ``mean``, as in PyG, which maps a node's own row separately from its neighbours'; or ``gcn``,
            which every published distillation table uses. Where neighbours carry little information on a node's
            class, ``gcn`` dilutes the node's own row.
        self_loops: ``s`` of the ``gcn`` aggregator. The released GLNN, KRD and InfGraND codes add self-loops
            to the graph before an aggregator that counts the node anyway, hence ``s = 2``.
        initial_residual: ``α``, the share of the first hop in the convolution output of every later hidden hop.
        hops: whether hidden hops are taken ``after_activation`` and residual, or ``before_activation``.
        jumping_knowledge: ``none``: the last convolution is the classifier. ``cat`` or ``max``: it is a hidden
            one, and a linear layer reads the embeddings of all hops side by side, or their maximum.

    Raises:
        GraphKDError: an invalid size, or an unknown aggregator.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> teacher = SAGE(graph.num_features, 16, graph.num_classes, num_layers=3, aggregator="gcn", self_loops=2)
    >>> teacher(graph.x, graph.adj).logits.shape
    torch.Size([60, 3])
    """

    name = "sage"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        residual: bool = False,
        aggregator: str = "mean",
        self_loops: int = 1,
        initial_residual: float = 0.0,
        hops: str = "after_activation",
        jumping_knowledge: str = "none",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        if not is_count(self_loops):
            raise GraphKDError(f"teacher.self_loops is {self_loops}: it must be a whole number, 0 or more")
        check_choice("teacher", ("gcn", "mean"), aggregator=aggregator)
        out, readout = jump(jumping_knowledge, hidden_dim, num_classes, num_layers)
        widths = layer_widths(num_features, hidden_dim, out, num_layers)
        pairs = zip(widths, has_biases(norm, num_layers, readout is None), strict=True)
        convs: list[nn.Module] = [SAGELayer(*pair, aggregator, self_loops, bias) for pair, bias in pairs]
        super().__init__(convs, hidden_dim, dropout, norm, residual, initial_residual, hops, readout)
