"""Description of the rows that a student takes by name: their kinds, a schema, and an example."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from graphkd.columns.kinds import Boolean, Category, Column, Date, Number
from graphkd.deploy.names import Columns

MOST = 256
"""Largest number of columns of an example, and of a schema of a row."""

SHOWN = 20
"""Categories listed of a column."""

SCHEMAS: dict[str, dict[str, Any]] = {
    "number": {"type": ["number", "boolean", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "category": {"type": ["string", "integer", "boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date-time"},
    "presence": {},
}
"""Kind of an encoded column → JSON schema of its values."""


def kinds_of(columns: Columns) -> dict[str, str] | None:
    """Returns column → kind where the student encodes raw columns, else None: all are numbers."""
    return None if columns.encoding is None else dict(columns.encoding.kinds)


def row_schema(columns: Columns) -> dict[str, Any] | None:
    """Returns the JSON schema of a row by name; None for a student without names, or with too many."""
    if columns.names is None or len(columns.names) > MOST:
        return None
    properties: dict[str, Any] = {name: {"type": ["number", "boolean"]} for name in columns.names}
    for column in () if columns.encoding is None else columns.encoding.columns:
        properties[column.name] = dict(SCHEMAS[column.kind])
        if isinstance(column, Category):
            properties[column.name]["examples"] = list(column.values[:SHOWN])
    dropped: dict[str, Any] = (
        {} if columns.encoding is None else {name: {} for name, _ in columns.encoding.dropped}
    )
    return {
        "type": "object",
        "properties": {**properties, **dropped},
        "required": list(columns.names),
        "additionalProperties": False,
    }


def example_row(columns: Columns) -> dict[str, Any] | None:
    """Returns a row by name that the student takes; None for a student without names, or with too many."""
    if columns.names is None or len(columns.names) > MOST:
        return None
    if columns.encoding is None:
        return dict.fromkeys(columns.names, 0.0)
    return {column.name: _example(column) for column in columns.encoding.columns}


def _example(column: Column) -> Any:
    """Returns a value near the middle of a column's values in training."""
    if isinstance(column, Number):
        return round(column.fill) if column.whole else float(f"{column.fill:.4g}")
    if isinstance(column, Date):
        return (date(1970, 1, 1) + timedelta(days=round(column.fill))).isoformat()
    if isinstance(column, Category):
        return column.values[0] if column.values else None
    return True if isinstance(column, Boolean) else None
