"""Metrics."""

from graphkd.evaluation.metrics import accuracy, macro_f1

__all__ = ["accuracy", "macro_f1"]
