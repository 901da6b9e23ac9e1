"""The teacher's side of a loss, folded into one table, and how to fold it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.methods.fold_kernel import family_sum, folded_sum
from graphkd.sparse import SparseMatrix
from graphkd.tasks import Multiclass, Task

if TYPE_CHECKING:
    from graphkd.methods.class_groups import ClassGroups


@dataclass
class Fold:
    """The inputs that soft targets were folded from, so that they can be folded again with others.

    Args:
        make: ``(logits, weights, tau, sender_weight)`` → targets without a fold.
        logits: ``[N, C]`` of the teacher.
        weights: ``w``, ``N × N``; nothing for a term per node.
        tau: temperature of both sides.
        sender_weight: ``c [N]``, by which every term with ``q_j`` is multiplied, such as a squared temperature of
            node ``j``; nothing for 1.
    """

    make: Callable[[Tensor, SparseMatrix | None, float, Tensor | None], SoftTargets]
    logits: Tensor
    weights: SparseMatrix | None
    tau: float
    sender_weight: Tensor | None = None


@dataclass(frozen=True)
class SoftTargets:
    """A weighted sum of Kullback–Leibler terms with a frozen side, folded into one table.

    With ``q_j`` the teacher's and ``p_i`` the student's softmax at temperature ``τ`` and constants
    ``w_ij``, ``Σ_ij w_ij KL(q_j ‖ p_i) = H − Σ_i ⟨T_i, log p_i⟩`` where ``T_i = Σ_j w_ij q_j`` and
    ``H = Σ_ij w_ij ⟨q_j, log q_j⟩``: the edges are gone. The reverse direction is
    ``Σ_ij w_ij KL(p_i ‖ q_j) = Σ_i W_i ⟨p_i, log p_i⟩ − ⟨p_i, L_i⟩`` with ``W_i = Σ_j w_ij`` and
    ``L_i = Σ_j w_ij log q_j``.

    Args:
        table: ``T`` (or ``L`` where ``reverse``), ``[N, C]``.
        row_weight: ``W [N]``.
        constant: ``H``, of the whole graph; 0 where ``reverse``. ``[S]`` of several students.
        tau: ``τ``.
        reverse: the direction.
        fold: what the table was made from, where it may be folded again.
        adjust: applied to the student's logits first, such as a calibration; shape-preserving.
        adjust_rows: ``[N, k]``, what ``adjust`` reads of every row as a second argument, or nothing.
        weight: of the whole sum, such as a squared temperature; a scalar tensor where it moves between epochs.
        groups: of classes, where the terms are those between and within them, and ``table`` has their columns.
        task: whose distributions these are; of tasks other than classes ``p`` and ``q`` are products of one
            distribution per output, and ``T`` has their means, see ``graphkd.tasks.Task``. Each output counts
            ``1 / C`` then.

    >>> from graphkd.methods.fold import node_targets
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> soft = node_targets(logits, tau=1.0)
    >>> soft.table.shape, round(abs(float(soft.loss(logits))), 6)
    (torch.Size([2, 2]), 0.0)
    """

    table: Tensor
    row_weight: Tensor
    constant: float | Tensor
    tau: float
    reverse: bool = False
    fold: Fold | None = None
    adjust: Callable[..., Tensor] | None = None
    adjust_rows: Tensor | None = None
    weight: float | Tensor = 1.0
    groups: ClassGroups | None = None
    task: Task = field(default_factory=Multiclass)

    def refold(
        self,
        logits: Tensor | None = None,
        weights: SparseMatrix | None = None,
        sender_weight: Tensor | None = None,
    ) -> None:
        """Folds again, into the same memory, so that every batch that shares it reads the new targets.

        Args:
            logits: of the teacher from now on, ``[N, C]``; by default as before.
            weights: ``w`` from now on, ``N × N``; by default as before.
            sender_weight: ``c [N]`` from now on; by default as before.

        Raises:
            GraphKDError: these targets were not made to be folded again.
        """
        fold = self.fold
        if fold is None or not isinstance(self.constant, Tensor):
            raise GraphKDError("these soft targets keep no fold: make them by node_targets or edge_targets")
        fold.logits = fold.logits if logits is None else logits
        fold.weights = fold.weights if weights is None else weights
        fold.sender_weight = fold.sender_weight if sender_weight is None else sender_weight
        again = fold.make(fold.logits, fold.weights, fold.tau, fold.sender_weight)
        self.table.copy_(again.table)
        self.row_weight.copy_(again.row_weight)
        self.constant.copy_(torch.as_tensor(again.constant))

    def loss(self, logits: Tensor, scale: float = 1.0) -> Tensor:
        """The sum of the terms of these rows.

        Args:
            logits: ``[B, C]`` of the student, rows as in ``table``; ``[S, B, C]`` of several.
            scale: ``N / B``, which makes a batch an estimate of the whole.

        Returns:
            A scalar, or ``[S]``.
        """
        total = self._sum(self._adjusted(logits), scale)
        if isinstance(self.weight, Tensor):
            return self.weight.to(total.dtype) * total
        return total if self.weight == 1 else self.weight * total

    def _adjusted(self, logits: Tensor) -> Tensor:
        if self.adjust is None:
            return logits
        return self.adjust(logits) if self.adjust_rows is None else self.adjust(logits, self.adjust_rows)

    def _sum(self, logits: Tensor, scale: float) -> Tensor:
        if self.groups is not None:
            return self.groups.loss(self, logits, scale)
        if not self.task.one_class:
            return family_sum(self, logits, scale)
        if self.reverse:
            log_p = F.log_softmax(logits / self.tau, dim=-1)
            terms = (self.row_weight.unsqueeze(-1) * log_p - self.table) * log_p.exp()
            return scale * terms.sum(dim=(-2, -1))
        constant = self.constant.to(logits.dtype) if isinstance(self.constant, Tensor) else self.constant
        return constant - scale * folded_sum(logits, self.table, self.row_weight, self.tau)
