"""Conversion of node ids to Python values without rounding, merging or renaming."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphkd.checks import check_exact, check_unmasked
from graphkd.errors import GraphKDError


def plain_ids(ids: Any, where: str = "ids") -> list[Any]:
    """Converts ids to Python strings, integers or dates.

    Bytes are decoded as UTF-8. numpy dates in nanoseconds become dates, not the integers that ``tolist`` returns.

    Args:
        ids: ``[N]`` array, series, index or sequence.
        where: origin of the ids, for error messages.

    Raises:
        GraphKDError: ids are masked, bytes are not UTF-8, dates are finer than microseconds, floats are too large
            to represent integers exactly, or ``ids`` is not one-dimensional.
    """
    check_unmasked(ids, where)
    kind = getattr(getattr(ids, "dtype", None), "kind", "")
    if kind in ("c", "V") or getattr(ids, "ndim", 1) != 1:
        raise GraphKDError(f"{where} must hold one text or number per entry: give a flat list or array")
    if kind in ("M", "m"):
        return _dates(np.asarray(ids), where)
    if kind == "f":
        check_exact(ids, where)
    values = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    values = [_plain(value, where) for value in values] if kind in ("", "O", "S") else values
    _check_texts(values, where)
    return values


def _check_texts(values: list[Any], where: str) -> None:
    """Raises if a string cannot be encoded as UTF-8 (a lone surrogate)."""
    for row, value in enumerate(values):
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise GraphKDError(f"{where} holds {value!r} in row {row}, which is no UTF-8 text") from None


def text_of(value: bytes, where: str) -> str:
    """Decodes bytes as UTF-8.

    Raises:
        GraphKDError: they are not UTF-8.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise GraphKDError(f"{where} holds {value!r}, which is no UTF-8 text: decode it first") from None


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _dates(np.asarray([value]), where)[0]
    if isinstance(value, float | np.floating):
        check_exact(value, where)
    value = value.item() if isinstance(value, np.generic) else value
    return text_of(value, where) if isinstance(value, bytes) else value


def _dates(values: Any, where: str) -> list[Any]:
    kind = "datetime64[us]" if values.dtype.kind == "M" else "timedelta64[us]"
    rounded = values.astype(kind)
    if not bool(((rounded.astype(values.dtype) == values) | np.isnat(values)).all()):
        raise GraphKDError(f"{where} holds dates in finer steps than microseconds: give them as texts")
    return [None if value is None else value for value in rounded.tolist()]
