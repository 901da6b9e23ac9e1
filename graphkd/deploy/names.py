"""Rows by name: columns of a table → the student's features, in the student's order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graphkd.errors import GraphKDError


def align(x: Any, names: Sequence[str] | None) -> Any:
    """Returns the columns that the student takes, in its order, where both sides have names.

    A data frame's columns are named unless they are pandas' default numbers ``0 … D − 1``. Anything without
    ``columns``, such as an array or a tensor, has no names: its columns count by position.

    Args:
        x: rows of any kind; a data frame has ``columns`` and is indexed with a list of them.
        names: ``D`` of the student's features, or nothing.

    Returns:
        ``x`` itself where a side has no names.

    Raises:
        GraphKDError: a feature is missing, or a column is there twice.
    """
    columns = getattr(x, "columns", None)
    if columns is None or names is None or not hasattr(columns, "__iter__"):
        return x
    given = list(columns)
    texts = [str(name) for name in given]
    if _default(given) and texts != list(names):
        return x
    if twice := next((name for name, count in Counter(texts).items() if count > 1), None):
        raise GraphKDError(f"x has {texts.count(twice)} columns '{twice}': rename all but one")
    place = dict(zip(texts, given, strict=True))
    if missing := [name for name in names if name not in place]:
        raise GraphKDError(
            f"x has no column {_some(missing)}: the student takes {_some(names)}; rename the columns, or pass an "
            "array, whose columns count by position"
        )
    if extra := [name for name in texts if name not in set(names)]:
        warnings.warn(
            f"x has columns that are no features of the student and are ignored: {_some(extra)}", stacklevel=4
        )
    return x[[place[name] for name in names]]


def _default(columns: list[Any]) -> bool:
    """Whether these are the numbers that pandas gives to columns without names."""
    return all(type(name) is int for name in columns) and columns == list(range(len(columns)))


def _some(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:8]) + (", …" if len(names) > 8 else "")
