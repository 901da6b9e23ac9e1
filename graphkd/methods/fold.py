"""Folds node- and edge-level distillation terms into ``SoftTargets``, once, before training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphkd.methods.soft_targets import Fold, SoftTargets
from graphkd.outofcore import table_store
from graphkd.sparse import SparseMatrix, row_pieces, spmm
from graphkd.tasks import Multiclass, Task

ROWS = 2**16
"""Maximum number of rows whose distributions are in float64 at a time."""

PIECE_BYTES = 2**27
"""Bytes of the edges, or the distributions, that are in float64 at a time, at most; an eighth of a GiB."""

CLASSES = Multiclass()
"""The task of every method but those that say ``graph.task``."""

EDGE_BYTES = 6 * 8
"""Bytes of an edge in float64: weight, two factors and their product, its row, its column for the backend."""


def node_targets(
    logits: Tensor, tau: float, sender_weight: Tensor | None = None, task: Task = CLASSES
) -> SoftTargets:
    """Folds ``mean_i c_i KL(q_i ‖ p_i)``.

    Args:
        logits: ``[N, C]`` of the teacher.
        tau: temperature of both sides.
        sender_weight: ``c [N]``, or None for 1.
        task: whose distributions ``q`` and ``p`` are: ``graph.task`` for a method that supports several.

    Returns:
        ``T = c Q / N``; of a task other than classes the means of ``q`` in place of ``Q``, each a ``1 / C``.
    """
    num_rows, width = logits.shape
    weight = None if sender_weight is None else sender_weight.double()
    parts = num_rows / task.share(width)

    def shares(rows: slice) -> Tensor:
        share = task.mean(logits[rows].double() / tau) / parts
        return (share if weight is None else share * weight[rows].unsqueeze(1)).to(logits.dtype)

    entropies = _entropies(logits, tau, task)
    return SoftTargets(
        table=table_store().by_rows("soft", (num_rows, width), logits.dtype, shares, unit=3 * 8 * width),
        row_weight=logits.new_full((num_rows,), 1.0 / parts)
        if weight is None
        else (weight / parts).to(logits.dtype),
        constant=(entropies if weight is None else entropies * weight).sum() / parts,
        tau=tau,
        fold=Fold(functools.partial(_nodes_again, task), logits, None, tau, sender_weight),
        task=task,
    )


def edge_targets(
    logits: Tensor,
    weights: SparseMatrix,
    tau: float,
    reverse: bool = False,
    receivers: Tensor | None = None,
    senders: Tensor | None = None,
    sender_weight: Tensor | None = None,
    task: Task = CLASSES,
) -> SoftTargets:
    """Folds ``Σ_ij r_i w_ij s_j c_j KL(q_j ‖ p_i)``, or ``KL(p_i ‖ q_j)`` where ``reverse``.

    Row ``i`` is the student's node, column ``j`` the neighbour whose teacher distribution it learns from.

    Args:
        logits: ``[N, C]`` of the teacher.
        weights: ``w``, ``N × N``.
        tau: temperature of both sides.
        reverse: whether the divergence is ``KL(p_i ‖ q_j)``.
        receivers: ``r [N]``, or None for 1.
        senders: ``s [N]``, or None for 1.
        sender_weight: ``c [N]``, or None for 1; that of a fold, which changes without ``s``.
        task: whose distributions ``q`` and ``p`` are: ``graph.task`` for a method that supports several.

    Returns:
        ``T = (r w s c) Q`` (or ``L = (r w s c) log Q``; of a task other than classes with the means of ``q`` in
        place of ``Q`` and its outputs in place of ``log Q``, each a ``1 / C``), from a sparse product in float64,
        whose weights are converted some edges at a time; with a table store that has a budget, some rows at a
        time, with ``Q`` in a file.
    """
    num_rows, width = logits.shape
    share = task.share(width)
    shared = (
        receivers if share == 1 else share * (weights.value.new_ones(num_rows) if receivers is None else receivers)
    )
    edges = _Edges(weights, shared, _product(senders, sender_weight))
    distributions = _Told(logits, tau, reverse, weights.device, task)

    def mixed(rows: slice) -> Tensor:
        products = logits.new_empty(rows.stop - rows.start, width, device=weights.device)
        for part, piece in edges.pieces(rows):
            products[part.start - rows.start : part.stop - rows.start] = spmm(piece, distributions.table())
        return products

    row_weight, entropy = edges.sums(_constants(logits, tau, reverse, weights.device, task))
    return SoftTargets(
        table=table_store().by_rows("soft", (num_rows, width), logits.dtype, mixed, unit=2 * 8 * width),
        row_weight=row_weight.to(logits.dtype),
        constant=entropy,
        tau=tau,
        reverse=reverse,
        fold=Fold(
            functools.partial(_edges_again, task, reverse, receivers, senders), logits, weights, tau, sender_weight
        ),
        task=task,
    )


def mean_of(pattern: SparseMatrix) -> SparseMatrix:
    """Returns the edges with weights of a mean over all of them, in float64."""
    return pattern.with_values(pattern.value.double() / max(pattern.nnz, 1))


def _product(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one * other


def _nodes_again(
    task: Task, logits: Tensor, weights: SparseMatrix | None, tau: float, sender_weight: Tensor | None
) -> SoftTargets:
    return node_targets(logits, tau, sender_weight, task)


def _edges_again(
    task: Task,
    reverse: bool,
    receivers: Tensor | None,
    senders: Tensor | None,
    logits: Tensor,
    weights: SparseMatrix | None,
    tau: float,
    sender_weight: Tensor | None,
) -> SoftTargets:
    assert weights is not None
    return edge_targets(logits, weights, tau, reverse, receivers, senders, sender_weight, task)


class _Edges:
    """``diag(r) w diag(s)`` in float64, some rows at a time."""

    def __init__(self, weights: SparseMatrix, receivers: Tensor | None, senders: Tensor | None) -> None:
        self._weights, self._receivers, self._senders = weights, receivers, senders

    def pieces(self, rows: slice) -> Iterator[tuple[slice, SparseMatrix]]:
        """Yields consecutive rows, in pieces whose edges fit the budget in bytes."""
        for part in row_pieces(self._weights.rowptr, rows, _at_once() // EDGE_BYTES):
            piece = self._weights.rows(part).to(torch.float64)
            if self._receivers is not None or self._senders is not None:
                receivers = None if self._receivers is None else self._receivers[part]
                piece = piece.scale(receivers, self._senders)
            yield part, piece

    def sums(self, entropies: Tensor | None) -> tuple[Tensor, Tensor]:
        """Computes row sums ``[N]`` in float64 and, given entropies ``[N]``, the sum of entries times these."""
        rows, cols = (self._weights.value.new_zeros(size, dtype=torch.float64) for size in self._weights.shape)
        for part, piece in self.pieces(slice(0, rows.numel())):
            rows[part] = piece.sum(dim=1)
            if entropies is not None:
                cols.index_add_(0, piece.col, piece.value)
        return rows, cols.new_zeros(()) if entropies is None else cols @ entropies


class _Told:
    """The teacher's distributions, ``Q`` or ``log Q``, computed on first use; a finished table never uses them."""

    def __init__(self, logits: Tensor, tau: float, logs: bool, device: torch.device, task: Task) -> None:
        self._logits, self._tau, self._device = logits, tau, device
        self._of = task.normalised if logs else task.mean
        self._made: Tensor | None = None

    def table(self) -> Tensor:
        """Returns ``[N, C]`` float64."""
        if self._made is None:
            shape = (self._logits.shape[0], self._logits.shape[1])
            table = table_store().by_rows("told", shape, torch.float64, self._rows, unit=2 * 8 * shape[1])
            self._made = table.to(self._device)
        return self._made

    def _rows(self, rows: slice) -> Tensor:
        table = self._logits.new_empty(rows.stop - rows.start, self._logits.shape[1], dtype=torch.float64)
        for part in _blocks(rows, self._logits.shape[1]):
            q = self._of(self._logits[part].double() / self._tau)
            table[part.start - rows.start : part.stop - rows.start] = q
        return table


