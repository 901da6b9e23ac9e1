"""Graph transformer: attention by products of queries and keys, along the edges of the graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphkd.norm import check_sizes, has_biases, layer_widths
from graphkd.ranges import check_switches
from graphkd.sparse import Edges, Features, edge_products, linear, segment_softmax, spmm_edges
from graphkd.teachers.base import Teacher
from graphkd.teachers.gat import check_heads, drop_edges
from graphkd.teachers.readout import jump


class TransformerLayer(nn.Module):
    """``m_i = Σ_j α_ij W_v x_j`` over j in i's closed neighbourhood, for each of ``heads`` heads, and i's own row.

    ``α_ij = softmax_j(⟨W_q x_i + b_q, W_k x_j⟩ / √d)`` with heads of width ``d``; dropout is applied to ``α``.
    Every node has one self-loop, whether the graph lists it or not, and edge weights are ignored. With the own row
    ``r_i = W_r x_i + b`` the result is ``m_i + r_i``, or gated ``g_i r_i + (1 − g_i) m_i``, where
    ``g_i = sigmoid(⟨w, [m_i ‖ r_i ‖ m_i − r_i]⟩)`` is one number for each node. Keys have no bias, which softmax
    would cancel, and values none, which would shift ``m_i`` by a constant.

    Args:
        in_dim: width of ``x``.
        head_dim: width of each head ``d``.
        heads: ``H``.
        concat: whether heads are concatenated, ``[N, H · d]``, or averaged, ``[N, d]``.
        dropout: probability, on the attention coefficients.
        gated: whether there is a gate.
        bias: whether there is a ``b``.
    """

    def __init__(
        self, in_dim: int, head_dim: int, heads: int, concat: bool, dropout: float, gated: bool, bias: bool = True
    ) -> None:
        super().__init__()
        self.heads, self.concat, self.dropout = heads, concat, dropout
        out_dim = heads * head_dim if concat else head_dim
        self.query = nn.Linear(in_dim, heads * head_dim)
        self.key = nn.Linear(in_dim, heads * head_dim, bias=False)
        self.value = nn.Linear(in_dim, heads * head_dim, bias=False)
        self.own = nn.Linear(in_dim, out_dim, bias)
        self.gate = nn.Linear(3 * out_dim, 1, bias=False) if gated else None
        for part in (self.query, self.key, self.value, self.own, self.gate):
            if part is not None:
                nn.init.xavier_uniform_(part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``x [N, in_dim]``, dense or sparse → ``[N, H · d]`` or ``[N, d]``.

        Over a block, ``m`` rows give ``n``, and attention is restricted to the block's edges.
        """
        pattern = edges.normalize("none", self_loops=1, dtype=self.value.weight.dtype)
        own = edges.receivers(x)
        query, key, value = self._split(self.query, own), self._split(self.key, x), self._split(self.value, x)
        scores = edge_products(pattern, query / query.shape[2] ** 0.5, key)
        attention = segment_softmax(pattern.rowptr, scores)
        attention = drop_edges(attention, self.dropout if self.training else 0.0, edges)
        message = spmm_edges(pattern, attention, value)
        message = message.flatten(1) if self.concat else message.mean(dim=1)
        row = linear(own, self.own.weight, self.own.bias)
        if self.gate is None:
            return message + row
        gate: Tensor = torch.sigmoid(self.gate(torch.cat([message, row, message - row], dim=1)))
        return torch.lerp(message, row, gate)

    def _split(self, part: nn.Linear, x: Features) -> Tensor:
        """Computes a linear layer: ``[m, in_dim]`` → ``[m, H, d]``."""
        out = linear(x, part.weight, part.bias)
        return out.view(x.shape[0], self.heads, out.shape[1] // self.heads)


class GraphTransformer(Teacher):
    """A transformer over the edges of the graph, with a gated residual: UniMP's network without its masked labels.

    Heads are concatenated in hidden hops and averaged in the last one, ReLU between hops. The paper puts a layer
    norm before it, which is the default here.

    Source: Shi et al., Masked Label Prediction: Unified Message Passing Model for Semi-Supervised Classification,
        IJCAI 2021

    Args:
        num_features: ``D``.
        hidden_dim: width of the hops before the last, all heads together.
        num_classes: ``C``.
        num_layers: hops, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        heads: attention heads of every hop; each has ``hidden_dim // heads`` columns, in the last hop ``C``.
        attention_dropout: probability, on the attention coefficients.
        gated: whether a gate weights a node's own row against its neighbours'; otherwise they are added.
        initial_residual: ``α``, the share of the first hop in the convolution output of every later hidden hop.
        hops: whether hidden hops are taken ``after_activation`` and residual, or ``before_activation``.
        jumping_knowledge: ``none``: the last convolution is the classifier. ``cat`` or ``max``: it is a hidden
            one, and a linear layer reads the embeddings of all hops side by side, or their maximum.

    Raises:
        GraphKDError: an invalid size, or a width that is no multiple of ``heads``.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = GraphTransformer(graph.num_features, hidden_dim=16, num_classes=3, heads=4)(graph.x, graph.adj)
    >>> [hop.shape for hop in output.hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "graph_transformer"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "layer",
        residual: bool = False,
        heads: int = 4,
        attention_dropout: float = 0.3,
        gated: bool = True,
        initial_residual: float = 0.0,
        hops: str = "after_activation",
        jumping_knowledge: str = "none",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        check_heads(hidden_dim, heads, attention_dropout)
        check_switches("teacher", gated=gated)
        out, readout = jump(jumping_knowledge, hidden_dim, num_classes, num_layers)
        widths = layer_widths(num_features, hidden_dim, out, num_layers)
        joins = [True] * (num_layers - 1) + [readout is not None]
        parts = zip(widths, joins, has_biases(norm, num_layers, readout is None), strict=True)
        convs: list[nn.Module] = [
            TransformerLayer(i, o // heads if concat else o, heads, concat, attention_dropout, gated, bias)
            for (i, o), concat, bias in parts
        ]
        super().__init__(convs, hidden_dim, dropout, norm, residual, initial_residual, hops, readout)
