"""Which of many alike cases run in the default tier."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some_of(cases: Iterable[Any], step: int) -> list[Any]:
    """Returns parameters of which every ``step``-th runs in the default tier, and the others are slow."""
    return [pytest.param(case, marks=pytest.mark.slow if k % step else ()) for k, case in enumerate(cases)]
