"""TINED: the student's layers begin as the teacher's, and smooth as much as these do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.dirichlet import input_energies, row_energies
from graphkd.methods.fold import mean_of, node_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.methods.teacher_layers import (
    TeacherLayer,
    inject,
    layer_tables,
    operations_of,
    teacher_layers,
    widths_of,
)
from graphkd.ranges import check_above_zero, check_choice, check_fractions, check_sizes
from graphkd.students.mlp import MLP

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.sparse import SparseMatrix
    from graphkd.students import StudentOutput
    from graphkd.teachers import TeacherOutput

ENERGY, INPUT = "teacher_energy", "input_energy"
LEAST = 1e-8
"""Energy up to which rows count as equal along all edges: the operation has no ratio then."""


class TINED(Method):
    """``lam · mean_{v labelled} CE_v + (1 − lam) · mean_v KL(q_v ‖ p_v) + beta · Σ_o (r(R_o) − r(R'_o))²``.

    Each of the teacher's ``L`` layers is a feature transformation and a propagation; the student has a linear
    layer for either, in the order in which the teacher executes them, ``2 L`` in all. Transformations begin as the
    teacher's, of which extra input columns stay as they were drawn, and have ``lr_ratio`` times the learning rate;
    propagations begin as the identity, or random. ``R_o`` is the ratio of the student's Dirichlet energies after
    and before linear layer ``o``, with ``E(H) = Σ_{(i, j)} ‖h_i / sg‖h_i‖ − h_j / sg‖h_j‖‖²`` over edges; ``R'_o``
    is that of the teacher's operation, measured once. ``r(R)`` is ``½ log R``, or ``√R``. Operations without
    energy on either side are left out.

    In batches, energies are those along the edges into a batch's rows, and a ratio is that of a batch. A step
    costs a sparse product for each of ``4 L − 1`` tables. The paper alternates steps on logits and on energies;
    here a step is on their sum. Defaults are the published Cora cell's (SAGE, transductive).

    Source: Zhou et al., TINED: GNNs-to-MLPs by Teacher Injection and Dirichlet Energy Distillation, ICML 2025

    Args:
        lam: share of the labels.
        tau: temperature.
        beta: weight of the energies.
        ratio: ``log`` or ``sqrt``.
        edges: share of the edges that a step reads, drawn anew in every step.
        lr_ratio: learning rate of copied layers, in terms of ``training.lr``.
        init: of propagations, ``identity`` or ``random``.

    >>> TINED(ratio="sqrt").facts()
    ('teacher', 'student reads x', 'edges in each step', 'loss E d')
    """

    name = "tined"
    copies_teacher = True
    live_edges = True
    ratio_of_sums = True
    step_cost = "E d"
    log_ratio: Tensor
    has_ratio: Tensor

    def __init__(
        self,
        lam: float = 0.0,
        tau: float = 1.0,
        beta: float = 1.0,
        ratio: str = "log",
        edges: float = 1.0,
        lr_ratio: float = 1.0,
        init: str = "identity",
    ) -> None:
        super().__init__(lam, tau)
        check_sizes("method", beta=beta)
        check_fractions("method", edges=edges)
        check_above_zero("method", edges=edges, lr_ratio=lr_ratio)
        check_choice("method", ("log", "sqrt"), ratio=ratio)
        check_choice("method", ("identity", "random"), init=init)
        self.beta, self.ratio, self.edges, self.lr_ratio, self.init = beta, ratio, edges, lr_ratio, init

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, the edges, and each node's share of the teacher's energies and of the inputs'."""
        pattern = mean_of(graph.adj.structure(self_loops=0))
        with torch.no_grad():
            tables = [part for layer in layer_tables(teacher.model, graph, self.name) for part in layer]
            energies = torch.stack([input_energies(pattern, table) for table in tables], dim=1)
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau),
            tables={ENERGY: energies, INPUT: input_energies(pattern, graph.inputs)},
            edges=pattern.to(torch.float32),
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student with the teacher's weights, and registers the teacher's ratios."""
        layers = teacher_layers(teacher.model, self.name)
        student, operations = self._deepened(make(), layers, targets.inputs.shape[1]), operations_of(layers)
        self._copies = [part is not None for part in operations]
        for layer, part in zip(student.layers, operations, strict=True):
            assert isinstance(layer, nn.Linear)
            if part is not None:
                inject(layer, part)
            elif self.init == "identity":
                nn.init.eye_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        before, between, after = targets.tables[ENERGY].sum(dim=0).view(-1, 3).unbind(dim=1)
        into, out = torch.stack([before, between], dim=1).flatten(), torch.stack([between, after], dim=1).flatten()
        self.register_buffer("has_ratio", (into > LEAST) & (out > LEAST))
        self.register_buffer("log_ratio", torch.where(self.has_ratio, (out / into).log(), 0.0))
        return student

    def param_groups(self, student: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Returns copied layers, at ``lr_ratio`` times the rate, and all others."""
        assert isinstance(student, MLP)
        layers = [layer for layer, copies in zip(student.layers, self._copies, strict=True) if copies]
        copied = [parameter for layer in layers for parameter in layer.parameters()]
        known = {id(parameter) for parameter in copied}
        every = [*student.parameters(), *self.parameters()]
        rest = [parameter for parameter in every if id(parameter) not in known]
        return [{"params": copied, "lr": lr * self.lr_ratio}, {"params": rest, "lr": lr}]

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``soft`` and ``energy``."""
        return self.terms(student(batch.inputs), batch)

    def terms(self, output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        """Returns the same for an output on the batch's inputs."""
        logits = batch.own_output(output).logits
        assert batch.soft is not None
        terms = self.weighted(batch.label_loss(logits), soft=batch.soft.loss(logits, batch.scale))
        energy = self.energy_loss(output, batch)
        return {**terms, "energy": energy, "loss": terms["loss"] + self.beta * energy}

    def energy_loss(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns ``Σ_o (r(R_o) − r(R_o^T))²``."""
        assert batch.edges is not None
        edges = batch.edges if self.edges == 1 else _drawn(batch.edges, self.edges)
        tables = [table for layer in output.linear for table in layer]
        weight = edges.sum(dim=1)
        energies = [row_energies(edges, table, batch.own, weight).sum() for table in [*tables, output.logits]]
        energies = [batch.tables[INPUT].sum().to(energies[0].dtype), *energies]
        into, out = torch.stack(energies[::2]), torch.stack(energies[1::2])
        known = self.has_ratio & (into > LEAST) & (out > LEAST)
        log_ratio = torch.where(known, out, 1.0).log() - torch.where(known, into, 1.0).log()
        teacher = torch.where(known, self.log_ratio, 0.0).to(log_ratio.dtype)
        if self.ratio == "log":
            return ((log_ratio - teacher) / 2).square().sum()
        return ((log_ratio / 2).exp() - (teacher / 2).exp()).square().sum()

    def _deepened(self, student: nn.Module, layers: list[TeacherLayer], width: int) -> MLP:
        """Returns a student of two linear layers for each of the teacher's, with the settings of the given one."""
        if not isinstance(student, MLP):
            raise GraphKDError(f"method={self.name} copies the teacher's layers into an MLP: use student=mlp")
        theirs = [layer.weight.shape[0] for layer in layers[:-1]]
        mine = [layer.out_features for layer in student.layers if isinstance(layer, nn.Linear)][:-1]
        if mine != theirs:
            raise GraphKDError(
                f"method={self.name} copies the teacher's layers, whose hidden widths are {theirs}, and the "
                f"student's are {mine}: give both the same hidden_dim and num_layers"
            )
        if width < layers[0].weight.shape[1]:
            raise GraphKDError(
                f"method={self.name} copies the teacher's layers, which read {layers[0].weight.shape[1]} columns, "
                f"and the student's inputs have {width}: choose encoder=raw"
            )
        *hidden, classes = widths_of(layers, width)
        deep = MLP(width, num_classes=classes, dropout=student.dropout, norm=student.norm, hidden_dims=hidden).to(
            next(student.parameters()).device
        )
        deep.keeps_linear = True
        return deep


def _drawn(edges: SparseMatrix, share: float) -> SparseMatrix:
    """Returns the matrix with a share of its entries, which stand for all: divided by it."""
    kept = torch.rand(edges.nnz, device=edges.device) < share
    drawn = edges.filter(kept)
    return drawn.with_values(drawn.value / share)
