"""Checks of a method's settings."""

from __future__ import annotations

from typing import Any

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError

MOST = 1e6
"""Of a setting without a bound of its own."""


def check_shares(**settings: Any) -> None:
    """Checks that settings lie in [0, 1).

    Raises:
        GraphKDError: one does not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value < 1):
            raise GraphKDError(f"method.{key} is {value}: it must lie in [0, 1)")


def check_fractions(**settings: Any) -> None:
    """Checks that settings lie in [0, 1].

    Raises:
        GraphKDError: one does not.
    """
    check_at_most(1, **settings)


def check_counts(least: int, most: int | None = None, **settings: Any) -> None:
    """Checks that settings are whole numbers, ``least`` or more, and ``most`` or fewer where that is given.

    Raises:
        GraphKDError: one is not.
    """
    bounds = f", {least} or more" if most is None else f" from {least} to {most}"
    for key, value in settings.items():
        if not (is_count(value) and least <= value and (most is None or value <= most)):
            raise GraphKDError(f"method.{key} is {value}: it must be a whole number{bounds}")


def check_sizes(**settings: Any) -> None:
    """Checks that settings are numbers from 0.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= MOST):
            raise GraphKDError(f"method.{key} is {value}: it must be a number, 0 or more")


def check_above_zero(most: float = MOST, **settings: Any) -> None:
    """Checks that settings are numbers above 0.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 < value <= most):
            raise GraphKDError(f"method.{key} is {value}: it must be a number above 0, {most:g} at most")


def check_choice(known: tuple[str, ...], **settings: Any) -> None:
    """Checks that settings are one of the known words.

    Raises:
        GraphKDError: one is not.
    """
    for key, value in settings.items():
        if not (isinstance(value, str) and value in known):
            raise GraphKDError(f"method.{key} is '{value}': choose {' or '.join(known)}")


def check_at_most(most: float, **settings: Any) -> None:
    """Checks that settings lie in [0, ``most``].

    Raises:
        GraphKDError: one does not.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= most):
            raise GraphKDError(f"method.{key} is {value}: it must lie in [0, {most:g}]")
