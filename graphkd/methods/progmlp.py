"""ProGMLP: students in sequence, each of which starts where the one before it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.epoch import Epoch, Phase
from graphkd.methods.fold import node_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_at_most, check_counts, check_sizes
from graphkd.sparse import Factored, select_rows
from graphkd.students.ensemble import MOST_MEMBERS
from graphkd.students.mlp import MLP
from graphkd.students.progressive import Progressive

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput

TARGET, RATE, WIDEST = 0.1, 0.1, 0.5
"""The loss at which the mixing range stays, the rate of the loss's moving average, and the widest range."""


class ProgMLP(Method):
    """``k^beta · [lam · CE + (1 − lam) · KL(softmax(t/tau) ‖ softmax(z^k/tau))] + L_mix`` of student ``k``.

    Student ``k`` reads ``[x ‖ h_{k−1}]``, where ``h_{k−1}`` is the last hidden layer of the one before, which is
    frozen by then; it starts from that one's weights, except those that read ``h``. Each of the ``members`` has a
    phase of ``training.max_epochs``, stopped by the validation score of the students so far. Together they answer
    as ``graphkd.students.Progressive``: rows stop at the first student whose confidence reaches ``threshold``.

    ``L_mix`` is the mean over labelled nodes ``i`` of ``(1 − u) CE(z', y_i) + u CE(z', y_j)``, where ``z'`` are
    the logits of ``(1 − u) x_i + u x_j``, ``j`` is the partner of ``i`` in a drawn permutation, ``u`` uniform
    on ``[0, r_k]``. The range moves between students, ``r_k = clip(r_{k−1} + gamma · (l − 0.1), 0, 0.5)``; ``l``
    starts at 0.1 and is the moving average, at a rate of 0.1 per step, of the loss in brackets.

    A step costs the forward passes of the frozen students, and a pass of the labelled rows for ``L_mix``. There is
    no released code; ``r_0``, ``gamma``, ``beta`` and ``lam`` of the published tables are unknown.

    Source: ProGMLP: A Progressive Framework for GNN-to-MLP Knowledge Distillation with Efficient Trade-offs,
        AAAI 2026, arXiv 2507.19031

    Args:
        lam: ``a``, share of the labels.
        tau: temperature.
        members: number of students.
        beta: how much later students' losses count beside ``L_mix``.
        mixing: ``r_0``, in [0, 0.5].
        gamma: how fast the mixing range moves.
        threshold: confidence from which a row stops, in (0, 1]; 1 computes all students.

    >>> method = ProgMLP(members=3, threshold=0.9)
    >>> method.ships, [phase.name for phase in method.phases()]
    ('progressive', ['student1', 'student2', 'student3'])
    """

    name = "progmlp"
    ships = "progressive"
    step_cost = "K N D d"
    mixing_range: Tensor
    average_loss: Tensor

    def __init__(
        self,
        lam: float = 0.1,
        tau: float = 1.0,
        members: int = 3,
        beta: float = 1.0,
        mixing: float = 0.1,
        gamma: float = 0.1,
        threshold: float = 1.0,
    ) -> None:
        super().__init__(lam, tau)
        check_counts("method", 1, MOST_MEMBERS, members=members)
        check_sizes("method", gamma=gamma, beta=beta)
        check_at_most("method", WIDEST, mixing=mixing)
        check_above_zero("method", 1.0, threshold=threshold)
        self.members, self.beta, self.mixing = int(members), beta, mixing
        self.gamma, self.threshold = gamma, threshold

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, labels and the teacher's distributions, as GLNN's."""
        weight = mean_over(graph.train, graph.num_nodes)
        return Targets(graph.inputs, graph.y, weight, soft=node_targets(teacher.logits, self.tau))

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the sequence, and registers the mixing range and the average loss."""
        members = [make() for _ in range(self.members)]
        if not isinstance(members[0], MLP):
            raise GraphKDError("method=progmlp builds its own sequence of MLPs: use student=mlp")
        student = Progressive.of(iter(members).__next__, self.members, self.threshold)
        self._sequence = [student]  # in a list: its parameters are the student's alone
        self.register_buffer("mixing_range", torch.tensor(self.mixing, dtype=torch.float64))
        self.register_buffer("average_loss", torch.tensor(TARGET, dtype=torch.float64))
        return student

    def phases(self) -> tuple[Phase, ...]:
        """Returns a phase for each student."""
        numbers = range(self.members)
        return tuple(Phase(f"student{k + 1}", "stage_step", "stage_groups", arguments=(k,)) for k in numbers)

    def stage_groups(self, student: nn.Module, lr: float, k: int) -> list[dict[str, Any]]:
        """Returns the weights of student ``k``, counted from 0."""
        assert isinstance(student, Progressive)
        carries = student.carries[k - 1].parameters() if k else ()
        return [{"params": [*student.members[k].parameters(), *carries], "lr": lr}]

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Starts a student from the weights of the one before, and moves the mixing range."""
        (k,), (student,) = epoch.phase.arguments, self._sequence
        student.train_stage(k)
        if epoch.number == 0 and k > 0:
            student.members[k].load_state_dict(student.members[k - 1].state_dict())
            self.mixing_range.add_(self.gamma * (self.average_loss - TARGET)).clamp_(0, WIDEST)

    def stage_step(self, student: Student, batch: Targets, k: int) -> dict[str, Tensor]:
        """Returns the loss of student ``k``, with terms ``label``, ``soft`` and ``mixed``."""
        assert batch.soft is not None
        self._sequence[0].train_stage(k)
        logits = student(batch.inputs).members[-1].logits
        label, soft = batch.label_loss(logits), batch.soft.loss(logits, batch.scale)
        own = self.lam * label + (1 - self.lam) * soft
        self.average_loss.lerp_(own.detach().double(), RATE)
        mixed = self._mixed_loss(student, batch, logits)
        return {"loss": (k + 1) ** self.beta * own + mixed, "label": label, "soft": soft, "mixed": mixed}

    def _mixed_loss(self, student: Student, batch: Targets, logits: Tensor) -> Tensor:
        rows = batch.labelled
        if rows.numel() == 0:
            return logits.new_zeros(())
        assert not isinstance(batch.inputs, Factored)  # a step of its own gets a table
        inputs = select_rows(batch.inputs, rows)
        x = inputs if isinstance(inputs, Tensor) else inputs.to_dense()
        partner = torch.randperm(rows.numel(), device=x.device)
        u = self.mixing_range.to(x.dtype) * torch.rand(rows.numel(), dtype=x.dtype, device=x.device)
        z = student(x.lerp(x[partner], u.unsqueeze(1))).members[-1].logits
        y = batch.labels[rows]
        losses = (batch.cross_entropy(z, target) for target in (y, y[partner]))
        own, others = losses
        weight = batch.label_weight[rows].to(own.dtype)
        return batch.scale * (weight * own.lerp(others, u.to(own.dtype))).sum()
