"""Labels of every task: one class per node, several labels per node, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.datasets.custom.labels import encode_labels
from graphkd.errors import GraphKDError
from graphkd.registry import unknown
from graphkd.tasks import TASKS

SEPARATOR = ";"
"""Between the labels of a node that are one text."""


def read_labels(labels: Any, where: str = "labels", task: str | None = None) -> tuple[Tensor, list[Any] | None]:
    """Encodes labels of any task.

    - A table ``[N, C]``, array or frame: of 0, 1 and missing values several labels per node, of other numbers
      several targets. Names are those of the frame's columns.
    - A list, tuple or set of names per node: several labels; none is an empty list, ``None`` is unknown.
    - With ``task=multilabel`` texts with ``;`` between names, such as ``red;round``. An empty text is unknown.
    - Numbers, with ``task=regression`` or where most of them have a fraction: targets, NaN where unknown.
    - Anything else: one class per node, see ``encode_labels``.

    Args:
        labels: of ``N`` nodes.
        where: their origin, for error messages.
        task: name of the task; by default that of these forms.

    Returns:
        ``y``: ``[N]`` int64 classes, ``[N, L]`` float32 of 0, 1 and NaN, or ``[N]`` or ``[N, T]`` float64; and the
        names of classes, labels or targets, or None.

    Raises:
        GraphKDError: the labels are of another task, or of none.

    >>> y, names = read_labels([["red", "round"], [], None])
    >>> names, y.tolist()
    (['red', 'round'], [[1.0, 1.0], [0.0, 0.0], [nan, nan]])
    >>> read_labels([1.5, 2.25, 3.0])[0].tolist()
    [1.5, 2.25, 3.0]
    """
    if task is not None and (not isinstance(task, str) or task not in TASKS):
        raise GraphKDError(unknown("task", str(task), list(TASKS)))
    if getattr(labels, "ndim", 1) == 2:
        return _of_table(labels, where, task)
    if hasattr(labels, "__len__") and not isinstance(labels, str) and getattr(labels, "ndim", 1) == 1:
        if task == "multilabel" or any(_is_list(label) for label in labels):
            return _of_lists(labels, where, task)
        if task == "regression" or (task is None and _have_fractions(labels)):
            return torch.from_numpy(_numbers(labels, where)), None
    return encode_labels(labels, where)


def _of_table(labels: Any, where: str, task: str | None) -> tuple[Tensor, list[Any] | None]:
    """Encodes a table of labels or targets."""
    names = [str(name) for name in labels.columns] if hasattr(labels, "columns") else None
    if labels.shape[1] == 0:
        raise GraphKDError(f"{where} has no column: name at least one")
    columns = [labels.iloc[:, k] if names else labels[:, k] for k in range(labels.shape[1])]
    table = np.stack([_numbers(column, where) for column in columns], axis=1)
    is_binary = bool((np.isnan(table) | (table == 0) | (table == 1)).all())
    if task in ("multiclass", "binary") or (task == "multilabel" and not is_binary):
        needs = "0 and 1 alone" if task == "multilabel" else "one column"
        raise GraphKDError(f"{where} is a table, of which task={task} needs {needs}: correct it, or the task")
    if task == "regression" or not is_binary:
        return torch.from_numpy(table), names
    if task is None and table.shape[1] > 1 and bool((np.nansum(table, axis=1) == 1).all()):
        raise GraphKDError(
            f"{where} has exactly one 1 in every row, which may be one class per node: give one label per node, "
            "or say task='multilabel'"
        )
    return torch.from_numpy(table.astype(np.float32)), names


def _of_lists(labels: Any, where: str, task: str | None) -> tuple[Tensor, list[Any]]:
    """Encodes the names of each node, listed or as one text."""
    if task not in (None, "multilabel"):
        raise GraphKDError(f"{where} holds lists of labels, and task={task} has one per node: choose multilabel")
    listed = [_names_of(label, where) for label in labels]
    distinct = {name for names in listed if names is not None for name in names}
    if not distinct:
        raise GraphKDError(f"{where} holds no label: give one to some nodes")
    if len(kinds := sorted({type(name).__name__ for name in distinct})) > 1:
        raise GraphKDError(f"{where} mixes {' and '.join(kinds)}: make all labels of one kind")
    names = sorted(distinct)
    number = {name: k for k, name in enumerate(names)}
    y = torch.full((len(listed), len(names)), torch.nan)
    for row, given in enumerate(listed):
        if given is not None:
            y[row] = 0.0
            y[row, [number[name] for name in given]] = 1.0
    return y, names


def _names_of(label: Any, where: str) -> list[Any] | None:
    """Returns the names of a node's labels, or None where they are unknown."""
    if _is_list(label):
        names = [name.item() if isinstance(name, np.generic) else name for name in label]
        for name in names:
            if not isinstance(name, str | int):
                raise GraphKDError(f"{where} holds the label {name!r}: labels are texts or whole numbers")
        return names
    if label is None or label == "" or label is np.ma.masked or _is_missing(label):
        return None
    if isinstance(label, str):
        return [name.strip() for name in label.split(SEPARATOR) if name.strip()]
    raise GraphKDError(
        f"{where} holds {label!r} beside lists of labels, or with task=multilabel: give each node a list, or a "
        f"text with '{SEPARATOR}' between labels"
    )


def _is_missing(label: Any) -> bool:
    import pandas as pd

    return label is None or bool(np.asarray(pd.isna(label)).all())


def _is_list(label: Any) -> bool:
    return isinstance(label, list | tuple | set | frozenset | np.ndarray)


def _have_fractions(labels: Sequence[Any]) -> bool:
    """Returns whether all known labels are numbers, and most of them have a fraction."""
    if isinstance(labels, Tensor):
        labels = labels.tolist()
    import pandas as pd

    known = [label for label in labels if label is not np.ma.masked and (_is_list(label) or not pd.isna(label))]
    if not known or not all(isinstance(label, float | np.floating) for label in known):
        return False
    return 2 * sum(float(label) != np.rint(float(label)) for label in known) > len(known)


def _numbers(labels: Any, where: str) -> NDArray[np.float64]:
    """Converts numbers, or texts of numbers, to float64; NaN where one is missing."""
    import pandas as pd

    values = labels.tolist() if isinstance(labels, Tensor) else [None if v is np.ma.masked else v for v in labels]
    try:
        numbers = pd.to_numeric(pd.Series(values).replace("", None)).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise GraphKDError(
            f"{where} holds something that is no number ({error}): correct it, or the task"
        ) from None
    if np.isinf(numbers).any():
        raise GraphKDError(f"{where} holds an infinite number: correct it")
    return np.asarray(numbers)
