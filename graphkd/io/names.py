"""Selection of columns by name: a table's columns → those of training, in their order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers, labels_of, numbered
from graphkd.io.records import numbers_by_name
from graphkd.io.rows import as_rows

SHOWN = 5
"""Number of names listed in a message."""


class NamedColumns:
    """Alignment of a table's columns with the student's features, by name where both have names.

    Args:
        names: ``D`` feature names in training order, or None.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.names = None if names is None else [str(name) for name in names]
        self._warned = False

    def align(self, x: Any) -> Any:
        """Converts a pandas or polars data frame, a pyarrow table, or rows by name to numbers in training order.

        Column labels are compared as strings. A frame whose columns are 0, 1, 2, … counts as unnamed, unless these
        are the names in training: its columns are matched by position, as in every input without columns.

        Args:
            x: rows of any supported type; a list of mappings is rows by name.

        Returns:
            ``[B, D]``: an array, or a scipy matrix if all columns are sparse; ``x`` itself if it has no columns.

        Raises:
            GraphKDError: a column is missing, duplicated, or not numeric.
            RowError: the same in one row of a list of mappings.
        """
        if is_records(x):
            return self._records(x)
        labels = labels_of(x)
        return x if labels is None else frame_numbers(x, self.positions(labels))

    def _records(self, x: Any) -> Any:
        """Converts mappings to numbers in training order; without names, in that of the first."""
        names = [str(label) for label in x[0]] if self.names is None else self.names
        return numbers_by_name(x, names, self.positions)

    def select(self, x: Any, labels: Sequence[str]) -> Any:
        """Returns the columns of ``x [B, n]``, whose ``n`` labels are given, in training order; see ``align``."""
        positions = self.positions(labels)
        if positions is None or positions == list(range(len(labels))):
            return x
        return as_rows(x, len(labels))[:, positions]

    def positions(self, labels: Sequence[str]) -> list[int] | None:
        """Returns the position of each feature among the columns ``labels``; None if matched by position.

        Raises:
            GraphKDError: a column is missing or duplicated.
        """
        if self.names is None:
            return None
        position_of = {label: position for position, label in enumerate(labels)}
        if numbered(labels) and not all(name in position_of for name in self.names):
            return None
        copies = [label for label, count in Counter(labels).items() if count > 1]
        if copies:
            raise GraphKDError(f"x has more than one column {listed(copies)}: rename or drop all but one of each")
        extra = [label for label in labels if label not in set(self.names)]
        missing = [name for name in self.names if name not in position_of]
        if missing:
            has = f" (but {listed(extra)}, which it was not trained on)" if extra else ""
            raise GraphKDError(
                f"x has no column {listed(missing)}{has}: name the columns as in training, "
                "or pass an array with the features in that order"
            )
        if extra and not self._warned:
            self._warned = True
            warnings.warn(f"x has columns that this student does not read: {listed(extra)}", stacklevel=2)
        return [position_of[name] for name in self.names]


def is_records(x: Any) -> bool:
    """Returns whether rows are mappings from names to values, such as ``[{"age": 41, "city": "Bern"}]``."""
    return isinstance(x, list | tuple) and len(x) > 0 and isinstance(x[0], Mapping)


def listed(names: Sequence[str]) -> str:
    """Returns the first names, quoted, and how many there are besides."""
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + rest
