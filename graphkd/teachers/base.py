"""The frame of every message-passing teacher: hops, activation, norm, residuals, dropout."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.layers import dropout, make_norm
from graphkd.numbers import is_real
from graphkd.sparse import Adjacency, Features, as_features
from graphkd.teachers.output import TeacherOutput

HOPS = ("after_activation", "before_activation")
"""Where a hidden hop's embedding may be taken."""


class Teacher(nn.Module):
    """A stack of graph convolutions.

    Hidden hop ``k`` computes

    - ``z_k = norm(conv_k(drop(e_{k-1}), A))``, with an initial residual ``α`` from the second hop on
      ``z_k = norm((1 − α) conv_k(drop(e_{k-1}), A) + α e_1)``;
    - ``e_k = act(z_k) [+ e_{k-1}]``, and ``e_0 = x``, of which nothing is dropped.

    The last hop is ``conv(drop(e), A)``: the logits. A hop embedding is ``e_k``, or with
    ``hops="before_activation"`` ``z_k``; which one changes nothing else. ``act`` is ``activation``, ReLU unless a
    teacher's paper has another.

    Both residuals carry what dropout has not touched, as in GCNII. Added after it, the identity would be masked
    and scaled at every hop, ``1 / (1 − p)^L`` times in all: 16 hops with ``p = 0.5`` and a layer norm stay near
    chance on Cora (validation 0.20 for GCN, against 0.78).

    Source of the initial residual: Chen et al., Simple and Deep Graph Convolutional Networks, ICML 2020 (GCNII),
    here without its identity mapping, and past the convolution's weights, so that it goes with every convolution.

    Args:
        convs: one module per hop, called as ``conv(x [N, d_in], adj) → [N, d_out]``.
        hidden_dim: width of all hops but the last.
        dropout: probability.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        initial_residual: ``α`` in [0, 1).
        hops: ``after_activation`` or ``before_activation``.

    Raises:
        GraphKDError: a norm or a place of hops that does not exist, or ``α`` outside its range.
    """

    name: ClassVar[str]

    def __init__(
        self,
        convs: list[nn.Module],
        hidden_dim: int,
        dropout: float,
        norm: str,
        residual: bool,
        initial_residual: float,
        hops: str,
    ) -> None:
        super().__init__()
        if not (is_real(initial_residual) and 0 <= initial_residual < 1):
            raise GraphKDError(f"teacher.initial_residual is {initial_residual}: it must lie in [0, 1)")
        if hops not in HOPS:
            raise GraphKDError(f"teacher.hops is '{hops}': choose {' or '.join(HOPS)}")
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(make_norm(norm, hidden_dim) for _ in convs[:-1])
        self.dropout, self.residual = dropout, residual
        self.initial_residual, self.hops = initial_residual, hops

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
        last, first = h, None
        hops: list[Tensor] = []
        for conv, norm in zip(self.convs, self.norms, strict=False):
            z = norm(self._mixed(conv(h, adj), first))
            if self.hops == "before_activation":
                hops.append(z.clone())  # the activation may work in place
            out = self.activation(z)
            if self.residual and last.shape[1] == out.shape[1]:
                out = out + (last if isinstance(last, Tensor) else last.to_dense())
            if self.hops == "after_activation":
                hops.append(out)
            last, first = out, out if first is None else first
            h = dropout(out, self.dropout, self.training)
        logits = self.convs[-1](h, adj)
        return TeacherOutput(logits, [*hops, logits])

    def _mixed(self, out: Tensor, first: Tensor | None) -> Tensor:
        """``(1 − α) out + α e_1``; ``out`` itself where there is no ``α``, or no earlier hop."""
        return out if first is None or not self.initial_residual else out.lerp(first, self.initial_residual)
