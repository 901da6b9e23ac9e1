"""Checks of a calibration's settings."""

from __future__ import annotations

from typing import Any

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError

MOST = 1e6
"""Of a setting without a bound of its own."""


def check_above_zero(**settings: Any) -> None:
    """Checks that settings are numbers above 0.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 < value <= MOST):
            raise GraphKDError(f"calibration.{key} is {value}: it must be a number above 0")


def check_sizes(**settings: Any) -> None:
    """Checks that settings are numbers from 0.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= MOST):
            raise GraphKDError(f"calibration.{key} is {value}: it must be a number, 0 or more")


def check_epochs(**settings: Any) -> None:
    """Checks that settings are whole numbers from 1.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_count(value) and value >= 1):
            raise GraphKDError(f"calibration.{key} is {value}: it must be a whole number, 1 or more")


def check_switches(**settings: Any) -> None:
    """Checks that settings are true or false.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not isinstance(value, bool):
            raise GraphKDError(f"calibration.{key} is {value}: it must be true or false")
