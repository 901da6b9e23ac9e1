"""Lines that state what became of every column."""

from __future__ import annotations

from graphkd.columns.kinds import Boolean, Category, Column, Date, Number, Presence

SHOWN = 5
"""Categories listed in a line."""

REASONS = {
    "constant": "one value in all training rows",
    "missing": "no value in any training row",
    "asked": "as asked",
}


def line_of(column: Column, numeric: str, rows: int) -> str:
    """Describes a column's encoding, such as ``age: number, standardised; missing in 3 of 20 training rows``.

    Args:
        column: fitted.
        numeric: ``standard``, ``robust`` or ``none``.
        rows: number of training rows.
    """
    line = f"{column.name}: {_what(column, numeric)}"
    if not column.missing:
        return line
    missing = f"{line}; missing in {column.missing} of {rows} training rows"
    if isinstance(column, Number | Date):
        return f"{missing}: {'median' if numeric == 'robust' else 'mean'} and {column.features[-1]}"
    return missing


def dropped_line(name: str, reason: str) -> str:
    """Describes why a column is not read."""
    return f"{name}: dropped, {REASONS[reason]}"


def _what(column: Column, numeric: str) -> str:
    scaled = {"none": "as it is", "standard": "standardised", "robust": "scaled by median and quartiles"}
    if isinstance(column, Number):
        whole = f", of whole numbers (for codes: columns={{'{column.name}': 'category'}})" if column.whole else ""
        return f"number, {scaled[numeric]}{whole}"
    if isinstance(column, Date):
        times = "".join(f", time of the {part}" for part in column.parts)
        return f"date, days {scaled['standard' if numeric == 'none' else numeric]}{times}"
    if isinstance(column, Category):
        rest = f" and {len(column.values) - SHOWN} more" if len(column.values) > SHOWN else ""
        return f"category ({', '.join(column.values[:SHOWN])}{rest}), others and missing are unknown"
    if isinstance(column, Boolean):
        return "boolean, missing is unknown"
    assert isinstance(column, Presence)
    return "one value in training, encoded as whether it is missing"
