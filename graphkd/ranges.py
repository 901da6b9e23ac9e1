"""Checks of the settings of a part: one line names the key, as it is written on the command line."""

from __future__ import annotations

from typing import Any

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError

MOST = 1e6
"""Of a setting without a bound of its own."""


def check_shares(group: str, /, **settings: Any) -> None:
    """Checks that settings lie in [0, 1).

    Args:
        group: of the part, such as ``method``; so in every check.
        **settings: by key.

    Raises:
        GraphKDError: one does not; so in every check.
    """
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value < 1):
            raise GraphKDError(f"{group}.{key} is {value}: it must lie in [0, 1)")


def check_fractions(group: str, /, **settings: Any) -> None:
    """Checks that settings lie in [0, 1]."""
    check_at_most(group, 1, **settings)


def check_at_most(group: str, most: float, /, **settings: Any) -> None:
    """Checks that settings lie in [0, ``most``]."""
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= most):
            raise GraphKDError(f"{group}.{key} is {value}: it must lie in [0, {most:g}]")


def check_counts(group: str, least: int, most: int | None = None, /, **settings: Any) -> None:
    """Checks that settings are whole numbers, ``least`` or more, and ``most`` or fewer where that is given."""
    bounds = f", {least} or more" if most is None else f" from {least} to {most}"
    for key, value in settings.items():
        if not (is_count(value) and least <= value and (most is None or value <= most)):
            raise GraphKDError(f"{group}.{key} is {value}: it must be a whole number{bounds}")


def check_sizes(group: str, /, **settings: Any) -> None:
    """Checks that settings are numbers from 0."""
    for key, value in settings.items():
        if not (is_real(value) and 0 <= value <= MOST):
            raise GraphKDError(f"{group}.{key} is {value}: it must be a number, 0 or more")


def check_above_zero(group: str, most: float = MOST, /, **settings: Any) -> None:
    """Checks that settings are numbers above 0, ``most`` at most."""
    for key, value in settings.items():
        if not (is_real(value) and 0 < value <= most):
            raise GraphKDError(f"{group}.{key} is {value}: it must be a number above 0, {most:g} at most")


def check_switches(group: str, /, **settings: Any) -> None:
    """Checks that settings are true or false."""
    for key, value in settings.items():
        if not isinstance(value, bool):
            raise GraphKDError(f"{group}.{key} is {value}: it must be true or false")


def check_choice(group: str, known: tuple[str, ...], /, **settings: Any) -> None:
    """Checks that settings are one of the known words."""
    for key, value in settings.items():
        if not (isinstance(value, str) and value in known):
            raise GraphKDError(f"{group}.{key} is '{value}': choose {' or '.join(known)}")
