"""HGMD: harder nodes learn from more of their neighbours, and from easier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.base import Method
from graphkd.methods.fold import edge_targets, mean_of
from graphkd.methods.mixup import mixup_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_choice
from graphkd.sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from graphkd.datasets import Graph
    from graphkd.methods.epoch import Epoch
    from graphkd.teachers import TeacherOutput

MODES = ("mixup", "weight")

DECAY = 100.0
"""By which ``alpha`` is divided in the last epoch."""


class HGMD(Method):
    """``lam · mean_{v labelled} CE(z_v, y_v) + (1 − lam) · L``, ``L`` over a subgraph drawn before every epoch.

    An edge of ``A`` is drawn with probability ``p_ij = 1 − exp(−α_e cos(q_i, q_j) √(h_i g_i) / h_j)``, where ``i``
    is the student's node: ``h`` and ``g`` are the entropies of teacher and student, each divided by its largest,
    ``q`` the teacher's distributions at temperature 1, and ``α_e = alpha · 100^(−e / (E − 1))`` in epoch ``e`` of
    ``E``. Self-loops are always drawn, with ``p_ii = 1``, and in the first epoch all edges, with ``p_ij = 1``.

    - ``mode=mixup``: ``L = mean_{(i, j)} KL((1 − m_ij) q_i + m_ij q_j ‖ p_i)``, ``m_ij = p_ij b_ij`` with ``b_ij``
      drawn from ``Beta(beta, beta)``;
    - ``mode=weight``: ``L = mean_{(i, j)} w_ij KL(q_j ‖ p_i)``, ``w_ij = n_i c_ij / Σ_j c_ij`` with
      ``c_ij = cos(q_i, q_j) p_ij`` and ``n_i`` drawn edges of ``i``.

    The teacher's side is frozen, so that a draw is folded into one table: an epoch costs a forward pass of the
    student and a sparse product, ``|A| C``, more than GLNN's; with ``mixup`` also the entropy of every mixed
    target, for the value that is logged. No factor τ². Defaults are the published Cora cell's (GCN teacher,
    transductive). Left out of the released code: 1e−6 that is added to targets outside of Planetoid.

    Source: Wu et al., Teach Harder, Learn Poorer: Rethinking Hard Sample Distillation for GNN-to-MLP Knowledge
        Distillation (HGMD), CIKM 2024

    Args:
        lam: share of the labels.
        tau: temperature of ``L``.
        alpha: factor of the exponent in the first epoch; a larger one draws more edges.
        beta: both parameters of the distribution of ``b``, with ``mode=mixup``.
        mode: ``mixup`` or ``weight``.

    Raises:
        GraphKDError: a setting outside its range.

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> method = HGMD(mode="weight")
    >>> targets = method.prepare(small_graph(), TeacherOutput(torch.zeros(60, 3)))
    >>> method.moves_targets, targets.edges is None, targets.soft.table.shape
    (True, True, torch.Size([60, 3]))
    """

    name = "hgmd"
    folds_edges = True

    def __init__(
        self, lam: float = 0.1, tau: float = 0.9, alpha: float = 5.0, beta: float = 0.3, mode: str = "mixup"
    ) -> None:
        super().__init__(lam, tau)
        check_above_zero("method", alpha=alpha, beta=beta)
        check_choice("method", MODES, mode=mode)
        self.alpha, self.beta, self.mode = alpha, beta, mode

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, the teacher's entropies, and all edges folded until the first epoch begins."""
        pattern = graph.adj.structure(self_loops=1)
        soft = (
            mixup_targets(teacher.logits, pattern, self.tau)
            if self.mode == "mixup"
            else edge_targets(teacher.logits, mean_of(pattern), self.tau)
        )
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=soft,
            tables={"hardness": relative_entropy(teacher.logits)},
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Computes the cosines of all edges, which stay."""
        assert targets.soft is not None
        fold = targets.soft.fold
        assert fold is not None
        assert fold.weights is not None
        self._cosines = fold.weights.with_values(_cosines(fold.weights, fold.logits))
        return make()

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Draws the edges of this epoch."""
        chance = self._probabilities(epoch, targets.tables["hardness"])
        draw = torch.rand(chance.numel(), generator=epoch.generator("edges"), dtype=torch.float64)
        kept = draw.to(chance.device) < chance
        subgraph, chance = self._cosines.filter(kept), chance[kept]
        value = self._shares(epoch, chance) if self.mode == "mixup" else _weights(subgraph, chance)
        targets.refold(weights=subgraph.with_values(value))

    def _probabilities(self, epoch: Epoch, hardness: Tensor) -> Tensor:
        """Computes ``p [E]`` float64 of all edges and self-loops."""
        row, col, cosine = self._cosines.row, self._cosines.col, self._cosines.value
        if epoch.number == 0:
            return torch.ones_like(cosine)
        alpha = self.alpha * DECAY ** (-epoch.number / max(epoch.total - 1, 1))
        student = relative_entropy(epoch.logits()).to(hardness.device)
        exponent = cosine * (hardness * student).sqrt()[row] / hardness[col]
        return (-torch.expm1(-alpha * exponent)).masked_fill(row == col, 1.0)

    def _shares(self, epoch: Epoch, chance: Tensor) -> Tensor:
        """Draws ``m [e]`` of the subgraph's edges."""
        numbers = np.random.default_rng(epoch.generator("mixup").initial_seed())
        return torch.from_numpy(numbers.beta(self.beta, self.beta, chance.numel())).to(chance.device) * chance


def relative_entropy(logits: Tensor) -> Tensor:
    """Returns the entropies of ``softmax(logits)`` divided by the largest, ``[N]`` float64; 1e−8 in place of 0.

    Args:
        logits: ``[N, C]``.
    """
    log_p = F.log_softmax(logits.double(), dim=1)
    entropy = -(log_p.exp() * log_p).sum(dim=1)
    relative = entropy / entropy.max().clamp_min(1e-300)
    return relative.masked_fill(relative <= 0, 1e-8)


def _cosines(edges: SparseMatrix, logits: Tensor) -> Tensor:
    """Computes ``cos(q_i, q_j)`` of every edge, ``[E]`` float64, one class at a time."""
    unit = F.normalize(torch.softmax(logits.double(), dim=1), dim=1).to(edges.device)
    row, col, total = edges.row, edges.col, edges.value.new_zeros(edges.nnz, dtype=torch.float64)
    for column in unit.t().contiguous():
        total.addcmul_(column[row], column[col])
    return total


def _weights(subgraph: SparseMatrix, chance: Tensor) -> Tensor:
    """Computes ``w / e`` of the subgraph's ``e`` edges, ``[e]``."""
    strength = subgraph.with_values(subgraph.value * chance)
    factor = subgraph.rowptr.diff() / strength.sum(dim=1)
    return strength.scale(rows=factor).value / max(subgraph.nnz, 1)
