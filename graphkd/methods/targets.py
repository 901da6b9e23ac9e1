"""The compiled signal: all that is left of graph and teacher when the student trains."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.errors import GraphKDError
from graphkd.methods.soft_targets import SoftTargets
from graphkd.sparse import (
    Factored,
    Inputs,
    SparseMatrix,
    at_least_single,
    select_rows,
)
from graphkd.students.output import StudentOutput
from graphkd.tasks import Multiclass, Task

TEACHER = "teacher"
"""Name of the table with the teacher's logits, of a method whose loss reads them."""


@dataclass(frozen=True)
class Targets:
    """What the student sees: rows, and nothing that knows an edge.

    Args:
        inputs: ``[N, D']`` dense, sparse or, for all rows at once, factored.
        labels: ``[N]`` int64, or ``[N, C]`` of tasks other than classes; read only where ``label_weight`` is not
            zero.
        label_weight: ``[N]`` float64, weight of each node's label loss; 0 for the unlabelled ones.
        soft: the teacher's folded distributions, or nothing.
        hops: the teacher's hidden hops ``[N, d_l]``, where layers are matched.
        tables: ``[N, …]`` each, whatever else the loss reads of a row; batched with it.
        edges: receivers × senders, ``N × N``, of a loss that compares the student at both ends of an edge. A batch
            has those of its rows, ``B × m``, and with them the inputs of ``m`` rows: its own and their neighbours.
        neighbours: names of the tables that are read at both ends, so that a batch has ``m`` rows of them.
        adjust: of the student's logits before a soft loss, such as a calibration's; shape-preserving.
        adjust_label: likewise, before a label loss.
        adjust_teacher: of the teacher's logits whenever they are folded again, such as a balance's.
        class_weight: ``[C]`` of the cross-entropy of labels, or nothing for 1.
        label_smoothing: ``ε`` of the cross-entropy of labels.
        task: of the labels.
        own: of a batch with edges, ``[B]``: where its own rows are among the ``m``.
        scale: ``N / B`` of a batch, 1 for all rows.
        shard: which rows of a batch these are, where several processes share it; ``scale`` is the batch's then.

    >>> inputs, labels = torch.eye(3), torch.tensor([0, 1, 1])
    >>> targets = Targets(inputs, labels, label_weight=mean_over(torch.tensor([0, 1]), 3))
    >>> targets.labelled, round(float(targets.label_loss(torch.zeros(3, 2))), 4)  # log 2
    (tensor([0, 1]), 0.6931)
    >>> targets.select(torch.tensor([1, 2])).scale
    1.5
    """

    inputs: Inputs
    labels: Tensor
    label_weight: Tensor
    soft: SoftTargets | None = None
    hops: list[Tensor] = field(default_factory=list)
    tables: Mapping[str, Tensor] = field(default_factory=dict)
    edges: SparseMatrix | None = None
    neighbours: tuple[str, ...] = ()
    own: Tensor | None = None
    adjust: Callable[[Tensor], Tensor] | None = None
    adjust_label: Callable[[Tensor], Tensor] | None = None
    adjust_teacher: Callable[[Tensor], Tensor] | None = None
    class_weight: Tensor | None = None
    label_smoothing: float = 0.0
    task: Task = field(default_factory=Multiclass)
    scale: float = 1.0
    shard: Shard | None = None

    @property
    def num_rows(self) -> int:
        """``N`` of the whole, ``B`` of a batch."""
        return self.label_weight.numel()

    @cached_property
    def labelled(self) -> Tensor:
        """``[n]`` int64, the rows whose label is read: found once, since a GPU would have to be waited for."""
        return self.label_weight.nonzero().reshape(-1)

    def select(self, index: Tensor) -> Targets:
        """Returns the batch of rows ``index [B]``; its loss times ``N / B`` estimates the loss over all rows."""
        if self.edges is not None:
            return self._with_neighbours(index.to(self.edges.device), self.edges)
        return self._rows(index, index)

    def _rows(self, index: Tensor, read: Tensor) -> Targets:
        """Returns the batch of rows ``index``, with the inputs of the rows ``read``."""
        inputs = select_rows(self.inputs, read.to(self.inputs.device))
        return self.batch(inputs, functools.partial(_taken, index), index.numel())

    def _with_neighbours(self, index: Tensor, graph: SparseMatrix) -> Targets:
        """Returns the batch with the incoming edges of its rows, and the inputs of their senders."""
        edges = graph.select(index)
        rows = torch.unique(torch.cat([index, edges.col]))
        batch = self._rows(index, rows)
        place = torch.zeros(self.num_rows, dtype=torch.int64, device=index.device)
        place[rows] = torch.arange(rows.numel(), device=index.device)
        both = {name: at_least_single(_taken(rows, self.tables[name])) for name in self.neighbours}
        edges = edges.renumber(place, rows.numel())
        return replace(batch, edges=edges, own=place[index], tables={**batch.tables, **both})

    def ends(self, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns what a table holds at both ends of every edge.

        Args:
            table: ``[m, …]``: the student's output on ``inputs``, or one of ``tables`` named in ``neighbours``.

        Returns:
            Rows of the receivers ``[e, …]``, rows of the senders ``[e, …]`` and the edges' weights ``[e]``.
        """
        assert self.edges is not None
        receiver = self.edges.row if self.own is None else self.own[self.edges.row]
        return table.index_select(0, receiver), table.index_select(0, self.edges.col), self.edges.value

    def own_output(self, output: StudentOutput) -> StudentOutput:
        """Returns the student's output on the batch's own rows, of that on its inputs."""
        return output if self.own is None else output.select(self.own)

    def refold(
        self,
        logits: Tensor | None = None,
        weights: SparseMatrix | None = None,
        sender_weight: Tensor | None = None,
    ) -> None:
        """Folds the soft targets again, into the same memory; see ``SoftTargets.refold``.

        The table ``teacher``, which holds the teacher's logits for a loss that reads them, is changed as well.

        Raises:
            GraphKDError: there is neither.
        """
        table = self.tables.get(TEACHER)
        if self.soft is None and table is None:
            raise GraphKDError("there are no soft targets to fold again")
        if logits is not None and self.adjust_teacher is not None:
            logits = self.adjust_teacher(logits)
        if self.soft is not None:
            self.soft.refold(logits, weights, sender_weight)
        if table is not None and logits is not None:
            table.copy_(logits)

    def soft_logits(self, logits: Tensor) -> Tensor:
        """Returns the student's logits as a soft loss has to read them; ``SoftTargets.loss`` does it by itself."""
        return logits if self.adjust is None else self.adjust(logits)

    def label_logits(self, logits: Tensor) -> Tensor:
        """Returns the student's logits as a label loss has to read them; ``cross_entropy`` does it by itself."""
        return logits if self.adjust_label is None else self.adjust_label(logits)

    def without_fold(self) -> Targets:
        """Returns the same targets without what they were folded from, whose memory is free then."""
        return self if self.soft is None else replace(self, soft=replace(self.soft, fold=None))

    def batch(self, inputs: Inputs, rows: Callable[[Tensor], Tensor], count: int) -> Targets:
        """The batch of any ``B`` rows; those in half precision become float32, which students compute in.

        Args:
            inputs: these rows of the inputs.
            rows: a table ``[N, …]`` of the targets → these rows of it, ``[B, …]``.
            count: ``B``.
        """

        def taken(table: Tensor) -> Tensor:
            return at_least_single(rows(table))

        soft = self.soft
        if soft is not None:
            adjust_rows = None if soft.adjust_rows is None else taken(soft.adjust_rows)
            soft = replace(
                soft, table=taken(soft.table), row_weight=taken(soft.row_weight), adjust_rows=adjust_rows
            )
        return replace(
            self,
            inputs=inputs if isinstance(inputs, Factored) else at_least_single(inputs),
            labels=rows(self.labels),
            label_weight=taken(self.label_weight),
            soft=soft,
            hops=[taken(hop) for hop in self.hops],
            tables={name: taken(table) for name, table in self.tables.items()},
            scale=self.scale * self.num_rows / max(count, 1),
        )

    def as_shard(self, shard: Shard, scale: float) -> Targets:
        """These rows as a part of a batch of that scale: the losses of all parts add up to the batch's."""
        soft = self.soft
        if soft is not None:
            soft = replace(soft, constant=soft.constant * self.num_rows / shard.total)
        return replace(self, soft=soft, scale=scale, shard=shard)

    def with_hops(self, hops: list[Tensor]) -> Targets:
        """The same targets with the teacher's hidden hops to match."""
        return replace(self, hops=hops)

    def without_idle_rows(self) -> Targets:
        """Drops rows that the plain loss does not read: all but the labelled ones where nothing is distilled."""
        if self.soft is not None or self.hops or self.tables or self.edges is not None:
            return self
        return replace(self.select(self.labelled), scale=1.0)

    def cross_entropy(self, logits: Tensor, labels: Tensor, reduction: str = "none") -> Tensor:
        """Computes ``−(1 − ε) w_y log p_y − ε / C Σ_c w_c log p_c`` with ``p = softmax(a(z))``.

        A balance has the adjustment ``a`` and the weights ``w``; smoothing has ``ε``, 0 without.

        Args:
            logits: ``z [n, C]`` of the student.
            labels: ``y [n]``.
            reduction: ``none`` or ``sum``.
        """
        weight = None if self.class_weight is None else self.class_weight.to(logits)
        return F.cross_entropy(
            self.label_logits(logits), labels, weight, reduction=reduction, label_smoothing=self.label_smoothing
        )

    def label_losses(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Computes the task's label loss of each of some rows, adjusted, weighted and smoothed; ``[n]``.

        Args:
            logits: ``[n, C]`` of these rows.
            rows: ``[n]``.
        """
        labels, weight = self.labels[rows], self.class_weight
        return self.task.label_losses(self.label_logits(logits), labels, weight, self.label_smoothing)

    def label_log_p(self, logits: Tensor) -> Tensor:
        """Computes ``[n, C]`` whose column ``y`` is minus ``cross_entropy`` with label ``y``.

        Args:
            logits: ``z [n, C]`` of the student.
        """
        log_p = F.log_softmax(self.label_logits(logits), dim=1)
        log_p = log_p if self.class_weight is None else log_p * self.class_weight.to(log_p)
        epsilon = self.label_smoothing
        return (1 - epsilon) * log_p + epsilon * log_p.mean(dim=1, keepdim=True) if epsilon else log_p

    def label_loss(self, logits: Tensor) -> Tensor:
        """``Σ_v a_v ℓ(z_v, y_v)`` over the rows with ``a_v ≠ 0``; ``logits [B, C]`` → a scalar.

        ``ℓ`` is the task's label loss: of classes the cross-entropy.
        """
        rows = self.labelled
        losses = self.label_losses(logits.index_select(0, rows), rows)
        return self.scale * (self.label_weight[rows].to(losses.dtype) * losses).sum()


def _taken(index: Tensor, table: Tensor) -> Tensor:
    return table.index_select(0, index.to(table.device))


def mean_over(nodes: Tensor, num_nodes: int, weight: Tensor | None = None) -> Tensor:
    """Label weights ``[N]`` float64 of a mean over ``nodes [n]``, each term times ``weight [N]``."""
    result = torch.zeros(num_nodes, dtype=torch.float64, device=nodes.device)
    result[nodes] = (1.0 if weight is None else weight[nodes].double()) / nodes.numel()
    return result
