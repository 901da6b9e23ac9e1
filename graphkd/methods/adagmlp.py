"""AdaGMLP: several students, each of which is given what the ones before it found hard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.methods.alignment import labelled_alignment
from graphkd.methods.base import Method, Student
from graphkd.methods.boosting import boosted, dealt
from graphkd.methods.divergence import kl
from graphkd.methods.targets import TEACHER, Targets, mean_over
from graphkd.ranges import check_above_zero, check_counts, check_fractions, check_shares
from graphkd.students.ensemble import MOST_MEMBERS, Ensemble
from graphkd.students.mlp import MLP

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class AdaGMLP(Method):
    """``mean_k [lam · CE_k + (1 − lam) · Σ_i w_i KL(q_i ‖ p_i^k)] + L_align`` of ``K`` students in turn.

    ``CE_k`` is the mean over the labelled nodes of student ``k``, a random ``K``-th of them. Node weights ``w``
    sum to 1 and outlive a step: ``boosted`` by ``KL(softmax(t_i) ‖ softmax(z_i^k))`` after each student, which
    gets a coefficient ``a_k``. Together they answer ``Σ_k (a_k / Σ a) softmax(z^k)``: an ``Ensemble`` is shipped.

    ``L_align`` is ``align · MSE(log p, log p') + (1 − align) · mean_l MSE(h_l, h_l')``, mean over students, of
    labelled rows and a copy of which a share ``mask`` of the entries is zero.

    In batches the weights of a batch's rows move. A step costs ``K`` forward and backward passes, and those of the
    masked rows. No factor τ². Defaults are the published Cora cell's (SAGE, transductive, 64 hidden units).

    Source: Lu et al., AdaGMLP: AdaBoosting GNN-to-MLP Knowledge Distillation, KDD 2024

    Args:
        lam: share of the labels.
        tau: temperature.
        members: ``K``.
        beta: how fast a divergence counts as an error.
        mask: share of entries that the copy lacks, in [0, 1); 0 leaves ``L_align`` out.
        align: share of the answers in ``L_align``, in [0, 1].

    >>> AdaGMLP(members=3).ships, AdaGMLP().folds_teacher
    ('ensemble', False)
    """

    name = "adagmlp"
    folds_teacher = False
    ships = "ensemble"
    step_cost = "K N C"
    node_weight: Tensor
    member_of: Tensor

    def __init__(
        self,
        lam: float = 0.5,
        tau: float = 0.9,
        members: int = 2,
        beta: float = 4.0,
        mask: float = 0.0,
        align: float = 0.0,
    ) -> None:
        super().__init__(lam, tau)
        check_counts("method", 1, MOST_MEMBERS, members=members)
        check_above_zero("method", beta=beta)
        check_shares("method", mask=mask)
        check_fractions("method", align=align)
        self.members, self.beta, self.mask, self.align = int(members), beta, mask, align

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, the teacher's logits and the number of every row."""
        rows = torch.arange(graph.num_nodes, device=graph.y.device)
        weight = mean_over(graph.train, graph.num_nodes)
        return Targets(graph.inputs, graph.y, weight, tables={TEACHER: teacher.logits, "row": rows})

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the ensemble, and registers node weights and who reads which label."""
        ensemble = Ensemble.of(make, self.members)
        if not isinstance(ensemble.members[0], MLP):
            raise GraphKDError("method=adagmlp builds its own ensemble of MLPs: use student=mlp")
        self._ensemble = [ensemble]  # in a list: its parameters are the student's alone
        self.register_buffer("node_weight", torch.full_like(targets.label_weight.double(), 1.0 / targets.num_rows))
        self.register_buffer("member_of", dealt(targets.labelled, targets.num_rows, self.members))
        return ensemble

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``soft`` and, where rows are masked, ``align``."""
        outputs = student(batch.inputs).members
        rows, coefficients, labels, softs = batch.tables["row"], [], [], []
        teacher = batch.tables[TEACHER]
        # Of the teacher once, for all students: a softmax of few classes takes as long as a hundred sums.
        log_q, exact = F.log_softmax(teacher / self.tau, dim=1), F.log_softmax(teacher.double(), dim=1)
        for k, output in enumerate(outputs):
            logits = batch.soft_logits(output.logits)
            divergence = kl(log_q, logits, self.tau)
            softs.append(batch.scale * (self.node_weight[rows].to(divergence.dtype) * divergence).sum())
            labels.append(self._label_loss(k, output.logits, batch))
            coefficients.append(self._reweight(rows, exact, logits.detach()))
        self._ensemble[0].alpha.copy_(torch.stack(coefficients) / torch.stack(coefficients).sum())
        terms = self.weighted(torch.stack(labels).mean(), soft=torch.stack(softs).mean())
        if self.mask == 0:
            return terms
        align = labelled_alignment(student, batch, outputs, self.mask, self.align, (self.member_of >= 0).sum())
        return {**terms, "align": align, "loss": terms["loss"] + align}

    def _label_loss(self, k: int, logits: Tensor, batch: Targets) -> Tensor:
        mine = (self.member_of[batch.tables["row"]] == k).nonzero().reshape(-1)
        total = (self.member_of == k).sum().clamp_min(1)
        losses = batch.cross_entropy(logits[mine], batch.labels[mine], reduction="sum")
        return batch.scale * losses / total

    @torch.no_grad()
    def _reweight(self, rows: Tensor, log_q: Tensor, logits: Tensor) -> Tensor:
        """Moves the weights of these rows; returns the student's coefficient ``a_k``."""
        divergence = kl(log_q, logits.double(), 1.0)
        self.node_weight[rows], coefficient = boosted(self.node_weight[rows], divergence, self.beta)
        self.node_weight.div_(self.node_weight.sum())
        return coefficient