def _constants(logits: Tensor, tau: float, reverse: bool, device: torch.device, task: Task) -> Tensor | None:
    """Computes what an edge from ``j`` adds to the constant, ``[N]``; None where that is nothing."""
    if not reverse:
        return _entropies(logits, tau, task).to(device)
    return None if task.one_class else _by_rows(logits, tau, task.log_partition).to(device)


def _entropies(logits: Tensor, tau: float, task: Task) -> Tensor:
    """Computes the negative entropies, of classes ``⟨q_i, log q_i⟩``: ``[N]`` float64."""
    return _by_rows(logits, tau, task.negative_entropy)


def _by_rows(logits: Tensor, tau: float, function: Callable[[Tensor], Tensor]) -> Tensor:
    blocks = _blocks(slice(0, logits.shape[0]), logits.shape[1])
    return torch.cat([function(logits[rows].double() / tau) for rows in blocks])


def _blocks(rows: slice, width: int) -> list[slice]:
    """Splits rows into blocks whose distributions, three times in float64, fit in memory at once."""
    step = max(1, min(ROWS, _at_once() // (3 * 8 * width)))
    return [slice(start, min(start + step, rows.stop)) for start in range(rows.start, max(rows.stop, 1), step)]


def _at_once() -> int:
    """Returns the bytes for float64 data beside a block: half as much as the block has."""
    return table_store().within(2 * PIECE_BYTES) // 2
