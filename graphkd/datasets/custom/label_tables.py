"""Labels as numbers: a column for each label, or numbers to predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.datasets.custom.label_cells import cells_of, double, is_number, mostly_fractions
from graphkd.errors import GraphKDError
from graphkd.io.frame import labels_of, numbered
from graphkd.io.rows import array_of

ONE_PER_NODE = "must hold one label per node: give a flat list or array"


def is_table(labels: Any) -> bool:
    """Returns whether labels are a tensor, an array, a scipy matrix or a frame with rows and columns."""
    return getattr(labels, "ndim", None) == 2


def encode_targets(cells: list[Any], where: str) -> Tensor:
    """Encodes numbers to predict, ``[N]`` float64 with NaN where unknown.

    Args:
        cells: ``[N]``, see ``cells_of``.
        where: origin of the labels, for error messages.

    Raises:
        GraphKDError: a cell is no number, or infinite, or no cell is known.

    >>> encode_targets([0.5, None, -1], "labels")
    tensor([ 0.5000,     nan, -1.0000], dtype=torch.float64)
    """
    y = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if not is_number(cell):
            raise GraphKDError(
                f"{where} holds {_shown(cell)} in row {row}, and task=regression needs numbers: correct it, or "
                "leave it empty where it is unknown"
            )
        y[row] = double(cell, where)
    _check_known(y, where)
    return torch.from_numpy(y)


def encode_table(
    labels: Any, where: str, task: str | None = None, names: Sequence[str] | None = None
) -> tuple[Tensor, list[Any] | None]:
    """Encodes a table with a column for each label, or for each number to predict.

    Args:
        labels: ``[N, L]`` of 0, 1 and booleans, or ``[N, T]`` of numbers, as an array, a tensor, a scipy matrix or
            a frame; NaN and ``None`` are unknown.
        where: origin of the labels, for error messages.
        task: ``multilabel`` or ``regression``; by default what the table can only be of.
        names: of the columns; by default those of a frame.

    Returns:
        ``y [N, L]`` float32 or ``[N, T]`` float64, NaN where unknown; and the names, if there are any.

    Raises:
        GraphKDError: a cell is no number, or the table may be of more than one task.

    >>> encode_table(np.array([[1, 1], [0, 1]]), "labels")
    (tensor([[1., 1.],
            [0., 1.]]), None)
    """
    if task in ("multiclass", "binary"):
        raise GraphKDError(f"{where} {ONE_PER_NODE}, or choose task=multilabel in place of task={task}")
    columns = labels_of(labels)
    if names is None and columns is not None and not numbered(columns):
        names = columns
    table, has_truth = _numbers(labels, where, names)
    _check_known(table, where)
    chosen = task or _only_task(table, has_truth, where)
    if chosen == "regression":
        if has_truth:
            raise GraphKDError(
                f"{where} holds booleans, and task=regression needs numbers: choose task=multilabel"
            )
        return torch.from_numpy(table), None if names is None else list(names)
    wrong = table[~(np.isnan(table) | _is_indicator(table))]
    if wrong.size:
        raise GraphKDError(
            f"{where} holds {wrong[0]:g}, and task=multilabel has 0 and 1 alone: correct it, with NaN for what is "
            "unknown, or choose task=regression"
        )
    return torch.from_numpy(table).float(), None if names is None else list(names)


def _is_indicator(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isin(table, (0, 1))


def _only_task(table: NDArray[np.float64], has_truth: bool, where: str) -> str:
    """Returns the task that a table can only be of, by the rules of ``graphkd.tasks.choice`` and stricter ones."""
    values = table[~np.isnan(table)]
    ones = _is_indicator(values)
    if table.shape[1] == 1:
        if has_truth or not mostly_fractions(values.tolist()):
            raise GraphKDError(f"{where} {ONE_PER_NODE}, or say task=multilabel or task=regression")
        return "regression"
    if not ones.all():
        other = values[~ones][0]
        if has_truth:
            raise GraphKDError(
                f"{where} mixes booleans and {other:g}: give labels as 0 and 1, or all as numbers to predict"
            )
        if 2 * int(ones.sum()) > ones.size or bool((values[~ones] == -1).all()):
            raise GraphKDError(
                f"{where} holds {other:g} among 0 and 1: correct it, with NaN for what is unknown, or say "
                "task=regression for numbers to predict"
            )
        return "regression"
    labelled = table[~np.isnan(table).all(axis=1)]
    if bool((labelled.sum(axis=1) == 1).all()):
        raise GraphKDError(
            f"{where} has exactly one 1 in every row, which may be one class per node: give one label per node, "
            "or say task=multilabel"
        )
    return "multilabel"


def _numbers(labels: Any, where: str, names: Sequence[str] | None) -> tuple[NDArray[np.float64], bool]:
    """Returns a table as float64 with NaN where a cell is missing, and whether any cell is a boolean."""
    columns = _columns(labels)
    if not columns:
        raise GraphKDError(f"{where} has no columns: give one for each label")
    parts, has_truth = [], False
    for at, column in enumerate(columns):
        if column.dtype.kind in "biuf" and not isinstance(column, np.ma.MaskedArray):
            has_truth |= column.dtype.kind == "b"
            parts.append(_finite(column.astype(np.float64), where))
            continue
        cells = cells_of(column)
        has_truth |= any(isinstance(cell, bool | np.bool_) for cell in cells)
        parts.append(_column_numbers(cells, f"column '{names[at]}'" if names else f"column {at}", where))
    return np.stack(parts, axis=1), has_truth


def _columns(labels: Any) -> list[Any]:
    if hasattr(labels, "toarray"):
        labels = labels.toarray()
    if hasattr(labels, "iloc"):  # column by column: a frame's booleans would become numbers
        series = (labels.iloc[:, at] for at in range(labels.shape[1]))
        return [each.to_numpy(None if isinstance(each.dtype, np.dtype) else object) for each in series]
    if isinstance(labels, Tensor):
        labels = labels.to_dense()
    table = labels if isinstance(labels, np.ma.MaskedArray) else array_of(labels)
    return [table[:, at] for at in range(table.shape[1])]


def _column_numbers(cells: list[Any], column: str, where: str) -> NDArray[np.float64]:
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if not (is_number(cell) or isinstance(cell, bool | np.bool_)):
            raise GraphKDError(
                f"{where} holds {_shown(cell)} in row {row} of {column}: several columns of labels hold 0 and 1, "
                "or numbers to predict"
            )
        values[row] = double(cell, where)
    return values


def _finite(values: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """Returns numbers, of which none is infinite."""
    if (wrong := values[np.isinf(values)]).size:
        double(float(wrong[0]), where)
    return values


def _shown(cell: Any) -> str:
    return repr(cell.item() if isinstance(cell, np.generic) else cell)


def _check_known(table: NDArray[np.float64], where: str) -> None:
    if bool(np.isnan(table).all()):
        raise GraphKDError(f"{where} holds no known label: give one to some nodes")
