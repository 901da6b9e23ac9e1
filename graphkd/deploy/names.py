"""Columns of raw rows → the student's features, by name and as training encoded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphkd.columns import ColumnEncoding
from graphkd.errors import GraphKDError
from graphkd.io.frame import labels_of
from graphkd.io.names import NamedColumns, is_records, listed


@dataclass(frozen=True)
class Encoded:
    """Rows whose columns are features already, such as ``x`` of a graph that was read with an encoding.

    Args:
        x: ``[B, D]``.

    >>> Encoded([[0.5, 1.0]]).x
    [[0.5, 1.0]]
    """

    x: Any


class Columns(NamedColumns):
    """Alignment of a table's columns with those of training, and their encoding as features.

    Args:
        names: ``D`` feature names in training order, or None.
        encoding: of the raw columns as these features, or None if the features are the columns themselves.
    """

    def __init__(self, names: Sequence[str] | None, encoding: ColumnEncoding | None = None) -> None:
        self.encoding = None if encoding is None or encoding.is_identity else encoding
        super().__init__(names if self.encoding is None else self.encoding.names_in)

    def align(self, x: Any) -> Any:
        """Converts rows by name to the features, in training order; see ``NamedColumns.align``.

        Args:
            x: rows of any supported type; a list of mappings is rows by name.

        Returns:
            ``[B, D]``: an array, or a scipy matrix if all columns are sparse; ``x`` itself if it has no columns.

        Raises:
            GraphKDError: a column is missing, duplicated, or not of its kind; or a student whose columns are
                encoded gets rows without names.
        """
        if isinstance(x, Encoded):
            return x.x
        return super().align(x) if self.encoding is None else self._named(x).transform(x)

    def numbers(self, x: Any) -> Any:
        """Reads rows by name without scaling them; see ``ColumnEncoding.numbers``.

        Raises:
            GraphKDError: as ``align``.
        """
        return self._named(x).numbers(x)

    def _named(self, x: Any) -> ColumnEncoding:
        """Returns the encoding for rows that have names.

        Raises:
            GraphKDError: they have none.
        """
        assert self.encoding is not None
        if not is_records(x) and labels_of(x) is None and not isinstance(x, Mapping):
            raise GraphKDError(
                f"this student reads columns by name ({listed(self.names or [])}): pass a data frame or a list of "
                "mappings; rows that are encoded already, such as data.x, as graphkd.deploy.Encoded(x)"
            )
        return self.encoding
