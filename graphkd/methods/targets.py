"""The compiled signal: all that is left of graph and teacher when the student trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.methods.fold_kernel import folded_sum
from graphkd.sparse import (
    Adjacency,
    Factored,
    Features,
    Inputs,
    at_least_single,
    blocks,
    mix,
    propagate,
    select_rows,
)


@dataclass(frozen=True)
class Propagation:
    """How inputs were mixed over the graph, see ``graphkd.sparse.propagate``.

    Args:
        hops: ``P``; 0 leaves rows alone, and the student needs no graph at all.
        self_loops: ``s`` in Ã over ``A + s I``.
        weighted: whether A had edge weights.
        pooling: of the hops, one of ``graphkd.sparse.POOLINGS``.
    """

    hops: int = 0
    self_loops: int = 1
    weighted: bool = False
    pooling: str = "mean"

    @property
    def reads(self) -> str:
        """What a student of such inputs reads when it answers: ``x``, or ``neighbours`` as well."""
        return "neighbours" if self.hops else "x"

    def width(self, num_features: int) -> int:
        """``D'`` of the mixed rows for ``D`` features."""
        return num_features * blocks(self.hops, self.pooling)

    def raw_width(self, width: int) -> int:
        """``D`` of the features for ``D'`` of the mixed rows."""
        return width // blocks(self.hops, self.pooling)

    def mix(self, x: Features, adj: Adjacency) -> Inputs:
        """Features ``[N, D]`` → inputs ``[N, D']`` in the form that costs least."""
        return mix(x, adj, self.hops, self.self_loops, self.pooling)

    def table(self, x: Features, adj: Adjacency) -> Features:
        """Features ``[N, D]`` → inputs ``[N, D']`` as a table."""
        return propagate(x, adj, self.hops, self.self_loops, self.pooling)


@dataclass(frozen=True)
class SoftTargets:
    """A weighted sum of Kullback–Leibler terms with a frozen side, folded into one table.

    With ``q_j`` the teacher's and ``p_i`` the student's softmax at temperature ``τ`` and constants
    ``w_ij``, ``Σ_ij w_ij KL(q_j ‖ p_i) = H − Σ_i ⟨T_i, log p_i⟩`` where ``T_i = Σ_j w_ij q_j`` and
    ``H = Σ_ij w_ij ⟨q_j, log q_j⟩``: the edges are gone. The reverse direction is
    ``Σ_ij w_ij KL(p_i ‖ q_j) = Σ_i W_i ⟨p_i, log p_i⟩ − ⟨p_i, L_i⟩`` with ``W_i = Σ_j w_ij`` and
    ``L_i = Σ_j w_ij log q_j``.

    Args:
        table: ``T`` (or ``L`` where ``reverse``), ``[N, C]``.
        row_weight: ``W [N]``.
        constant: ``H``, of the whole graph; 0 where ``reverse``. ``[S]`` of several students.
        tau: ``τ``.
        reverse: the direction.
    """

    table: Tensor
    row_weight: Tensor
    constant: float | Tensor
    tau: float
    reverse: bool = False

    def loss(self, logits: Tensor, scale: float = 1.0) -> Tensor:
        """The sum of the terms of these rows.

        Args:
            logits: ``[B, C]`` of the student, rows as in ``table``; ``[S, B, C]`` of several.
            scale: ``N / B``, which makes a batch an estimate of the whole.

        Returns:
            A scalar, or ``[S]``.
        """
        if self.reverse:
            log_p = F.log_softmax(logits / self.tau, dim=-1)
            terms = (self.row_weight.unsqueeze(-1) * log_p - self.table) * log_p.exp()
            return scale * terms.sum(dim=(-2, -1))
        return self.constant - scale * folded_sum(logits, self.table, self.row_weight, self.tau)


