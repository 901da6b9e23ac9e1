"""Formatting of scores and differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphkd.evaluation.significance import PairedDifference


def percent(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Formats mean ± population standard deviation in percent; of a single value, the value alone."""
    mean = f"{100 * np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * np.std(values):.2f}"


def figure(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Formats mean ± population standard deviation in the unit of the values, with four digits."""
    mean = f"{np.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values):.2g}"


def points(difference: PairedDifference) -> str:
    """Formats a mean difference in percentage points with its interval; a single pair has none."""
    mean = f"{100 * difference.mean:+z.2f}"
    return mean if difference.n == 1 else f"{mean} [{100 * difference.low:+z.2f}, {100 * difference.high:+z.2f}]"
