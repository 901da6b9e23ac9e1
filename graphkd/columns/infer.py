"""The kind of a column, from the values of its training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphkd.columns.values import category, is_date, is_missing, is_number
from graphkd.errors import GraphKDError

MOST_VALUES = 100
"""Categories up to which a column of texts counts as one without being named."""

LEAST_ROWS, UNIQUE = 20, 0.9
"""Rows from which, and share of different values above which, a column of texts counts as one of ids."""

WORDS = 4
"""Words per value from which a column of different texts is called free text."""

LONGEST = 1000
"""Characters of a category, at most."""


def present(values: Any) -> list[Any]:
    """Returns the values ``[n]`` of a column that are not missing, as Python or numpy objects."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return values[~np.isnan(values)].tolist() if values.dtype.kind == "f" else values.tolist()  # type: ignore[no-any-return]
    return [value for value in values if not is_missing(value)]


def kind_of(values: Sequence[Any], name: str, where: str) -> str:
    """Returns the kind of a column: ``number``, ``boolean``, ``date`` or ``category``.

    Args:
        values: of training rows, without missing ones; at least one.
        name: of the column.
        where: origin of the column, for error messages.

    Raises:
        GraphKDError: values have different or unknown types, or are ids or free text.
    """
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(_kind(value), value)
    if unknown := [value for kind, value in found.items() if not kind]:
        raise GraphKDError(
            f"{where} column '{name}' holds a {type(unknown[0]).__name__}: encode it as numbers, or drop it with "
            f"columns={{'{name}': 'drop'}}"
        )
    if found.keys() == {"date", "text"} and isinstance(found["date"], str):
        found = {"text": found["text"]}  # one text that looks like a date among others
    if len(found) > 1:
        (first, one), (second, other) = [*found.items()][:2]
        raise GraphKDError(
            f"{where} column '{name}' mixes {first} and {second} ({one!r} and {other!r}): give one kind, or take "
            f"all as categories with columns={{'{name}': 'category'}}"
        )
    (kind,) = found
    if kind == "text":
        check_categories([category(value) for value in values], name, where)
        return "category"
    return kind


def check_categories(values: Sequence[str | None], name: str, where: str) -> None:
    """Checks that texts ``[n]`` are categories, not free text and not ids.

    Raises:
        GraphKDError: there are too many different ones, or nearly all differ.
    """
    known = {value for value in values if value is not None}
    nearly_all = len(known) > UNIQUE * len(values) and len(values) >= LEAST_ROWS
    words = sum(len(value.split()) for value in known) / len(known)
    prose = words >= WORDS and len(known) > 2 and len(known) > len(values) / 2
    if not (nearly_all or prose or len(known) > MOST_VALUES):
        return
    counted = f"{len(known)} different texts in {len(values)} training rows"
    example = next(value for value in values if value is not None)[:30]
    way = f"drop it with columns={{'{name}': 'drop'}}"
    if words >= WORDS:
        raise GraphKDError(
            f"{where} column '{name}' holds free text ({counted}, such as '{example}'): encode it as numbers, "
            f"or {way}"
        )
    raise GraphKDError(
        f"{where} column '{name}' looks like an id ({counted}, such as '{example}'): {way}, or take it as "
        f"a category with columns={{'{name}': 'category'}}"
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if is_date(value):
        return "date"
    if isinstance(value, str):
        return "text"
    return "number" if is_number(value) else ""
