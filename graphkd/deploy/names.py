"""Rows by name: columns of a table → the student's features, in the student's order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers, labels_of, numbered
from graphkd.io.rows import as_rows

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
        return x if labels is None else frame_numbers(x, self.positions(labels))

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
        if numbered(labels) and not all(name in place for name in self.names):
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


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + rest
