"""Conversion of single raw values to numbers, days and categories; others raise ``ValueError``."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import numpy as np

YEARS = (1700, 2199)
"""First and last year of dates: microseconds since 1970 are exact in double precision there."""

EPOCH = datetime.datetime(1970, 1, 1)
DAY = datetime.timedelta(days=1)
MICROSECONDS = 86_400_000_000
"""Microseconds per day."""

TRUTH = {"true": 1, "false": 0}

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII | re.IGNORECASE
)


def is_missing(value: Any) -> bool:
    """Returns whether a value is missing: ``None``, NaN, NaT, pandas' ``NA`` or the empty string."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, float | np.floating | datetime.datetime | np.datetime64 | np.timedelta64):
        return bool(value != value)
    return type(value).__name__ == "NAType"


def is_number(value: Any) -> bool:
    """Returns whether a value is a real number or a boolean."""
    return isinstance(value, bool | int | float | np.number | np.bool_ | Decimal) and not isinstance(
        value, np.complexfloating | np.timedelta64
    )


def is_date(value: Any) -> bool:
    """Returns whether a value is a date or a timestamp, or a string that is written like one in ISO 8601."""
    if isinstance(value, str):
        return _ISO.fullmatch(value) is not None
    return isinstance(value, datetime.date | np.datetime64)


def number(value: Any) -> float:
    """Converts a number to double precision; missing values are NaN, integers that overflow infinite.

    >>> number(True), number(None)
    (1.0, nan)
    """
    if type(value) is float:
        return value
    if type(value) is not int:
        if is_missing(value):
            return np.nan
        if not is_number(value):
            raise ValueError
    try:
        return float(value)
    except OverflowError:
        return np.inf


def day(value: Any) -> float:
    """Converts a date or timestamp to days since 1970-01-01 in UTC; missing values are NaN.

    Strings must be in ISO 8601, such as ``2024-01-31`` or ``2024-01-31T12:00:00Z``. Those without a time zone, and
    timestamps without one, count as UTC. Nanoseconds are cut to microseconds.

    >>> day("1970-01-02T12:00")
    1.5
    """
    if is_missing(value):
        return np.nan
    if isinstance(value, str):
        if _ISO.fullmatch(value) is None:
            raise ValueError
        value = datetime.datetime.fromisoformat(value)
    elif hasattr(value, "to_datetime64"):  # of pandas, in UTC; its Python equivalent would warn of nanoseconds
        value = value.to_datetime64()
    if isinstance(value, np.datetime64):
        return float(days(np.asarray([value]))[0])
    if isinstance(value, datetime.datetime):
        if not YEARS[0] <= value.year <= YEARS[1]:
            raise ValueError
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        since: float = (value - EPOCH) / DAY
        return since
    if isinstance(value, datetime.date) and YEARS[0] <= value.year <= YEARS[1]:
        return float(value.toordinal() - EPOCH.toordinal())
    raise ValueError


def days(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Converts numpy dates ``[B]`` to days since 1970-01-01; NaT is NaN."""
    empty = np.isnat(values)
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970  # first: finer units could overflow
    if not bool(((years >= YEARS[0]) & (years <= YEARS[1]) | empty).all()):
        raise ValueError
    since = values.astype("datetime64[us]").astype(np.int64) / MICROSECONDS
    return np.where(empty, np.nan, since)


def category(value: Any) -> str | None:
    """Converts a category to text; ``None`` if it is missing.

    Whole numbers are the same category in every type; booleans are ``true`` and ``false``. Other numbers are none.

    >>> category(8001), category(8001.0), category("8001")
    ('8001', '8001', '8001')
    """
    if type(value) is str:
        return value or None
    if is_missing(value):
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if not is_number(value) or value in (np.inf, -np.inf) or value != int(value):
        raise ValueError
    return str(int(value))


def truth(value: Any) -> int:
    """Converts a boolean to 0 or 1, and a missing one to 2; 0, 1 and ``true`` and ``false`` as texts are booleans.

    >>> truth("True"), truth(0.0), truth(None)
    (1, 0, 2)
    """
    if type(value) is bool:
        return int(value)
    if is_missing(value):
        return 2
    if isinstance(value, str):
        value = TRUTH.get(value.lower())
    if value is None or not is_number(value) or value not in (0, 1):
        raise ValueError
    return int(value)
