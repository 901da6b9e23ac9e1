"""NOSMOG: positions beside the features, the teacher's similarities of nodes, and adversarial inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from graphkd.encoders import Encoder, Positions
from graphkd.errors import GraphKDError
from graphkd.matching.gram import gram
from graphkd.methods.adversarial import dense_rows, perturbed
from graphkd.methods.base import Method, Student
from graphkd.methods.fold import node_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_counts, check_sizes
from graphkd.sparse import at_least_single, select_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput

HIDDEN = "teacher_hidden"
"""Name of the table with the teacher's last hidden layer."""


class NOSMOG(Method):
    """``lam · CE + (1 − lam) · KL + gram · L_gram + adversarial · L_adv`` on ``u_v = [x_v ‖ position of v]``.

    ``CE`` is the mean over labelled nodes, ``KL = mean_v KL(q_v ‖ p_v)`` that over all. With the teacher's last
    hidden layer ``h_v`` and ``r_v = Dropout(ReLU(W s_v + b))`` of the student's, ``s_v``,
    ``L_gram = mean_{i, j} (h_i·h_j − r_i·r_j)²``: in a batch over its pairs, as published, and always by matrices
    of widths, see ``graphkd.matching.gram``. ``L_adv`` is ``KL`` at ``u + δ``, where ``|δ| ≤ epsilon`` raises it:
    see ``graphkd.methods.adversarial``. The head ``W, b`` trains with the student and is not shipped.

    ``L_gram`` grows with the fourth power of the teacher's scale, hence published weights from 1e-9 to 0.9. The
    released code adds both terms to a pass with labels, too, whose weight is 0 in all its settings; it reads the
    teacher's hidden layer before the activation (``teacher.hops=before_activation``). A step costs ``steps + 1``
    passes through the student on dense rows. No factor τ². Defaults are the published Cora cell's (SAGE,
    transductive).

    Source: Tian et al., Learning MLPs on Graphs: A Unified View of Effectiveness, Robustness, and Efficiency
        (NOSMOG), ICLR 2023

    Args:
        lam: share of the labels; the released code uses 0.
        tau: temperature.
        gram: weight of ``L_gram``; 0 leaves it out.
        adversarial: weight of ``L_adv``; 0 leaves it out.
        epsilon: largest absolute entry of ``δ``, in the unit of the inputs.
        steps: of the ascent, each of size ``epsilon / 4``; with 0, ``δ`` is noise.

    Raises:
        GraphKDError: a setting outside its range.

    >>> NOSMOG(gram=0.0).facts()
    ('teacher', 'student reads x and positions', 'no edges in a step', 'loss N D d + N d^2')
    """

    name = "nosmog"
    step_cost = "N D d + N d^2"

    def __init__(
        self,
        lam: float = 0.0,
        tau: float = 1.0,
        gram: float = 0.1,
        adversarial: float = 0.1,
        epsilon: float = 0.04,
        steps: int = 5,
    ) -> None:
        super().__init__(lam, tau)
        check_sizes("method", gram=gram, adversarial=adversarial)
        check_above_zero("method", epsilon=epsilon)
        check_counts("method", 0, 1000, steps=steps)
        self.gram, self.adversarial, self.epsilon, self.steps = gram, adversarial, epsilon, int(steps)

    def encoder(self) -> Encoder:
        """Returns DeepWalk positions of length 64 beside raw features."""
        return Positions(kind="deepwalk", dim=64)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns the inputs, the teacher's distributions and, where it is matched, its last hidden layer."""
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau),
            tables={HIDDEN: _last_hidden(teacher, self.name)} if self.gram > 0 else {},
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers the head that maps its last hidden layer to the teacher's."""
        student = make()
        if self.gram > 0:
            self.add_head(_width(student, targets), float(getattr(student, "dropout", 0.0)), targets)
        return student

    def add_head(self, width: int, dropout: float, targets: Targets) -> None:
        """Registers the head of ``L_gram``.

        Args:
            width: of the student's hidden layer that it reads.
            dropout: probability.
            targets: with the teacher's hidden layer.
        """
        head = nn.Linear(width, targets.tables[HIDDEN].shape[1])
        self.head = nn.Sequential(head, nn.ReLU(), nn.Dropout(dropout)).to(targets.labels.device)

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``soft`` and, if weighted, ``gram`` and ``adversarial``."""
        output = student(batch.inputs)
        return self.with_terms(self.loss(output, batch), output.hidden, student, batch)

    def with_terms(
        self, terms: dict[str, Tensor], hidden: list[Tensor], student: Student, batch: Targets
    ) -> dict[str, Tensor]:
        """Returns losses with ``L_gram`` and ``L_adv``, weighted.

        Args:
            terms: ``loss`` and its parts.
            hidden: layers of the student on the batch, of which the last one is compared.
            student: on whose inputs the ascent is.
            batch: whose inputs are its own rows.
        """
        added, loss = dict[str, Tensor](), terms["loss"]
        if self.gram > 0:
            added["gram"] = gram(self.head(hidden[-1]), batch.tables[HIDDEN])
        if self.adversarial > 0:
            added["adversarial"] = self._adversarial_loss(student, batch)
        for name, term in added.items():
            loss = loss + getattr(self, name) * term
        return {**terms, **added, "loss": loss}

    def _adversarial_loss(self, student: Student, batch: Targets) -> Tensor:
        targets = batch.soft
        assert targets is not None

        def soft(inputs: Tensor) -> Tensor:
            return targets.loss(student(inputs).logits, batch.scale)

        return soft(perturbed(soft, dense_rows(batch.inputs, self.name), self.epsilon, self.steps))


def _last_hidden(teacher: TeacherOutput, method: str) -> Tensor:
    """Returns ``h [N, d_T]``."""
    if len(teacher.hops) < 2:
        raise GraphKDError(
            f"method={method} reads the teacher's last hidden layer, but the teacher has none: set "
            "teacher.num_layers to 2 or more (a given teacher: give its hops as well), or method.gram=0"
        )
    return teacher.hops[-2]


def _width(student: nn.Module, targets: Targets) -> int:
    """Returns the width of a student's last hidden layer."""
    device = next(student.parameters()).device
    first = torch.zeros(1, dtype=torch.int64, device=targets.inputs.device)
    row = at_least_single(select_rows(targets.inputs, first)).to(device)
    with torch.no_grad():
        hidden = student.eval()(row).hidden
    student.train()
    if not hidden:
        raise GraphKDError(
            "method=nosmog reads the student's last hidden layer, but the student has none: set "
            "student.num_layers to 2 or more, or method.gram=0"
        )
    width: int = hidden[-1].shape[1]
    return width
