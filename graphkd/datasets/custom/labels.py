"""Conversion of labels of any supported type to class indices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.checks import check_exact
from graphkd.errors import GraphKDError
from graphkd.io.ids import text_of
from graphkd.io.rows import array_of


def encode_labels(labels: Any, where: str = "labels") -> tuple[Tensor, list[Any] | None]:
    """Encodes labels as class indices in sorted order.

    Integers 0 to C − 1 are unchanged. ``None``, NaN, the empty string and, among numbers, −1 are unknown.

    Args:
        labels: ``[N]`` integers, strings or booleans.
        where: origin of the labels, for error messages.

    Returns:
        ``y [N]`` int64 with −1 where unknown, and the ``C`` classes as the user's values, or ``None``
        if these are the numbers 0 to C − 1.

    Raises:
        GraphKDError: no label is known, types are mixed, or a number is not a class.
    """
    plain = plain_labels(labels, where)
    distinct = {value for value in plain if value is not None}
    _check_kinds(distinct, where)
    if -1 in distinct and distinct <= {-1, 1} and not any(isinstance(value, bool) for value in distinct):
        raise GraphKDError(f"{where} holds nothing but -1 and 1, and -1 means unknown: use 0 and 1, or texts")
    if all(type(value) is int for value in distinct):
        distinct.discard(-1)
        if distinct and min(distinct) < 0:
            raise GraphKDError(f"{where} holds {min(distinct)}: only -1, unknown, is below 0; make classes texts")
    if not distinct:
        raise GraphKDError(f"{where} holds no known label: give one to some nodes of every class")
    classes = sorted(distinct)
    number = {value: index for index, value in enumerate(classes)}
    y = torch.tensor([number.get(value, -1) for value in plain], dtype=torch.long)
    numbered = type(classes[0]) is int and classes == list(range(len(classes)))
    return y, None if numbered else classes


def plain_labels(labels: Any, where: str = "labels") -> list[Any]:
    """Converts labels to Python ints, strings and booleans; ``None`` if missing, ints for integral floats."""
    import pandas as pd

    if isinstance(labels, Tensor):
        if labels.dtype == torch.bfloat16:
            raise GraphKDError(f"{where} holds bfloat16, exact for whole numbers up to 256 only: call .long()")
        labels = array_of(labels)
    flat = hasattr(labels, "__len__") and not isinstance(labels, str) and getattr(labels, "ndim", 1) == 1
    if not flat or any(np.ndim(label) for label in labels):
        raise GraphKDError(f"{where} must hold one label per node: give a flat list or array")
    masked = np.ma.getmaskarray(labels) if isinstance(labels, np.ma.MaskedArray) else None
    values = (
        list(labels) if masked is None else [None if no else v for v, no in zip(labels.data, masked, strict=True)]
    )
    column = np.empty(len(values), dtype=object)
    column[:] = [None if value is np.ma.masked else value for value in values]
    return [
        None if missing else _plain(value, where) for value, missing in zip(column, pd.isna(column), strict=True)
    ]


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):  # item() in nanoseconds returns an integer
        raise GraphKDError(f"{where} holds {value.dtype}: labels are whole numbers, texts or booleans")
    if isinstance(value, float | np.floating):
        check_exact(value, where)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bytes):
        value = text_of(value, where)
    if isinstance(value, float):
        if not value.is_integer():
            raise GraphKDError(f"{where} holds {value}: classes are whole numbers or texts")
        return int(value)
    if value == "":
        return None
    return value


def _check_kinds(known: set[Any], where: str) -> None:
    kinds = sorted({type(value).__name__ for value in known})
    if len(kinds) > 1:
        raise GraphKDError(f"{where} mixes {' and '.join(kinds)}: make all labels of one kind")
    if kinds and kinds[0] not in ("int", "str", "bool"):
        raise GraphKDError(f"{where} holds a {kinds[0]}: labels are whole numbers, texts or booleans")
