"""Tables that are left as they are: of zeros and ones, bags of words, and those that pandas stores sparse."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns.read import series_values

BAG_WIDTH, BAG_ZEROS = 50, 0.9
"""Least columns, and least share of zeros, of a dense bag of words."""

MOST_RATIO = 100.0
"""Ratio of two columns' standard deviations above which a warning is given."""


def is_untouched(frame: Any, train: NDArray[np.int64]) -> bool:
    """Returns whether no column of a frame is encoded under ``auto``.

    That is so in three cases: pandas stores all columns sparse, with zeros left out; all values of the training
    rows are 0 or 1; or there are at least 50 columns, whose values are not negative and at least nine in ten 0.

    Args:
        frame: of pandas.
        train: ``[n]`` positions of training rows, the only ones that are read.
    """
    if all(hasattr(kind, "subtype") and getattr(kind, "fill_value", None) == 0 for kind in frame.dtypes):
        return True
    is_binary, zeros = True, 0
    for position in range(frame.shape[1]):
        values = series_values(frame.iloc[:, position])
        if values.dtype.kind not in "biuf":
            return False
        values = values[train]
        is_binary = is_binary and bool(np.isin(values, (0, 1)).all())
        if not is_binary and (frame.shape[1] < BAG_WIDTH or not (values >= 0).all()):
            return False
        zeros += int((values == 0).sum())
    return is_binary or zeros >= BAG_ZEROS * len(train) * frame.shape[1]


def warn_of_scales(x: NDArray[Any], names: Sequence[str], stacklevel: int = 3) -> None:
    """Warns if columns differ in scale by more than 100.

    Args:
        x: ``[n, D]`` training rows; missing values are NaN.
        names: ``D`` columns.
        stacklevel: of the warning.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.nanstd(x, axis=0, dtype=np.float64)
    varying = np.flatnonzero((spread > 0) & np.isfinite(spread))
    if not len(varying):
        return
    least, most = varying[spread[varying].argmin()], varying[spread[varying].argmax()]
    if (ratio := spread[most] / spread[least]) > MOST_RATIO:
        warnings.warn(
            f"columns '{names[most]}' and '{names[least]}' differ in scale by a factor of {ratio:.0f}, and "
            "nothing scales them: take columns='auto' with numeric='standard'",
            stacklevel=stacklevel,
        )
