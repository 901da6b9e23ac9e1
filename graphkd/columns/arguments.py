"""Checks of the arguments of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns.fit import CHOICES, NUMERIC
from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once


def check_choices(columns: Any, numeric: Any) -> None:
    """Checks ``columns`` and ``numeric``, before there is a table.

    Raises:
        GraphKDError: a value is unknown.
    """
    if isinstance(columns, Mapping):
        for name, kind in columns.items():
            if not isinstance(kind, str) or kind not in CHOICES:
                raise GraphKDError(f"columns: '{name}' is {kind!r}: choose one of {', '.join(CHOICES)}")
    elif not isinstance(columns, str) or columns not in ("auto", "none"):
        raise GraphKDError(f"columns is {columns!r}: choose auto, none, or a kind per column by its name")
    if not isinstance(numeric, str) or numeric not in NUMERIC:
        raise GraphKDError(f"numeric is {numeric!r}: choose one of {', '.join(NUMERIC)}")


def kinds_of(columns: Any, numeric: Any, labels: Sequence[str], where: str) -> dict[str, str]:
    """Returns the kinds that are given by name.

    Raises:
        GraphKDError: a kind or a column is unknown.
    """
    check_choices(columns, numeric)
    kinds = {str(name): kind for name, kind in columns.items()} if isinstance(columns, Mapping) else {}
    if unknown := [name for name in kinds if name not in labels]:
        shown = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        raise GraphKDError(f"columns names '{unknown[0]}', but {where} has {shown}: correct the name")
    return kinds


def check_table(frame: Any, train: Any, where: str) -> NDArray[np.int64]:
    """Checks a frame and its training rows, and returns these as int64.

    Raises:
        GraphKDError: the frame has no columns or duplicated ones, or the training rows are none of its rows.
    """
    if not hasattr(frame, "iloc") or not hasattr(frame, "columns"):
        raise GraphKDError(f"{where} is a {type(frame).__name__}: give a pandas DataFrame")
    labels = [str(label) for label in frame.columns]
    if not labels:
        raise GraphKDError(f"{where} has no columns: add some")
    if not all(labels):
        raise GraphKDError(f"{where} has a column without a name: name it")
    check_once(labels, where)
    rows = np.asarray(train)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
        raise GraphKDError("train must hold row positions of training nodes, at least one: np.flatnonzero(mask)")
    if rows.min() < 0 or rows.max() >= len(frame):
        raise GraphKDError(f"train holds row {rows.max()}, but {where} has {len(frame)} rows: correct it")
    return rows.astype(np.int64)
