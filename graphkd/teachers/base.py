"""The frame of every message-passing teacher: hops, activation, norm, residual, dropout."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.layers import dropout, make_norm
from graphkd.sparse import Adjacency, Features, as_features
from graphkd.teachers.output import TeacherOutput


class Teacher(nn.Module):
    """A stack of graph convolutions, ``h_k = drop(act(norm(conv_k(h_{k-1}, A))) [+ h_{k-1}])``.

    The last hop has neither norm, activation, residual nor dropout: it is the logits. A hop embedding is
    taken after activation and residual, before dropout. ``act`` is ``activation``, ReLU unless a
    teacher's paper has another.

    Args:
        convs: one module per hop, called as ``conv(x [N, d_in], adj) → [N, d_out]``.
        hidden_dim: width of all hops but the last.
        dropout: probability.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the hop's input where the widths agree.
    """

    name: ClassVar[str]

    def __init__(self, convs: list[nn.Module], hidden_dim: int, dropout: float, norm: str, residual: bool) -> None:
        super().__init__()
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(make_norm(norm, hidden_dim) for _ in convs[:-1])
        self.dropout, self.residual = dropout, residual

    @staticmethod
    def activation(x: Tensor) -> Tensor:
        """Between hops."""
        return F.relu(x, inplace=True)

    def forward(self, x: Features, adj: Adjacency) -> TeacherOutput:
        """All nodes at once.

        Args:
            x: ``[N, D]``, dense or sparse.
            adj: the raw graph; normalised here, once per graph.

        Returns:
            ``logits [N, C]`` and ``num_layers`` hops.

        Raises:
            GraphKDError: the rows of ``x`` are not the nodes of ``adj``.
        """
        if x.shape[0] != adj.num_nodes:
            raise GraphKDError(f"x has {x.shape[0]} rows, but the graph has {adj.num_nodes} nodes")
        h: Features = as_features(x)
        hops: list[Tensor] = []
        for conv, norm in zip(self.convs, self.norms, strict=False):
            out = self.activation(norm(conv(h, adj)))
            if self.residual and h.shape[1] == out.shape[1]:
                out = out + (h if isinstance(h, Tensor) else h.to_dense())
            hops.append(out)
            h = dropout(out, self.dropout, self.training)
        logits = self.convs[-1](h, adj)
        return TeacherOutput(logits, [*hops, logits])
