"""KRD: neighbours' teachers, of which reliable ones are drawn more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.methods.base import Method
from graphkd.methods.fold import edge_targets, mean_of
from graphkd.methods.power_fit import fitted_power
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_counts, check_fractions

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from graphkd.datasets import Graph
    from graphkd.methods.epoch import Epoch
    from graphkd.teachers import TeacherOutput


class KRD(Method):
    """``lam · mean_{v labelled} CE(z_v, y_v) + (1 − lam) · mean_{(i, j) drawn} KL(q_j ‖ p_i)``.

    An edge of ``A°``, the graph with a self-loop per node, is drawn before every epoch with probability
    ``1 − ρ_j^α`` of its sender; self-loops always are, and all edges in the first ``warmup`` epochs. ``ρ_j`` in
    [0, 1] is how far the teacher's entropy moves under noise: ``1 − I`` of the influence ``reliability``, which is
    the paper's ``ρ`` shifted and scaled so that the least of a graph is 0. The power follows the student,
    ``α ← momentum · α + (1 − momentum) · a``: ``a`` is the least-squares fit of ``1 − c_b^a`` to the share of
    nodes per bin of ``ρ`` on which student and teacher agree, scaled to [0, 1].

    The teacher's side of the loss is frozen, so that a draw is folded into one table: an epoch costs one sparse
    product more than GLNN's, ``2 |A°| C`` operations, and a forward pass of the student. No factor τ². Defaults
    are the published Cora cell's (SAGE, transductive).

    Source: Wu et al., Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs, ICML 2023

    Args:
        lam: share of the labels.
        tau: temperature.
        power: ``α`` at the start.
        momentum: of ``α``, in [0, 1].
        bins: of ``ρ``, over [0, 1].
        warmup: epochs with all edges.

    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> method = KRD(lam=0.3)
    >>> targets = method.prepare(small_graph(), TeacherOutput(torch.zeros(60, 3)))
    >>> method.influence, method.moves_targets, targets.soft.table.shape
    ('reliability', True, torch.Size([60, 3]))
    """

    name = "krd"
    influence = "reliability"
    folds_edges = True
    power_now: Tensor

    def __init__(
        self,
        lam: float = 0.3,
        tau: float = 1.1,
        power: float = 1.0,
        momentum: float = 0.99,
        bins: int = 50,
        warmup: int = 50,
    ) -> None:
        super().__init__(lam, tau)
        check_above_zero("method", 1000, power=power)
        check_fractions("method", momentum=momentum)
        check_counts("method", 2, bins=bins)
        check_counts("method", 0, warmup=warmup)
        self.power, self.momentum, self.bins, self.warmup = power, momentum, int(bins), int(warmup)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, and all edges of ``A°`` folded."""
        ones = torch.ones(graph.num_nodes, device=graph.y.device)
        reliability = ones if graph.influence is None else graph.influence
        pattern = graph.adj.structure(self_loops=1)
        weights = mean_of(pattern)
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=edge_targets(teacher.logits, weights, self.tau),
            tables={"rho": 1 - reliability.double(), "teacher_class": teacher.logits.argmax(dim=1)},
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Registers the power, which moves with the student."""
        self.register_buffer("power_now", torch.tensor(self.power, dtype=torch.float64))
        return make()

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Moves the power, and draws the edges of this epoch."""
        rho = targets.tables["rho"]
        if epoch.number > 0:
            agrees = epoch.logits().argmax(dim=1) == targets.tables["teacher_class"]
            fitted = fitted_power(rho, agrees, self.bins, float(self.power_now))
            self.power_now.mul_(self.momentum).add_((1 - self.momentum) * fitted)
        if epoch.number < self.warmup or targets.soft is None or targets.soft.fold is None:
            return
        edges = targets.soft.fold.weights
        assert edges is not None
        draw = torch.rand(edges.nnz, generator=epoch.generator("edges"), dtype=torch.float64).to(rho.device)
        kept = (draw < 1 - rho[edges.col] ** float(self.power_now)) | (edges.row == edges.col)
        targets.refold(weights=edges.with_values(kept.to(edges.value.dtype) / kept.sum().clamp_min(1)))
