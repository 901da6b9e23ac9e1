"""Conversion of labels of any supported type to the tensors of a task."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.checks import check_exact
from graphkd.datasets.custom.label_cells import COLLECTIONS, cells_of, mostly_fractions, unmasked
from graphkd.datasets.custom.label_sets import encode_lists, encode_texts
from graphkd.datasets.custom.label_tables import ONE_PER_NODE, encode_table, encode_targets, is_table
from graphkd.errors import GraphKDError
from graphkd.io.ids import text_of
from graphkd.io.rows import array_of
from graphkd.registry import unknown
from graphkd.tasks import TASKS


def check_task(task: Any, *others: str) -> None:
    """Checks that a task is one of ``graphkd.tasks.TASKS`` or of ``others``, or ``None``."""
    known = [*TASKS, *others]
    if task is not None and (not isinstance(task, str) or task not in known):
        raise GraphKDError(unknown("task", task if isinstance(task, str) else type(task).__name__, known))


def encode_labels(
    labels: Any, where: str = "labels", task: str | None = None, names: Sequence[str] | None = None
) -> tuple[Tensor, list[Any] | None]:
    """Encodes labels of any task.

    - One class per node: integers, texts or booleans. Classes are numbered in sorted order; integers 0 to C − 1
      are unchanged. ``None``, NaN, the empty text and, among numbers, −1 are unknown.
    - Several labels per node: a table, see ``encode_table``; a list or set of names per node, see
      ``encode_lists``; with ``task="multilabel"`` also texts such as ``red;round``, see ``encode_texts``.
    - Numbers to predict: with ``task="regression"``, or where most known numbers have a fraction. ``None``, NaN
      and the empty text are unknown, and −1 is a number.

    Args:
        labels: ``[N]`` or ``[N, L]``.
        where: origin of the labels, for error messages.
        task: one of ``graphkd.tasks.TASKS``; by default what the labels can only be of.
        names: of the columns of a table; by default those of a frame.

    Returns:
        ``y [N]`` int64 classes with −1 where unknown, ``[N, L]`` float32 labels, or ``[N]`` or ``[N, T]`` float64
        numbers, with NaN where unknown; and the names of classes, labels or numbers as the user's values, or
        ``None`` if these are the numbers 0 to C − 1 or there are none.

    Raises:
        GraphKDError: no label is known, types are mixed, a value is none of the task's, or the labels may be of
            more than one task.

    >>> encode_labels(["b", "a", None])
    (tensor([ 1,  0, -1]), ['a', 'b'])
    >>> encode_labels([["red", "round"], [], None])[0]
    tensor([[1., 1.],
            [0., 0.],
            [nan, nan]])
    >>> encode_labels([0.5, 1.25, None])[0]
    tensor([0.5000, 1.2500,    nan], dtype=torch.float64)
    """
    check_task(task)
    if is_table(labels):
        return encode_table(labels, where, task, names)
    if _is_flat(labels) and not (task in (None, "multiclass", "binary") and _are_whole(labels)):
        cells = cells_of(labels)
        if any(isinstance(cell, COLLECTIONS) for cell in cells):
            return encode_lists(cells, where, task)
        if task == "multilabel":
            return encode_texts(cells, where)
        if task == "regression" or (task is None and mostly_fractions(cells)):
            return encode_targets(cells, where), None
    y, classes = _encode_classes(labels, where)
    count = int(y.max()) + 1
    if task == "binary" and count != 2:
        raise GraphKDError(f"task=binary needs two classes, but {where} holds {count}: choose task=multiclass")
    return y, classes


def _is_flat(labels: Any) -> bool:
    return hasattr(labels, "__len__") and not isinstance(labels, str) and getattr(labels, "ndim", 1) == 1


def _are_whole(labels: Any) -> bool:
    """Returns whether the type of an array or a tensor has neither fractions nor lists: no cell needs a look."""
    if isinstance(labels, Tensor):
        return not labels.is_floating_point()
    return getattr(getattr(labels, "dtype", None), "kind", "O") in "biuSU"


def _encode_classes(labels: Any, where: str) -> tuple[Tensor, list[Any] | None]:
    plain = plain_labels(labels, where)
    distinct = {value for value in plain if value is not None}
    _check_kinds(distinct, where)
    if -1 in distinct and distinct <= {-1, 1} and not any(isinstance(value, bool) for value in distinct):
        raise GraphKDError(f"{where} holds nothing but -1 and 1, and -1 means unknown: use 0 and 1, or texts")
    if all(type(value) is int for value in distinct):
        distinct.discard(-1)
        if distinct and min(distinct) < 0:
            raise GraphKDError(f"{where} holds {min(distinct)}: only -1, unknown, is below 0; make classes texts")
    if not distinct:
        raise GraphKDError(f"{where} holds no known label: give one to some nodes of every class")
    classes = sorted(distinct)
    number = {value: index for index, value in enumerate(classes)}
    y = torch.tensor([number.get(value, -1) for value in plain], dtype=torch.long)
    numbered = type(classes[0]) is int and classes == list(range(len(classes)))
    return y, None if numbered else classes


def plain_labels(labels: Any, where: str = "labels") -> list[Any]:
    """Converts labels to Python ints, strings and booleans; ``None`` if missing, ints for integral floats."""
    import pandas as pd

    if isinstance(labels, Tensor):
        if labels.dtype == torch.bfloat16:
            raise GraphKDError(f"{where} holds bfloat16, exact for whole numbers up to 256 only: call .long()")
        labels = array_of(labels)
    if not _is_flat(labels) or any(np.ndim(label) for label in labels):
        raise GraphKDError(f"{where} {ONE_PER_NODE}")
    values = unmasked(labels)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return [
        None if missing else _plain(value, where) for value, missing in zip(column, pd.isna(column), strict=True)
    ]


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):  # item() in nanoseconds returns an integer
        raise GraphKDError(f"{where} holds {value.dtype}: labels are whole numbers, texts or booleans")
    if isinstance(value, float | np.floating):
        check_exact(value, where)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bytes):
        value = text_of(value, where)
    if isinstance(value, float):
        if not value.is_integer():
            raise GraphKDError(
                f"{where} holds {value}: classes are whole numbers or texts, and numbers need task=regression"
            )
        return int(value)
    if value == "":
        return None
    return value


def _check_kinds(known: set[Any], where: str) -> None:
    kinds = sorted({type(value).__name__ for value in known})
    if len(kinds) > 1:
        raise GraphKDError(f"{where} mixes {' and '.join(kinds)}: make all labels of one kind")
    if kinds and kinds[0] not in ("int", "str", "bool"):
        raise GraphKDError(f"{where} holds a {kinds[0]}: labels are whole numbers, texts or booleans")
