"""Rows by name: columns of a table → the student's features, in the student's order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.rows import as_rows
from graphkd.errors import GraphKDError

SHOWN = 5
"""Names that a message lists."""


class Columns:
    """Takes rows by name where both sides have names.

    Args:
        names: ``D`` of the features as trained, or nothing.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.names = None if names is None else [str(name) for name in names]
        self._warned = False

    def align(self, x: Any) -> Any:
        """A data frame of pandas or polars, or a table of pyarrow → its numbers, in the order of training.

        A column's label counts as text. A frame whose columns are 0, 1, 2, … has no names, unless those are the
        names in training: such rows are taken by position, as is everything else that has no columns.

        Args:
            x: rows of any kind.

        Returns:
            ``[B, D]``: an array, or a scipy matrix where all columns are sparse; ``x`` itself where it has no
            columns.

        Raises:
            GraphKDError: a column is missing or there twice, or holds no numbers.
        """
        labels = labels_of(x)
        return x if labels is None else _table(x, labels, self.positions(labels))

    def select(self, x: Any, labels: Sequence[str]) -> Any:
        """Rows ``x [B, n]`` whose ``n`` columns have these labels, in the order of training; see ``align``."""
        positions = self.positions(labels)
        if positions is None or positions == list(range(len(labels))):
            return x
        return as_rows(x, len(labels))[:, positions]

    def positions(self, labels: Sequence[str]) -> list[int] | None:
        """Where each feature is among the columns ``labels``; nothing where they count by position.

        Raises:
            GraphKDError: a column is missing or there twice.
        """
        if self.names is None:
            return None
        place = {label: position for position, label in enumerate(labels)}
        if _numbered(labels) and not all(name in place for name in self.names):
            return None
        twice = [label for label, count in Counter(labels).items() if count > 1]
        if twice:
            raise GraphKDError(f"x has more than one column {_listed(twice)}: rename or drop all but one of each")
        extra = [label for label in labels if label not in set(self.names)]
        missing = [name for name in self.names if name not in place]
        if missing:
            has = f" (but {_listed(extra)}, which it was not trained on)" if extra else ""
            raise GraphKDError(
                f"x has no column {_listed(missing)}{has}: name the columns as in training, "
                "or pass an array with the features in that order"
            )
        if extra and not self._warned:
            self._warned = True
            warnings.warn(f"x has columns that this student does not read: {_listed(extra)}", stacklevel=2)
        return [place[name] for name in self.names]


def labels_of(x: Any) -> list[str] | None:
    """The columns' labels of a frame or table, as texts; nothing where there are none."""
    if hasattr(x, "column_names") and hasattr(x, "column"):  # pyarrow, whose columns are the values
        return [str(label) for label in x.column_names]
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        return [str(label) for label in x.columns]
    return None


def names_of(x: Any) -> tuple[str, ...] | None:
    """The names of a frame's columns; nothing where there are none, or only the numbers from 0."""
    labels = labels_of(x)
    return None if labels is None or _numbered(labels) else tuple(labels)


def _numbered(labels: Sequence[str]) -> bool:
    return list(labels) == [str(number) for number in range(len(labels))]


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + rest


def _table(x: Any, labels: list[str], positions: list[int] | None) -> Any:
    """The numbers of the columns at ``positions``, or of all."""
    places = range(len(labels)) if positions is None else positions
    if hasattr(x, "iloc"):
        return _from_pandas(x if positions is None else x.iloc[:, positions])
    columns = [x.column(place) if hasattr(x, "column") else x.to_series(place) for place in places]
    if not columns:
        return np.empty((len(x), 0), dtype=np.float32)
    arrays = zip(columns, (labels[place] for place in places), strict=True)
    return np.column_stack([_numbers(column.to_numpy(), label) for column, label in arrays])


def _from_pandas(frame: Any) -> Any:
    types = list(frame.dtypes)
    if types and all(getattr(kind, "fill_value", None) == 0 and hasattr(kind, "subtype") for kind in types):
        return frame.sparse.to_coo().tocsr()
    for place, kind in enumerate(types):
        if getattr(kind, "kind", "O") not in "biuf":
            _check_objects(frame.iloc[:, place].to_numpy(dtype=object), str(frame.columns[place]), kind)
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def _numbers(column: NDArray[Any], label: str) -> NDArray[Any]:
    if column.dtype.kind in "biuf":
        return column
    _check_objects(column.astype(object), label, column.dtype)
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)


def _check_objects(column: NDArray[Any], label: str, kind: Any) -> None:
    """Numbers that happen to be kept as objects are numbers; a text that could be read as one is none."""
    dates = getattr(kind, "kind", "O") in "mMc"
    for row, value in enumerate(column):
        known = value is None or isinstance(value, bool | int | float | np.number | np.bool_)
        missing = type(value).__name__ == "NAType"
        if dates or not (known or missing):
            raise GraphKDError(
                f"x column '{label}' holds {value!r} in row {row}: features are finite numbers; encode it first"
            )
