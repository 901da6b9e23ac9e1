"""Rows of a request that are objects by name: ``{"age": 41, "city": "Bern"}``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.names import Columns
from graphkd.deploy.server.errors import RefusedError, wrong
from graphkd.errors import GraphKDError, RowError

LENGTH = 50
"""Characters of a name that a message quotes."""


def aligned(rows: Sequence[dict[str, Any]], columns: Columns) -> NDArray[Any]:
    """Converts rows by name to features in training order, by the student's own alignment.

    Stricter than for a frame, whose further columns are ignored: a request that names something else is mistaken.

    Args:
        rows: ``B`` objects of a request.
        columns: of the student.

    Returns:
        ``[B, D]``.

    Raises:
        RefusedError: 422, a name is unknown or missing, or a value is not of its column's kind.
    """
    if columns.names is None:
        raise wrong("rows.0", "this student knows no names of features: send lists of numbers")
    known = {*columns.names, *([] if columns.encoding is None else dict(columns.encoding.dropped))}
    for index, row in enumerate(rows):
        unknown = next((name for name in row if name not in known), None)
        if unknown is not None:
            raise wrong(f"rows.{index}.{unknown[:LENGTH]}", "there is no such feature: /card lists their names")
        for name, value in row.items():
            if isinstance(value, dict | list):
                raise wrong(f"rows.{index}.{name[:LENGTH]}", "holds a list or an object: give one value")
            if isinstance(value, float) and not isfinite(value):  # NaN, which is no JSON, or 1e999
                raise wrong(f"rows.{index}.{name[:LENGTH]}", "no finite number: give one that is")
    try:
        table: NDArray[Any] = columns.align(rows)
    except RowError as error:
        column = "" if error.column is None else f".{error.column[:LENGTH]}"
        raise wrong(f"rows.{error.row}{column}", str(error)) from None
    except GraphKDError as error:
        raise wrong("rows", str(error)) from None
    return np.asarray(table)


def check_names_once(body: bytes) -> None:
    """Checks that no row of a request has one name twice, of which parsers take the last.

    Args:
        body: of a request that was parsed, and whose rows hold single values.

    Raises:
        RefusedError: 422, with the row and the name.
    """
    numbers = count()

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found, row = dict(pairs), next(numbers)
        if len(found) != len(pairs):
            name = next(_repeated(pairs))[:LENGTH]
            raise RefusedError(422, "this name is there twice: leave one out", f"rows.{row}.{name}")
        return found

    json.loads(body, object_pairs_hook=read)  # objects in the order in which they end: rows, then the request


def _repeated(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            yield name
        seen.add(name)
