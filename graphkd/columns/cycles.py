"""Time of the year and of the day as angles, from days since 1970-01-01."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import NDArray

from graphkd.columns.values import EPOCH, YEARS

Days = NDArray[np.float64]

_STARTS = np.array(
    [datetime.date(year, 1, 1).toordinal() - EPOCH.toordinal() for year in range(YEARS[0], YEARS[1] + 2)],
    np.float64,
)
"""First day of every year, and of the one after the last."""


def waves(days: Days, part: str) -> NDArray[np.float64]:
    """Computes sine and cosine ``[B, 2]`` of the time of the ``year`` or of the ``day``.

    A year is a full turn, whether it has 365 or 366 days.
    """
    if part == "year":
        year = np.searchsorted(_STARTS, days, side="right")
        share = (days - _STARTS[year - 1]) / (_STARTS[year] - _STARTS[year - 1])
    else:
        share = days - np.floor(days)
    both = np.empty((len(days), 2))
    share *= 2.0 * np.pi
    np.sin(share, out=both[:, 0])
    np.cos(share, out=both[:, 1])
    return both


def varying(days: Days) -> tuple[bool, bool]:
    """Returns whether the day of the year, and whether the time of the day, varies in days ``[n]``."""
    whole = np.floor(days)
    of_year = whole - _STARTS[np.searchsorted(_STARTS, days, side="right") - 1]
    return bool(np.ptp(of_year) > 0), bool(np.ptp(days - whole) > 0)
