"""InfGraND: the teacher's distributions at neighbours, weighted by influence, on propagated features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from graphkd.checks import LARGEST, is_real
from graphkd.encoders import Encoder, Propagated, Raw
from graphkd.errors import GraphKDError
from graphkd.influence._similarities import SELF_LOOPS
from graphkd.methods.base import ANY, Method
from graphkd.methods.fold import edge_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_choice, check_counts
from graphkd.sparse import SparseMatrix, check_pooling

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class InfGraND(Method):
    """``lam · L_s + (1 − lam) · L_d`` on ``X̃ = POOL({X, ÃX, …, Ã^P X})``, by default their mean.

    ``L_s = mean_{v labelled} (δ1 + δ2 I_v) CE(z_v, y_v)``. With ``w_j = γ1 + γ2 I_j`` and ``A°`` the
    graph with one self-loop per node, ``L_d`` is

    - ``variant=paper``: the mean over nodes ``i`` of the mean over ``j`` in the closed neighbourhood of
      ``i`` of ``w_j KL(q_j ‖ p_i)``; Ã over A + I;
    - ``variant=reference`` (the released code): the mean of the same over all edges of ``A°``, so hubs
      count more; Ã over A + 2I. Where nodes are hidden, the influence is still the full graph's.

    A node learns from the senders of its incoming edges. No factor τ². Defaults are those published for Cora
    (SAGE, transductive).

    Source: Eskandari et al., InfGraND: An Influence-Guided GNN-to-MLP Knowledge Distillation, TMLR 2026

    Args:
        variant: ``paper`` or ``reference``.
        lam: share of the labels.
        tau: temperature.
        delta1: ``δ1``, the weight of a label.
        delta2: ``δ2``, what influence adds to it.
        gamma1: ``γ1``, the weight of a soft label.
        gamma2: ``γ2``, what influence adds to it.
        hops: ``P`` of its own encoder, which another ``encoder`` replaces; 0 leaves the features unchanged.
        kl: ``forward`` is KL(teacher ‖ student), as released; ``reverse`` the other direction.
        pooling: of the hops: ``mean``, ``max``, ``min``, or ``concat``, which widens the student's first layer to
            ``(P + 1) D``.

    Raises:
        GraphKDError: a setting outside its range.

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> method = InfGraND(hops=2, pooling="concat")
    >>> method.encoder().reads, method.encoder().width(8)
    ('neighbours', 24)
    >>> method.prepare(small_graph(), TeacherOutput(torch.zeros(60, 3))).soft.table.shape
    torch.Size([60, 3])
    """

    name = "infgrand"
    tasks = ANY
    influence = "infgrand"
    folds_edges = True

    def __init__(
        self,
        variant: str = "paper",
        lam: float = 0.5,
        tau: float = 1.3,
        delta1: float = 0.8,
        delta2: float = 0.1,
        gamma1: float = 1.0,
        gamma2: float = 0.4,
        hops: int = 2,
        kl: str = "forward",
        pooling: str = "mean",
    ) -> None:
        super().__init__(lam, tau)
        for key, value in {"delta1": delta1, "delta2": delta2, "gamma1": gamma1, "gamma2": gamma2}.items():
            if not (is_real(value) and 0 <= value <= LARGEST):
                raise GraphKDError(f"method.{key} is {value}: it must be a finite number, 0 or more")
        check_choice("method", tuple(SELF_LOOPS), variant=variant)
        check_choice("method", ("forward", "reverse"), kl=kl)
        check_counts("method", 0, hops=hops)
        check_pooling(pooling)
        self.variant, self.kl, self.hops, self.pooling = variant, kl, int(hops), pooling
        self.influence_of_full_graph = variant == "reference"
        self.delta1, self.delta2, self.gamma1, self.gamma2 = delta1, delta2, gamma1, gamma2

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Multiplies the graph with the teacher's distributions, once."""
        influence = graph.influence
        if influence is None:
            influence = torch.zeros(graph.num_nodes, device=graph.y.device)
        pattern, share = self._shares(graph)
        weight = self.gamma1 + self.gamma2 * influence.double()
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes, self.delta1 + self.delta2 * influence),
            soft=edge_targets(
                teacher.logits, pattern, self.tau, self.kl == "reverse", share, weight, task=graph.task
            ),
        )

    def encoder(self) -> Encoder:
        """Returns ``P`` hops over A + I, or A + 2I with ``variant=reference``."""
        return Propagated(self.hops, SELF_LOOPS[self.variant], self.pooling) if self.hops else Raw()

    def _shares(self, graph: Graph) -> tuple[SparseMatrix, torch.Tensor]:
        """Returns the edges ``N × N``, self-loops included, and the weight of a receiver's KL terms ``[N]``."""
        pattern = graph.adj.structure(self_loops=1)
        if self.variant == "reference":
            return pattern, torch.full_like(pattern.rowptr[1:], 1.0 / pattern.nnz, dtype=torch.float64)
        return pattern, 1.0 / (pattern.rowptr.diff().double() * graph.num_nodes)
