"""The distillation task: student, criterion and added terms in one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.balance import Balance, NoBalance
from graphkd.calibration import Calibration, NoCalibration
from graphkd.distributed import shard_scope
from graphkd.errors import GraphKDError
from graphkd.methods import Epoch, Method, Phase, Targets
from graphkd.sparse import Inputs
from graphkd.students import StudentOutput
from graphkd.terms import Term


class DistillationTask(nn.Module):
    """``method(student(inputs)) + Σ_t weight_t · term_t(student(inputs))``.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``.
        method: the criterion; parameters it may have train too.
        terms: that are added to the method's loss, built.
        precision: in which the student's layers are computed.
        compiled: whether they go through ``torch.compile``.
        calibration: of logits, built; what it registers trains too.
        teacher: ``[N, C]`` logits, of which a calibration that moves folds again.
        balance: of classes, built.

    Attributes:
        class_weight: ``[C]`` of the labels' cross-entropy, or None for 1.
        label_smoothing: of the labels' cross-entropy.
    """

    def __init__(
        self,
        student: nn.Module,
        method: Method,
        terms: Sequence[Term] = (),
        precision: str = "float32",
        compiled: bool = False,
        calibration: Calibration | None = None,
        teacher: Tensor | None = None,
        balance: Balance | None = None,
    ) -> None:
        super().__init__()
        self.student, self.method, self.terms = student, method, nn.ModuleList(terms)
        self.precision, self.phase = precision, Phase()
        self.calibration = calibration or NoCalibration()
        self.balance = balance or NoBalance()
        self.class_weight: Tensor | None = None
        self.label_smoothing = 0.0
        self._teacher = teacher
        # Not the module that torch.compile returns: its parameters would be there twice, under other names.
        self._run = torch.compile(student.forward) if compiled else student.forward

    @property
    def is_static(self) -> bool:
        """Whether every epoch makes the same calls to the device, and reads nothing back."""
        terms = all(term.is_static for term in self.terms)
        return self.method.is_static and terms and not self.calibration.moves_targets

    @property
    def moves_targets(self) -> bool:
        """Whether targets change between epochs."""
        return self.method.moves_targets or self.calibration.moves_targets

    @property
    def may_skip_parameters(self) -> bool:
        """Whether a step may leave some parameters unused."""
        return any(term.may_skip_parameters for term in self.terms) or len(self.method.phases()) > 1

    def training_rows(self, targets: Targets) -> Targets:
        """Returns the rows that a step reads, calibrated and balanced: all of them where a term is added."""
        rows = self.balance.attach(self.calibration.attach(targets), self.method.tau)
        if self.class_weight is not None:
            rows = replace(rows, class_weight=self.class_weight)
        if self.label_smoothing:
            rows = replace(rows, label_smoothing=self.label_smoothing)
        return rows if len(self.terms) else self.method.training_rows(rows)

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Moves what terms keep between epochs, then lets method and calibration move the targets.

        Args:
            epoch: that begins.
            targets: all rows.
        """
        with torch.no_grad():
            for term in self._active():
                term.on_epoch_start(epoch, targets)
            if self.method.moves_targets:
                self.method.on_epoch_start(epoch, targets)
            if self.calibration.moves_targets and self._teacher is not None:
                self.calibration.on_epoch_start(epoch, targets, self._teacher)

    def parameter_groups(self, lr: float) -> list[dict[str, Any]]:
        """Returns the optimiser's groups of this phase: what a term trains has a rate of its own where set.

        Args:
            lr: learning rate of the student and the method.
        """
        groups: list[dict[str, Any]] = getattr(self.method, self.phase.groups)(
            self.student, lr, *self.phase.arguments
        )
        if learned := list(self.calibration.parameters()):
            groups = [*groups, {"params": learned, "lr": lr}]
        groups = [*groups, *({"params": [*term.parameters()], "lr": term.lr or lr} for term in self._active())]
        return [group for group in groups if group["params"]]

    def forward(self, batch: Targets) -> dict[str, Tensor]:
        """Returns ``loss`` and its named terms of a batch; of a shard of one, what it adds to the batch's."""
        outputs: list[StudentOutput] = []

        def student(inputs: Inputs) -> StudentOutput:
            with self.autocast(batch.labels.device), shard_scope(batch.shard):
                output = self._run(inputs)
            outputs.append(self.single(output))
            return outputs[-1]

        terms = getattr(self.method, self.phase.step)(student, batch, *self.phase.arguments)
        return self._with_terms(terms, batch.own_output(outputs[0]), batch) if outputs else terms

    def autocast(self, device: torch.device) -> torch.autocast:
        """Returns the context in which the student's layers are computed."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    def loss(self, output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        """Returns the same for an output that is there already, of a method whose step is plain."""
        output = self.single(output)
        return self._with_terms(self.method.loss(output, batch), output, batch)

    def single(self, output: StudentOutput) -> StudentOutput:
        """Returns an output in the precision that losses are computed in."""
        return output if self.precision == "float32" else output.float()

    def _with_terms(self, terms: dict[str, Tensor], output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        """Returns the losses with what is added to them; ``method`` is the method's own."""
        loss, added = terms["loss"], dict[str, Tensor]()
        for term in self._active():
            if term.name in (*terms, *added, "method"):
                raise GraphKDError(
                    f"term={term.name} and method={self.method.name} have a loss of the same name: rename the term"
                )
            added[term.name] = term.shared(output, batch)
            loss = loss + term.weight * added[term.name]
        return {**terms, **added, "method": terms["loss"], "loss": loss} if added else terms

    def _active(self) -> list[Term]:
        """Returns the terms of this phase."""
        last = self.phase.name == self.method.phases()[-1].name
        return [term for term in self.terms if isinstance(term, Term) and (last or not term.last_phase)]
