"""Fit of column encodings to training rows, with scikit-learn's transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import LARGEST
from graphkd.columns.cells import CellError, read, reader_of
from graphkd.columns.cycles import varying
from graphkd.columns.infer import LONGEST, kind_of, present
from graphkd.columns.kinds import UNKNOWN, Boolean, Category, Column, Date, Number, Presence
from graphkd.columns.read import Raw
from graphkd.columns.untouched import warn_of_scales
from graphkd.columns.values import category
from graphkd.errors import GraphKDError

CHOICES = ("number", "category", "boolean", "date", "drop")
"""Kinds that can be given by name."""

NUMERIC = ("standard", "robust", "none")
"""Ways to scale numbers."""

DROPPED = ("constant", "missing", "asked")
"""Reasons why a column is not read: one value in training, none in training, or dropped by name."""

KIND_OF_TYPE = {"b": "boolean", "i": "number", "u": "number", "f": "number", "M": "date"}
"""Kind of an array's values by the kind of its dtype."""

MOST_CATEGORIES = 10_000
"""Categories of one column, at most."""


def fit_columns(
    raw: Mapping[str, Raw], kinds: Mapping[str, str], numeric: str, where: str
) -> tuple[list[Column], list[tuple[str, str]]]:
    """Fits the encodings of all columns.

    Args:
        raw: column → values of the training rows ``[n]``.
        kinds: column → kind, where it is given by name.
        numeric: ``standard``, ``robust`` or ``none``.
        where: origin of the table, for error messages.

    Returns:
        The encodings in the order of ``raw``, and the dropped columns with the reason.

    Raises:
        GraphKDError: a column is refused; the message names it.
    """
    fitted: dict[str, Column] = {}
    dropped: list[tuple[str, str]] = []
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, values in raw.items():
        if kinds.get(name) == "drop":
            dropped.append((name, "asked"))
            continue
        known = present(values)
        if not known:
            dropped.append((name, "missing"))
            continue
        kind = kinds.get(name) or KIND_OF_TYPE.get(getattr(values, "dtype", np.dtype("O")).kind)
        kind = kind or kind_of(known, name, where)
        if kind in ("number", "date"):
            numbers[name] = _numbers(kind, name, values, where)
            fitted[name] = _kept(kind, name, numbers[name])
        else:
            fitted[name] = _category(name, values, where) if kind == "category" else _boolean(name, values, where)
    constant = [name for name, column in fitted.items() if _is_constant(column, numbers.get(name), raw[name])]
    dropped += [(name, "constant") for name in constant]
    columns = {name: column for name, column in fitted.items() if name not in constant}
    _put_scales(columns, numbers, numeric, where)
    plain = [name for name, column in columns.items() if column.kind == "number"]
    if numeric == "none" and plain:
        warn_of_scales(np.stack([numbers[name] for name in plain], axis=1), plain, stacklevel=5)
    order = list(raw)
    return list(columns.values()), sorted(dropped, key=lambda pair: order.index(pair[0]))


def _numbers(kind: str, name: str, values: Raw, where: str) -> NDArray[np.float64]:
    column = Number(name, 0.0) if kind == "number" else Date(name, 0.0, 0.0, 1.0)
    numbers = np.asarray(_read(column, values, where), dtype=np.float64)
    if np.isinf(numbers).any():
        value = values[int(np.isinf(numbers).argmax())]
        raise GraphKDError(
            f"{where} column '{name}' holds {str(value)[:40]}: give finite numbers, or null if missing"
        )
    return numbers


def _read(column: Column, values: Raw, where: str) -> Any:
    try:
        return read(reader_of(column), values, column)
    except CellError as error:  # its row counts training rows only
        raise GraphKDError(f"{where} {error.found} in a training row, not {error.expected}") from None


def _kept(kind: str, name: str, numbers: NDArray[np.float64]) -> Column:
    """Returns the encoding of a numeric column, not scaled yet; the presence alone where there is one number."""
    empty = np.isnan(numbers)
    known, missing = numbers[~empty], int(empty.sum())
    if missing and known.min() == known.max():
        return Presence(name, missing)
    if kind == "number":
        return Number(name, 0.0, 0.0, 1.0, missing > 0, missing, bool((known == np.floor(known)).all()))
    year, day = varying(known)
    return Date(name, 0.0, 0.0, 1.0, missing > 0, missing, year, day)


