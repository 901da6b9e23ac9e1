"""Metrics, tests of significance and equivalence, and latency measurement.

>>> from graphkd.evaluation import paired_difference
>>> student, teacher = [0.80, 0.82, 0.81, 0.83], [0.78, 0.81, 0.80, 0.81]
>>> round(paired_difference(student, teacher).mean, 3)
0.015
"""

from graphkd.evaluation.equivalence import Tost, detectable_difference, power_of_tost, tost
from graphkd.evaluation.latency import Times, latency
from graphkd.evaluation.metrics import (
    METRICS,
    accuracy,
    expected_calibration_error,
    macro_f1,
    roc_auc,
    score,
    scorer,
)
from graphkd.evaluation.ranks import Correlation, rank_biserial, spearman
from graphkd.evaluation.significance import (
    Friedman,
    PairedDifference,
    best_share,
    friedman,
    holm,
    paired_difference,
)

__all__ = [
    "METRICS",
    "Correlation",
    "Friedman",
    "PairedDifference",
    "Times",
    "Tost",
    "accuracy",
    "best_share",
    "detectable_difference",
    "expected_calibration_error",
    "friedman",
    "holm",
    "latency",
    "macro_f1",
    "paired_difference",
    "power_of_tost",
    "rank_biserial",
    "roc_auc",
    "score",
    "scorer",
    "spearman",
    "tost",
]
