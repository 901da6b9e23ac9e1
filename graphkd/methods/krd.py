"""KRD: neighbours' teachers, of which reliable ones are drawn more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError
from graphkd.methods.base import Method
from graphkd.methods.fold import edge_targets, mean_of
from graphkd.methods.targets import Targets, mean_over

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
        if not (is_real(power) and 0 < power <= 1000):
            raise GraphKDError(f"method.power is {power}: it must be a number above 0, 1000 at most")
        if not (is_real(momentum) and 0 <= momentum <= 1):
            raise GraphKDError(f"method.momentum is {momentum}: it must lie in [0, 1]")
        for key, value, least in (("bins", bins, 2), ("warmup", warmup, 0)):
            if not (is_count(value) and value >= least):
                raise GraphKDError(f"method.{key} is {value}: it must be a whole number, {least} or more")
        self.power, self.momentum, self.bins, self.warmup = power, momentum, int(bins), int(warmup)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, and all edges of ``A°`` folded."""
        ones = torch.ones(graph.num_nodes, device=graph.y.device)
        reliability = ones if graph.influence is None else graph.influence
        pattern = graph.adj.structure(self_loops=1)
        weights = mean_of(pattern)
        return Targets(
            inputs=graph.x,
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


def fitted_power(rho: Tensor, agrees: Tensor, bins: int, start: float) -> float:
    """Returns the ``a`` next to ``start`` with the least ``Σ_b (1 − c_b^a − r_b)²`` over the bins that hold nodes.

    Args:
        rho: ``ρ [N]`` in [0, 1].
        agrees: ``[N]``, whether student and teacher name the same class.
        bins: ``B`` of equal width; ``c_b`` is the middle of bin ``b``, and ``r_b`` the share of its nodes that
            agree, scaled so that the least is 0 and the largest 1.
        start: of the search; returned where all bins agree alike.
    """
    from scipy.optimize import least_squares

    bin_of = (rho * bins).long().clamp(0, bins - 1)
    count = torch.bincount(bin_of, minlength=bins).double()
    share = torch.bincount(bin_of, weights=agrees.double(), minlength=bins) / count
    used = count > 0
    middle = ((torch.arange(bins, dtype=torch.float64) + 0.5) / bins)[used.cpu()].numpy()
    shares = share[used].cpu().numpy()
    if shares.max() - shares.min() < 1e-12:
        return start
    scaled = (shares - shares.min()) / (shares.max() - shares.min())

    def residuals(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1 - middle ** a[0] - scaled)

    fit = least_squares(residuals, [min(max(start, 0.02), 900.0)], bounds=(0.01, 1000.0))
    return float(fit.x[0])