@dataclass(frozen=True)
class Targets:
    """What the student sees: rows, and nothing that knows an edge.

    Args:
        inputs: ``[N, D']`` dense, sparse or, for all rows at once, factored.
        labels: ``[N]`` int64; read only where ``label_weight`` is not zero.
        label_weight: ``[N]`` float64, weight of each node's cross-entropy; 0 for the unlabelled ones.
        soft: the teacher's folded distributions, or nothing.
        hops: the teacher's hidden hops ``[N, d_l]``, where layers are matched.
        propagation: how ``inputs`` came from the features; goes into the bundle.
        scale: ``N / B`` of a batch, 1 for all rows.
        shard: which rows of a batch these are, where several processes share it; ``scale`` is the batch's then.
    """

    inputs: Inputs
    labels: Tensor
    label_weight: Tensor
    soft: SoftTargets | None = None
    hops: list[Tensor] = field(default_factory=list)
    propagation: Propagation = field(default_factory=Propagation)
    scale: float = 1.0
    shard: Shard | None = None

    @property
    def num_rows(self) -> int:
        """``N`` of the whole, ``B`` of a batch."""
        return self.labels.numel()

    @cached_property
    def labelled(self) -> Tensor:
        """``[n]`` int64, the rows whose label is read: found once, since a GPU would have to be waited for."""
        return self.label_weight.nonzero().reshape(-1)

    def select(self, index: Tensor) -> Targets:
        """The batch of rows ``index [B]``; its loss times ``N / B`` estimates the loss over all rows."""
        inputs = select_rows(self.inputs, index.to(self.inputs.device))
        return self.batch(inputs, lambda table: table.index_select(0, index.to(table.device)), index.numel())

    def batch(self, inputs: Inputs, rows: Callable[[Tensor], Tensor], count: int) -> Targets:
        """The batch of any ``B`` rows; those in half precision become float32, which students compute in.

        Args:
            inputs: these rows of the inputs.
            rows: a table ``[N, …]`` of the targets → these rows of it, ``[B, …]``.
            count: ``B``.
        """

        def taken(table: Tensor) -> Tensor:
            return at_least_single(rows(table))

        soft = self.soft
        if soft is not None:
            soft = replace(soft, table=taken(soft.table), row_weight=taken(soft.row_weight))
        return replace(
            self,
            inputs=inputs if isinstance(inputs, Factored) else at_least_single(inputs),
            labels=rows(self.labels),
            label_weight=taken(self.label_weight),
            soft=soft,
            hops=[taken(hop) for hop in self.hops],
            scale=self.scale * self.num_rows / max(count, 1),
        )

    def as_shard(self, shard: Shard, scale: float) -> Targets:
        """These rows as a part of a batch of that scale: the losses of all parts add up to the batch's."""
        soft = self.soft
        if soft is not None:
            soft = replace(soft, constant=soft.constant * self.num_rows / shard.total)
        return replace(self, soft=soft, scale=scale, shard=shard)

    def with_hops(self, hops: list[Tensor]) -> Targets:
        """The same targets with the teacher's hidden hops to match."""
        return replace(self, hops=hops)

    def without_idle_rows(self) -> Targets:
        """Drops rows that no term reads: all but the labelled ones where nothing is distilled."""
        if self.soft is not None or self.hops:
            return self
        return replace(self.select(self.labelled), scale=1.0)

    def label_loss(self, logits: Tensor) -> Tensor:
        """``Σ_v a_v CE(z_v, y_v)`` over the rows with ``a_v ≠ 0``; ``logits [B, C]`` → a scalar."""
        rows = self.labelled
        losses = F.cross_entropy(logits.index_select(0, rows), self.labels[rows], reduction="none")
        return self.scale * (self.label_weight[rows].to(losses.dtype) * losses).sum()


def mean_over(nodes: Tensor, num_nodes: int, weight: Tensor | None = None) -> Tensor:
    """Label weights ``[N]`` float64 of a mean over ``nodes [n]``, each term times ``weight [N]``."""
    result = torch.zeros(num_nodes, dtype=torch.float64, device=nodes.device)
    result[nodes] = (1.0 if weight is None else weight[nodes].double()) / nodes.numel()
    return result