def _boolean(name: str, values: Raw, where: str) -> Boolean:
    slots = np.asarray(_read(Boolean(name), values, where), dtype=np.int64)
    return Boolean(name, int((slots == 2).sum()))


def _category(name: str, values: Raw, where: str) -> Category:
    """Fits a one-hot encoding; missing values, and the text ``unknown``, are in the last slot."""
    from sklearn.preprocessing import OneHotEncoder

    _read(Category(name, ()), values, where)
    keys = [category(value) for value in (values.tolist() if isinstance(values, np.ndarray) else values)]
    table = np.array([[UNKNOWN if key is None else key] for key in keys], dtype=object)
    known = [value for value in OneHotEncoder().fit(table).categories_[0].tolist() if value != UNKNOWN]
    if len(known) > MOST_CATEGORIES:
        raise GraphKDError(
            f"{where} column '{name}' has {len(known)} categories, more than {MOST_CATEGORIES}: group them, or "
            "drop the column"
        )
    if longest := next((value for value in known if len(value) > LONGEST), None):
        raise GraphKDError(
            f"{where} column '{name}' holds a text of {len(longest)} characters, which is no category: drop the "
            "column"
        )
    return Category(name, tuple(known), sum(key is None for key in keys))


def _is_constant(column: Column, numbers: NDArray[np.float64] | None, values: Raw) -> bool:
    if isinstance(column, Presence):
        return False
    if numbers is not None:
        return bool(column.missing == 0 and numbers.min() == numbers.max())
    if isinstance(column, Category):
        has_unknown = any(category(value) in (None, UNKNOWN) for value in values)
        return len(column.values) + has_unknown < 2
    return len({*read(reader_of(column), values, column)}) < 2


def _put_scales(
    columns: dict[str, Column], numbers: Mapping[str, NDArray[np.float64]], numeric: str, where: str
) -> None:
    """Imputes and scales numbers and days, all columns of one way together; replaces them in ``columns``."""
    for kind, way in (("number", numeric), ("date", "standard" if numeric == "none" else numeric)):
        names = [name for name, column in columns.items() if column.kind == kind]
        if names:
            fill, shift, scale = _scales(np.stack([numbers[name] for name in names], axis=1), way)
            for at, name in enumerate(names):
                columns[name] = _scaled(columns[name], numbers[name], (fill[at], shift[at], scale[at]), where)


def _scales(table: NDArray[np.float64], way: str) -> Sequence[NDArray[np.float64]]:
    """Fits imputation and scaling of numbers ``[n, d]``: fill, shift and scale, ``[d]`` each."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import RobustScaler, StandardScaler

    with np.errstate(over="ignore", invalid="ignore"):
        imputer = SimpleImputer(strategy="median" if way == "robust" else "mean").fit(table)
        fill = imputer.statistics_
        if way == "none" or not np.isfinite(fill).all():
            return fill, np.zeros(len(fill)), np.ones(len(fill))
        values = imputer.transform(table)
        standard = StandardScaler().fit(values)
        if way == "standard":
            return fill, standard.mean_, standard.scale_
        robust = RobustScaler().fit(values)
        low, high = np.percentile(values, [25, 75], axis=0)
        return fill, robust.center_, np.where(low == high, standard.scale_, robust.scale_)


def _scaled(
    column: Column, numbers: NDArray[np.float64], fitted: tuple[float, float, float], where: str
) -> Column:
    fill, shift, scale = map(float, fitted)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.nanmax(np.abs((numbers - shift) / scale))
    if not (np.isfinite([fill, shift, scale]).all() and scale > 0 and largest <= LARGEST):
        raise GraphKDError(
            f"{where} column '{column.name}' holds numbers that are too large for single precision, or to be "
            "scaled: divide them first"
        )
    assert isinstance(column, Number | Date)
    return replace(column, fill=fill, shift=shift, scale=scale)
