"""Graph attention network."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.checks import is_whole
from graphkd.distributed import shard_scope
from graphkd.dropout import dropout
from graphkd.errors import GraphKDError
from graphkd.norm import check_sizes, has_biases, layer_widths
from graphkd.ranges import check_shares
from graphkd.sparse import Block, Edges, Features, edge_scores, linear, segment_softmax, spmm_edges
from graphkd.teachers.base import Teacher


class GATLayer(nn.Module):
    """``out_i = Σ_j α_ij W x_j + b`` over j in i's closed neighbourhood, for each of ``heads`` heads.

    ``α_ij = softmax_j(e_ij)`` with ``e_ij = LeakyReLU(⟨a_src, W x_j⟩ + ⟨a_dst, W x_i⟩)``, slope 0.2; dropout
    is applied to ``α``. Every node has one self-loop, whether the graph lists it or not. Edge weights are ignored,
    as in PyG's ``GATConv``: attention alone weights the edges.

    ``a_src`` and ``a_dst`` are initialised to zero, so that a layer starts as the mean over the neighbourhood.
    With PyG's random initialisation, on features of large norm, the softmax saturates at one neighbour from the
    start, only dropout on ``α`` lets others through, and the network without dropout differs from the one that was
    trained (Photo, seed 2022: validation 0.80 with dropout, 0.27 without).

    Args:
        in_dim: width of ``x``.
        head_dim: width of each head.
        heads: ``H``.
        concat: whether heads are concatenated, ``[N, H · head_dim]``, or averaged, ``[N, head_dim]``.
        dropout: probability, on the attention coefficients.
        bias: whether there is a ``b``.
    """

    slope: ClassVar[float] = 0.2

    def __init__(
        self, in_dim: int, head_dim: int, heads: int, concat: bool, dropout: float, bias: bool = True
    ) -> None:
        super().__init__()
        self.concat, self.dropout = concat, dropout
        self.linear = nn.Linear(in_dim, heads * head_dim, bias=False)
        self.att_src = nn.Parameter(torch.zeros(heads, head_dim))
        self.att_dst = nn.Parameter(torch.zeros(heads, head_dim))
        self.bias = nn.Parameter(torch.zeros(heads * head_dim if concat else head_dim)) if bias else None
        nn.init.xavier_uniform_(self.linear.weight)

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``x [N, in_dim]``, dense or sparse → ``[N, H · head_dim]`` or ``[N, head_dim]``.

        Over a block, ``m`` rows give ``n``, and attention is restricted to the block's edges.
        """
        pattern = edges.normalize("none", self_loops=1, dtype=self.linear.weight.dtype)
        h = linear(x, self.linear.weight)
        scores = edge_scores(pattern, edges.receivers(h) @ _columns(self.att_dst), h @ _columns(self.att_src))
        attention = segment_softmax(pattern.rowptr, F.leaky_relu_(scores, self.slope))
        attention = self._dropped(attention, edges)
        out = spmm_edges(pattern, attention, h.view(x.shape[0], *self.att_src.shape))
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        return out if self.bias is None else out + self.bias

    def _dropped(self, attention: Tensor, edges: Edges) -> Tensor:
        part = edges.part_of_edges if isinstance(edges, Block) and self.training and self.dropout else None
        with shard_scope(part):
            return dropout(attention, self.dropout, self.training)


def _columns(attention: Tensor) -> Tensor:
    """Converts ``[H, d]`` to ``[H · d, H]``, head h in column h: one small product, no copies of all heads."""
    identity = torch.eye(attention.shape[0], dtype=attention.dtype, device=attention.device)
    return (identity.unsqueeze(1) * attention.unsqueeze(2)).flatten(0, 1)


class GAT(Teacher):
    """GAT of any depth: heads concatenated in hidden hops and averaged in the last one, ELU between hops.

    Source: Velickovic et al., Graph Attention Networks, ICLR 2018

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
        initial_residual: ``α``, the share of the first hop in the convolution output of every later hidden hop.
        hops: whether hidden hops are taken ``after_activation`` and residual, or ``before_activation``.

    Raises:
        GraphKDError: an invalid size, or a width that is no multiple of ``heads``.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = GAT(graph.num_features, hidden_dim=16, num_classes=3, heads=4)(graph.x, graph.adj)
    >>> [hop.shape for hop in output.hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "gat"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        residual: bool = False,
        heads: int = 4,
        attention_dropout: float = 0.3,
        initial_residual: float = 0.0,
        hops: str = "after_activation",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        _check_heads(hidden_dim, heads, attention_dropout)
        *hidden, (width, classes) = layer_widths(num_features, hidden_dim, num_classes, num_layers)
        pairs = zip(hidden, has_biases(norm, num_layers), strict=False)  # of hidden hops only
        convs: list[nn.Module] = [
            GATLayer(i, o // heads, heads, True, attention_dropout, bias) for (i, o), bias in pairs
        ]
        convs.append(GATLayer(width, classes, heads, False, attention_dropout))
        super().__init__(convs, hidden_dim, dropout, norm, residual, initial_residual, hops)

    @staticmethod
    def activation(x: Tensor) -> Tensor:
        """Applies ELU, as in the paper."""
        return F.elu(x)


def _check_heads(hidden_dim: int, heads: int, attention_dropout: float) -> None:
    if not is_whole(heads) or heads < 1:
        raise GraphKDError(f"teacher.heads is {heads}: it must be a whole number, 1 or more")
    if hidden_dim % heads:
        raise GraphKDError(
            f"teacher.hidden_dim is {hidden_dim}, which {heads} heads cannot share evenly: "
            f"choose a multiple of {heads}, or other teacher.heads"
        )
    check_shares("teacher", attention_dropout=attention_dropout)
