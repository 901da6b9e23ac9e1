"""Data frames of pandas and polars, tables of pyarrow → their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError


def labels_of(x: Any) -> list[str] | None:
    """The columns' labels of a frame or table, as texts; nothing where there are none."""
    if hasattr(x, "column_names") and hasattr(x, "column"):  # pyarrow, whose columns are the values
        return [str(label) for label in x.column_names]
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        return [str(label) for label in x.columns]
    return None


def names_of(x: Any) -> tuple[str, ...] | None:
    """The names of a frame's columns; nothing where there are none, or only the numbers from 0."""
    labels = labels_of(x)
    return None if labels is None or numbered(labels) else tuple(labels)


def numbered(labels: Sequence[str]) -> bool:
    """Whether the labels are the numbers from 0, which are no names."""
    return list(labels) == [str(number) for number in range(len(labels))]


def check_once(names: Sequence[str], where: str) -> None:
    """Refuses columns of one name: whoever takes them by name would take any of them.

    Raises:
        GraphKDError: the line names the first such name.
    """
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise GraphKDError(f"{where} has {names.count(twice)} columns '{twice}': rename all but one")


def frame_numbers(x: Any, positions: Sequence[int] | None = None, where: str = "x") -> Any:
    """The numbers of some columns; truth values are 1 and 0, what is missing is NaN.

    Args:
        x: a frame or table ``[B, n]``.
        positions: of the columns, in the order wanted; by default all.
        where: they come from, for the error message.

    Returns:
        ``[B, D]``: an array, or a scipy CSR matrix where all columns are sparse.

    Raises:
        GraphKDError: a column holds no numbers; a text that could be read as one is none.
    """
    labels = labels_of(x) or []
    places = range(len(labels)) if positions is None else positions
    if hasattr(x, "iloc"):
        return _from_pandas(x if positions is None else x.iloc[:, list(places)], where)
    columns = [x.column(place) if hasattr(x, "column") else x.to_series(place) for place in places]
    if not columns:
        return np.empty((len(x), 0), dtype=np.float32)
    arrays = zip(columns, (labels[place] for place in places), strict=True)
    return np.column_stack([_numbers(column.to_numpy(), f"{where} column '{label}'") for column, label in arrays])


def object_numbers(column: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Numbers that happen to be kept as objects; what is missing is NaN.

    Args:
        column: ``[B]`` objects.
        where: they come from, for the error message.

    Raises:
        GraphKDError: one of them is no number.
    """
    found = np.empty(len(column))
    for row, value in enumerate(column):
        if value is None or type(value).__name__ == "NAType":
            found[row] = np.nan
        elif isinstance(value, bool | int | float | np.number | np.bool_ | Decimal) and not isinstance(
            value, np.complexfloating | np.timedelta64
        ):
            found[row] = _double(value)
        else:
            raise GraphKDError(
                f"{where} holds {value!r} in row {row}, not a finite number: encode it, or leave it out"
            )
    return found


def _double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats
        return np.inf


def _from_pandas(frame: Any, where: str) -> Any:
    types = list(frame.dtypes)
    if types and all(getattr(kind, "fill_value", None) == 0 and hasattr(kind, "subtype") for kind in types):
        return frame.sparse.to_coo().tocsr()
    odd = [place for place, kind in enumerate(types) if getattr(kind, "kind", "O") not in "biuf"]
    if not odd:
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.empty(frame.shape)
    plain = [place for place in range(len(types)) if place not in set(odd)]
    found[:, plain] = frame.iloc[:, plain].to_numpy(dtype=np.float64, na_value=np.nan)
    for place in odd:
        found[:, place] = object_numbers(
            frame.iloc[:, place].to_numpy(dtype=object), f"{where} column '{frame.columns[place]}'"
        )
    return found


def _numbers(column: NDArray[Any], where: str) -> NDArray[Any]:
    return column if column.dtype.kind in "biuf" else object_numbers(column.astype(object), where)
