"""Checks that a part of a user's own keeps its contract, as scikit-learn's ``check_estimator`` for estimators."""

from graphkd.testing.methods import METHOD_CHECKS, check_method

__all__ = ["METHOD_CHECKS", "check_method"]
