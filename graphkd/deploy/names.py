"""Selection of features by column name: a table's columns → the student's features, in training order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graphkd.deploy.named_rows import are_mappings, numbers_by_name
from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers, labels_of, numbered
from graphkd.io.rows import as_rows

SHOWN = 5
"""Number of names listed in a message."""


class Columns:
    """Alignment of a table's columns with the student's features, by name where both have names.

    Args:
        names: ``D`` feature names in training order, or None.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.names = None if names is None else [str(name) for name in names]
        self._warned = False

    def align(self, x: Any) -> Any:
        """Converts a pandas or polars data frame, or a pyarrow table, to its numbers in training order.

        A list of mappings, such as ``[{"age": 41, "height": 1.8}]``, is aligned likewise.

        Column labels are compared as strings. A frame whose columns are 0, 1, 2, … counts as unnamed, unless these
        are the names in training: its columns are matched by position, as in every input without columns.

        Args:
            x: rows of any supported type.

        Returns:
            ``[B, D]``: an array, or a scipy matrix if all columns are sparse; ``x`` itself if it has no columns.

        Raises:
            GraphKDError: a column is missing, duplicated, or not numeric.
            CellError: the same in one row of a list of mappings.
        """
        if are_mappings(x):
            if self.names is None:
                raise GraphKDError("this student knows no names of features: give rows as lists of numbers")
            return numbers_by_name(x, self.names, self.positions)
        labels = labels_of(x)
        return x if labels is None else frame_numbers(x, self.positions(labels))

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
            raise GraphKDError(f"x has more than one column {_listed(copies)}: rename or drop all but one of each")
        extra = [label for label in labels if label not in set(self.names)]
        missing = [name for name in self.names if name not in position_of]
        if missing:
            has = f" (but {_listed(extra)}, which it was not trained on)" if extra else ""
            raise GraphKDError(
                f"x has no column {_listed(missing)}{has}: name the columns as in training, "
                "or pass an array with the features in that order"
            )
        if extra and not self._warned:
            self._warned = True
            warnings.warn(f"x has columns that this student does not read: {_listed(extra)}", stacklevel=2)
        return [position_of[name] for name in self.names]


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + rest
