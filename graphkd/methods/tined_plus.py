"""TINED+: TINED with NOSMOG's positions, similarities of nodes and adversarial inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from graphkd.encoders import Encoder
from graphkd.methods.base import Student
from graphkd.methods.nosmog import NOSMOG
from graphkd.methods.targets import Targets
from graphkd.methods.tined import TINED
from graphkd.sparse import Factored, select_rows
from graphkd.students.mlp import MLP

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class _Parts(NOSMOG):
    """NOSMOG, whose terms are added and whose messages have the other's name."""

    name = "tined_plus"


class TINEDPlus(TINED):
    """TINED's loss ``+ gram · L_gram + adversarial · L_adv`` on ``[x_v ‖ position of v]``: see ``NOSMOG``.

    The hidden layer that ``L_gram`` compares with the teacher's last one is that after the two linear layers which
    stand for this hop, of the same width. Defaults are the published Cora cell's (SAGE, transductive).

    Source: Zhou et al., TINED: GNNs-to-MLPs by Teacher Injection and Dirichlet Energy Distillation, ICML 2025

    Args:
        lam: share of the labels.
        tau: temperature.
        beta: weight of the energies.
        ratio: ``log`` or ``sqrt``.
        edges: share of the edges that a step reads, drawn anew in every step.
        lr_ratio: learning rate of copied layers, in terms of ``training.lr``.
        init: of propagations, ``identity`` or ``random``.
        gram: weight of ``L_gram``; 0 leaves it out.
        adversarial: weight of ``L_adv``; 0 leaves it out.
        epsilon: largest absolute entry of the perturbation, in the unit of the inputs.
        steps: of the ascent.

    >>> TINEDPlus().encoder().reads, TINED().encoder().reads
    ('x and positions', 'x')
    """

    name = "tined_plus"
    step_cost = "N D d + N d^2 + E d"

    def __init__(
        self,
        lam: float = 0.0,
        tau: float = 1.0,
        beta: float = 5e-5,
        ratio: str = "sqrt",
        edges: float = 0.01,
        lr_ratio: float = 0.1,
        init: str = "identity",
        gram: float = 0.001,
        adversarial: float = 0.1,
        epsilon: float = 0.1,
        steps: int = 5,
    ) -> None:
        super().__init__(lam, tau, beta, ratio, edges, lr_ratio, init)
        self.gram, self.adversarial, self.epsilon, self.steps = gram, adversarial, epsilon, steps
        self.nosmog = _Parts(lam, tau, gram, adversarial, epsilon, steps)

    def encoder(self) -> Encoder:
        """Returns that of NOSMOG: positions beside raw features."""
        return self.nosmog.encoder()

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns the targets of TINED, and the tables of NOSMOG."""
        targets = super().prepare(graph, teacher)
        return replace(targets, tables={**targets.tables, **self.nosmog.prepare(graph, teacher).tables})

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student of TINED, and registers NOSMOG's head."""
        student = super().build(make, targets, teacher)
        assert isinstance(student, MLP)
        if self.gram > 0:
            assert student.hidden_dims is not None
            self.nosmog.add_head(student.hidden_dims[-2], student.dropout, targets)
        return student

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with the terms of both."""
        output = student(batch.inputs)
        hidden = batch.own_output(output).hidden[:-1]  # the last one is amid the teacher's last layer
        return self.nosmog.with_terms(self.terms(output, batch), hidden, student, _own_rows(batch))


def _own_rows(batch: Targets) -> Targets:
    """Returns a batch whose inputs are those of its own rows alone."""
    if batch.own is None:
        return batch
    assert not isinstance(batch.inputs, Factored)
    return replace(
        batch, inputs=select_rows(batch.inputs, batch.own.to(batch.inputs.device)), edges=None, own=None
    )
