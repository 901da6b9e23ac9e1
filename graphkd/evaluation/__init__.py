"""Metrics, tests of significance and equivalence, and latency measurement.

>>> from graphkd.evaluation import paired_difference
>>> student, teacher = [0.80, 0.82, 0.81, 0.83], [0.78, 0.81, 0.80, 0.81]
>>> round(paired_difference(student, teacher).mean, 3)
0.015
"""

from graphkd.evaluation.confusion import ConfusionMatrix
from graphkd.evaluation.equivalence import Tost, detectable_difference, power_of_tost, tost
from graphkd.evaluation.latency import Times, latency
from graphkd.evaluation.metrics import (
    METRICS,
    accuracy,
    balanced_accuracy,
    brier_score,
    expected_calibration_error,
    macro_f1,
    roc_auc,
    score,
    worst_class_accuracy,
)
from graphkd.evaluation.multilabel import F1, MeanRocAuc
from graphkd.evaluation.ranks import Correlation, rank_biserial, spearman
from graphkd.evaluation.regression import R2, MeanAbsoluteError, RootMeanSquaredError
from graphkd.evaluation.reliability import Reliability
from graphkd.evaluation.scorers import STACKED, scorer
from graphkd.evaluation.significance import (
    Friedman,
    PairedDifference,
    best_share,
    friedman,
    holm,
    paired_difference,
)

__all__ = [
    "F1",
    "METRICS",
    "R2",
    "STACKED",
    "ConfusionMatrix",
    "Correlation",
    "Friedman",
    "MeanAbsoluteError",
    "MeanRocAuc",
    "PairedDifference",
    "Reliability",
    "RootMeanSquaredError",
    "Times",
    "Tost",
    "accuracy",
    "balanced_accuracy",
    "best_share",
    "brier_score",
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
    "worst_class_accuracy",
]
