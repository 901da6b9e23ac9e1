"""Metrics."""

from graphkd.evaluation.metrics import METRICS, accuracy, macro_f1, roc_auc, score

__all__ = ["METRICS", "accuracy", "macro_f1", "roc_auc", "score"]
