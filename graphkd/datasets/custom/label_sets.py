"""Labels as names: any number of them per node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.datasets.custom.label_cells import COLLECTIONS, is_missing, is_number
from graphkd.datasets.custom.label_tables import ONE_PER_NODE, encode_table
from graphkd.errors import GraphKDError
from graphkd.io.ids import text_of

SEPARATOR = ";"
"""Between the names in a text."""

NO_LABEL = "-"
"""Text of a node that is known to have no label; an empty text is a node whose labels are unknown."""


def encode_texts(cells: list[Any], where: str) -> tuple[Tensor, list[Any]]:
    """Encodes texts with ``;`` between names.

    Spaces around a name do not count. A node without any label is ``-``; an empty cell is unknown.

    Args:
        cells: ``[N]``, see ``cells_of``.
        where: origin of the labels, for error messages.

    Returns:
        ``y [N, L]`` float32, rows of NaN where unknown; and the ``L`` names, sorted.

    Raises:
        GraphKDError: a cell is no text, or a name is empty.

    >>> encode_texts(["red; round", "-", None], "labels")
    (tensor([[1., 1.],
            [0., 0.],
            [nan, nan]]), ['red', 'round'])
    """
    return _encode_names(
        [None if cell is None else _split(cell, row, where) for row, cell in enumerate(cells)], where
    )


def encode_lists(cells: list[Any], where: str, task: str | None = None) -> tuple[Tensor, list[Any] | None]:
    """Encodes lists or sets of names, or lists of numbers.

    An empty list is a node without any label; ``None`` is unknown. Lists of as many booleans or numbers with
    fractions per node are the rows of a table.

    Args:
        cells: ``[N]``, see ``cells_of``.
        where: origin of the labels, for error messages.
        task: ``multilabel`` or ``regression``; by default what the lists can only be of.

    Returns:
        As of ``encode_texts``, or of ``encode_table`` where they are rows.

    Raises:
        GraphKDError: names are of several types, or what is meant is not certain.

    >>> encode_lists([{"round", "red"}, {"red"}, []], "labels")
    (tensor([[1., 1.],
            [1., 0.],
            [0., 0.]]), ['red', 'round'])
    """
    single = next((cell for cell in cells if cell is not None and not isinstance(cell, COLLECTIONS)), None)
    if single is not None:
        raise GraphKDError(
            f"{where} mixes lists of labels and single ones, such as {single!r}: give every node a list, or None"
        )
    if task in ("multiclass", "binary"):
        raise GraphKDError(f"{where} {ONE_PER_NODE}, or choose task=multilabel in place of task={task}")
    rows = [None if cell is None else _plain(cell, where) for cell in cells]
    if _are_rows(rows, task) and not any(isinstance(cell, set | frozenset) for cell in cells):
        return encode_table(_stacked(rows, where), where, task)
    if task == "regression":
        raise GraphKDError(f"{where} holds names, and task=regression needs numbers: choose task=multilabel")
    _check_not_a_table(cells, rows, where)
    y, names = _encode_names(rows, where)
    if task is None and all(len(set(row)) == 1 for row in rows if row is not None):
        raise GraphKDError(
            f"{where} gives every node a list of exactly one label: give the label in place of the list, or say "
            "task=multilabel"
        )
    return y, names


def _split(cell: Any, row: int, where: str) -> list[str]:
    text = text_of(cell, where) if isinstance(cell, bytes) else cell
    if not isinstance(text, str):
        raise GraphKDError(
            f"{where} holds {_item(text)!r} in row {row}: for task=multilabel give texts with '{SEPARATOR}' "
            "between names, a list of names per node, or a column of 0 and 1 for each label"
        )
    names = [name.strip() for name in text.split(SEPARATOR)]
    if names == [NO_LABEL]:
        return []
    if "" in names or NO_LABEL in names:
        raise GraphKDError(
            f"{where} holds {text!r} in row {row}, with a name that is empty or '{NO_LABEL}': write names with "
            f"'{SEPARATOR}' between them, or '{NO_LABEL}' alone for a node without any"
        )
    return names


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _plain(cell: Any, where: str) -> list[Any]:
    values = [_item(value) for value in cell]
    return [text_of(value, where) if isinstance(value, bytes) else value for value in values]


def _are_rows(rows: Sequence[list[Any] | None], task: str | None) -> bool:
    """Returns whether lists hold numbers or booleans that are no names."""
    values = [value for row in rows if row is not None for value in row]
    if not all(
        isinstance(value, bool) or is_number(value) or (is_missing(value) and not isinstance(value, str))
        for value in values
    ):
        return False
    return bool(values) and (task == "regression" or any(type(value) is not int for value in values))


def _stacked(rows: Sequence[list[Any] | None], where: str) -> Any:
    widths = sorted({len(row) for row in rows if row is not None})
    if len(widths) > 1:
        raise GraphKDError(
            f"{where} holds {widths[0]} numbers for one node and {widths[-1]} for another: give every node as many"
        )
    table = np.empty((len(rows), widths[0]), dtype=object)
    for at, row in enumerate(rows):
        table[at] = [None] * widths[0] if row is None else row
    return table


def _check_not_a_table(cells: list[Any], rows: Sequence[list[Any] | None], where: str) -> None:
    """Raises where lists of 0 and 1 may be names or the rows of a table."""
    known = [row for row in rows if row is not None]
    values = {value for row in known for value in row if isinstance(value, int)}
    ordered = not any(isinstance(cell, set | frozenset) for cell in cells)
    if ordered and values and values <= {0, 1} and len({len(row) for row in known}) == 1:
        raise GraphKDError(
            f"{where} holds lists of 0 and 1 alone, which may be names or a column for each label: give the "
            "columns as numpy.array(labels), or names as texts"
        )


def _encode_names(rows: Sequence[Sequence[Any] | None], where: str) -> tuple[Tensor, list[Any]]:
    distinct: set[Any] = set()
    for row, names in enumerate(rows):
        for name in names or ():
            if type(name) not in (int, str) or name == "":
                raise GraphKDError(
                    f"{where} holds {name!r} in row {row}: labels are named by texts or whole numbers, an empty "
                    "list is a node without any"
                )
            distinct.add(name)
    if len({type(name) for name in distinct}) > 1:
        raise GraphKDError(f"{where} mixes int and str: make all labels of one kind")
    if not distinct:
        raise GraphKDError(f"{where} holds no known label: give one to some nodes")
    ordered = sorted(distinct)
    number = {name: at for at, name in enumerate(ordered)}
    y = torch.zeros(len(rows), len(ordered))
    for row, names in enumerate(rows):
        if names is None:
            y[row] = torch.nan
        elif names:
            y[row, [number[name] for name in names]] = 1.0
    return y, ordered
