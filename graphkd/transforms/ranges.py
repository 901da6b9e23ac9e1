"""Checks of a transform's settings."""

from __future__ import annotations

from typing import Any

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError

MOST = 1e6
"""Of a setting without a bound of its own."""


def check_fractions(**settings: Any) -> None:
    """Checks that settings lie in [0, 1].

    Raises:
        GraphKDError: one does not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= 1):
            raise GraphKDError(f"transform.{key} is {value}: it must lie in [0, 1]")


def check_counts(least: int, **settings: Any) -> None:
    """Checks that settings are whole numbers, ``least`` or more.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_count(value) and value >= least):
            raise GraphKDError(f"transform.{key} is {value}: it must be a whole number, {least} or more")


def check_above_zero(**settings: Any) -> None:
    """Checks that settings are numbers above 0.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 < value <= MOST):
            raise GraphKDError(f"transform.{key} is {value}: it must be a number above 0, {MOST:g} at most")
