"""Formatting of scores and differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphkd.evaluation.regression import ERRORS
from graphkd.evaluation.significance import PairedDifference


def factor_of(metric: str) -> float:
    """Returns what a score is multiplied by where it is shown: 100, or 1 of an error in the user's units.

    >>> factor_of("accuracy"), factor_of("r2"), factor_of("neg_mae")
    (100.0, 100.0, 1.0)
    """
    return 1.0 if metric.removeprefix("neg_") in ERRORS else 100.0


def heading_of(part: str, metric: str) -> str:
    """Returns the heading of a column of scores, which states percent unless they are errors.

    >>> heading_of("val", "r2"), heading_of("val", "neg_mae")
    ('val %', 'val')
    """
    return part if factor_of(metric) == 1 else f"{part} %"


def axis_label(part: str, metric: str) -> str:
    """Returns the label of an axis of scores.

    >>> axis_label("test", "accuracy"), axis_label("validation", "neg_mae")
    ('test accuracy, %', 'validation neg_mae')
    """
    return f"{part} {metric}" if factor_of(metric) == 1 else f"{part} {metric}, %"


def score_text(values: Sequence[float] | NDArray[np.float64], metric: str) -> str:
    """Formats scores of a metric as ``percent`` or, of errors, as ``figure`` does.

    >>> score_text([0.5], "r2"), score_text([-1.25], "neg_mae")
    ('50.00', '-1.25')
    """
    return figure(values) if factor_of(metric) == 1 else percent(values)


def percent(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Formats mean ± population standard deviation in percent; of a single value, the value alone."""
    mean = f"{100 * np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * np.std(values):.2f}"


def figure(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Formats mean ± population standard deviation in the unit of the values, with four digits."""
    mean = f"{np.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values):.2g}"


def points(difference: PairedDifference, metric: str = "accuracy") -> str:
    """Formats a mean difference with its interval, in percentage points unless the metric is an error.

    A single pair has no interval.
    """
    mean, low, high = (signed(value, metric) for value in (difference.mean, difference.low, difference.high))
    return mean if difference.n == 1 else f"{mean} [{low}, {high}]"


def signed(difference: float, metric: str = "accuracy") -> str:
    """Formats a difference of scores with its sign.

    >>> signed(0.0125), signed(-0.5, "neg_mae")
    ('+1.25', '-0.5')
    """
    factor = factor_of(metric)
    return f"{difference:+.4g}" if factor == 1 else f"{factor * difference:+z.2f}"
