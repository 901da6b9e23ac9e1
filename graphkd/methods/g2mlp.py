"""G2MLP: moments of neighbourhoods, weighted by the curvature of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from graphkd.checks import is_real
from graphkd.errors import GraphKDError
from graphkd.influence.curvature import KINDS, node_curvature
from graphkd.methods.base import Method, Student
from graphkd.methods.fold import node_targets
from graphkd.methods.moments import closed_means, moments, wasserstein
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_choice, check_sizes
from graphkd.sparse import at_least_single, select_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.students import StudentOutput
    from graphkd.teachers import TeacherOutput

PARTS = ("both", "hidden", "logits")
STEEPEST = 100.0
SMALL = 1e-8
"""Added to the value that the curvature term is divided by."""


class G2MLP(Method):
    """``mean_v KL(q_v ‖ p_v) + share · W / (sg(W) + 1e-8)``, ``sg`` no gradient.

    ``W = mean_v [β_v W_2²(h_v, h'_v) + α_v W_2²(z_v, z'_v)]`` compares last hidden layers ``h`` and logits ``z``
    of the student with the teacher's ``h'`` and ``z'``, as diagonal Gaussians with the mean and the variance over
    the closed neighbourhood of ``v``: ``W_2² = ‖m − m'‖² + ‖√(σ + ε) − √(σ' + ε)‖²``. Weights ``β_v ∝
    exp(gamma_h κ_v)`` and ``α_v ∝ exp(−gamma_z κ_v)`` have mean 1; ``κ_v`` is the mean curvature of the edges at
    ``v``, with mean 0 and variance 1 over nodes. The second term's value is always ``share``: it balances
    gradients, not values.

    The teacher's moments and the weights are constants. A step costs a sparse product of ``2 (d + C)`` columns. In
    batches, ``W`` of a batch divides. Left out: a learned map of the teacher's hidden layer.

    Source: G2MLP, arXiv 2610.10520, 2026

    Args:
        share: weight of the curvature term, which is its value.
        gamma_h: how much hidden layers weigh in curved neighbourhoods; negative for flat ones.
        gamma_z: how much logits weigh in flat neighbourhoods; negative for curved ones.
        parts: what is compared: ``both``, ``hidden`` or ``logits``.
        curvature: ``ollivier``, exact, for graphs of up to 50,000 edges; or ``forman``, by degrees and triangles.
        transform: ``student`` for a learned linear map and ReLU on its hidden layer before moments, or ``none``.

    >>> G2MLP(share=0.2, curvature="forman").facts()
    ('teacher', 'student reads x', 'edges in each step', 'loss E d')
    """

    name = "g2mlp"
    live_edges = True
    ratio_of_sums = True
    step_cost = "E d"

    def __init__(
        self,
        share: float = 0.1,
        gamma_h: float = 1.0,
        gamma_z: float = 1.0,
        parts: str = "both",
        curvature: str = "ollivier",
        transform: str = "none",
    ) -> None:
        super().__init__(lam=0.0, tau=1.0)
        check_sizes("method", share=share)
        for key, value in (("gamma_h", gamma_h), ("gamma_z", gamma_z)):
            if not (is_real(value) and abs(value) <= STEEPEST):
                raise GraphKDError(
                    f"method.{key} is {value}: it must be a number from −{STEEPEST:g} to {STEEPEST:g}"
                )
        check_choice("method", PARTS, parts=parts)
        check_choice("method", KINDS, curvature=curvature)
        check_choice("method", ("none", "student"), transform=transform)
        if transform == "student" and parts == "logits":
            raise GraphKDError("method.transform=student maps a hidden layer, which parts=logits leaves out")
        self.share, self.gamma_h, self.gamma_z = share, gamma_h, gamma_z
        self.parts, self.curvature, self.transform = parts, curvature, transform

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, soft targets, closed neighbourhoods, the teacher's moments and the weights."""
        if self.parts != "logits" and len(teacher.hops) < 2:
            raise GraphKDError(
                "method=g2mlp reads the teacher's last hidden layer, which it does not have: give a teacher of "
                "two layers or more, or set method.parts=logits"
            )
        curved = node_curvature(graph.adj, self.curvature)
        means, tables = closed_means(graph.adj), dict[str, Tensor]()
        for name, table, power in (
            ("hidden", teacher.hops[-2] if self.parts != "logits" else None, self.gamma_h),
            ("logits", teacher.logits if self.parts != "hidden" else None, -self.gamma_z),
        ):
            if table is not None:
                mean, deviation = moments(means, table.double())
                tables |= {f"{name}_mean": mean.to(table.dtype), f"{name}_deviation": deviation.to(table.dtype)}
                tables[f"{name}_weight"] = torch.softmax(power * curved, dim=0)  # mean 1, over N
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau),
            tables=tables,
            edges=means.to(torch.float32),
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers the map of its hidden layer."""
        student = make()
        self.map: nn.Module = nn.Identity()
        if self.parts == "logits":
            return student
        width = _hidden_width(student, targets)
        expected = targets.tables["hidden_mean"].shape[1]
        if width != expected:
            raise GraphKDError(
                f"method=g2mlp compares last hidden layers, of {width} units in the student and {expected} in the "
                "teacher: give both the same hidden_dim, or set method.parts=logits"
            )
        if self.transform == "student":
            self.map = nn.Sequential(nn.Linear(width, width), nn.ReLU())
            self.to(targets.labels.device)
        return student

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``soft`` and ``moments``, which is ``W``."""
        output = student(batch.inputs)
        assert batch.soft is not None
        soft = batch.soft.loss(batch.own_output(output).logits, batch.scale)
        distance = self.distance(output, batch)
        ratio = distance / (distance.detach() + SMALL)
        return {"loss": soft + self.share * ratio, "soft": soft, "moments": distance}

    def distance(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns ``W``."""
        assert batch.edges is not None
        total = output.logits.new_zeros(())
        rows = {"logits": batch.soft_logits(output.logits)} if self.parts != "hidden" else {}
        if self.parts != "logits":
            rows["hidden"] = self.map(output.hidden[-1])
        for name, table in rows.items():
            theirs = batch.tables[f"{name}_mean"], batch.tables[f"{name}_deviation"]
            apart = wasserstein(moments(batch.edges, table), theirs)
            total = total + (batch.tables[f"{name}_weight"].to(apart.dtype) * apart).sum()
        return batch.scale * total


def _hidden_width(student: nn.Module, targets: Targets) -> int:
    """Returns the width of the last hidden layer, 0 of a student without one."""
    device = next(student.parameters()).device
    row = select_rows(targets.inputs, torch.zeros(1, dtype=torch.int64, device=targets.inputs.device))
    with torch.no_grad():
        hidden = student.eval()(at_least_single(row).to(device)).hidden
    student.train()
    return hidden[-1].shape[1] if hidden else 0
