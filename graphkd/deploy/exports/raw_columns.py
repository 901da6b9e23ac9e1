"""Raw columns of a student's table, as exported files and ``schema.json`` describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphkd.columns import ColumnEncoding
from graphkd.columns.kinds import Boolean, Category, Column, Date, Number


@dataclass(frozen=True)
class RawColumn:
    """A column that is read.

    Args:
        name: of the column.
        kind: ``number``, ``date``, ``category``, ``boolean`` or ``presence``.
        categories: values of training rows as texts; every other one is unknown. Empty for other kinds.
        fill: number, or days since 1970-01-01, in place of a missing value; None for other kinds.
        missing: whether training rows lacked values.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    fill: float | None = None
    missing: bool = False

    @classmethod
    def of(cls, columns: ColumnEncoding | None) -> tuple[RawColumn, ...]:
        """Returns the columns of an encoding in the order of ``names_in``; none if it changes nothing."""
        if columns is None or columns.is_identity:
            return ()
        return tuple(map(cls._of, columns.columns))

    @classmethod
    def _of(cls, column: Column) -> RawColumn:
        categories: tuple[str, ...] = ("false", "true") if isinstance(column, Boolean) else ()
        if isinstance(column, Category):
            categories = column.values
        fill = column.fill if isinstance(column, Number | Date) else None
        return cls(column.name, column.kind, categories, fill, column.missing > 0)

    @property
    def record(self) -> dict[str, Any]:
        """Fields as a dictionary for JSON, without those that its kind does not have."""
        categories = {"categories": list(self.categories)} if self.categories else {}
        fill = {} if self.fill is None else {"fill": self.fill}
        return {"name": self.name, "kind": self.kind, **categories, **fill, "missing": self.missing}
