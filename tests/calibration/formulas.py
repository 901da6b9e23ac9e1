"""Soft losses of calibrated logits, as loops over nodes and classes in Python's own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[float]


def softmax(row: Row) -> list[float]:
    """``exp z_c / Σ exp z``."""
    largest = max(row)
    powers = [math.exp(entry - largest) for entry in row]
    return [power / sum(powers) for power in powers]


def kl(teacher: Row, student: Row) -> float:
    """``KL(softmax(t) ‖ softmax(z))``."""
    q, p = softmax(teacher), softmax(student)
    return sum(a * (math.log(a) - math.log(b)) for a, b in zip(q, p, strict=True))


def cross_entropy(row: Row, label: int) -> float:
    """``−log softmax(z)_y``."""
    return -math.log(softmax(row)[label])


def deviation(row: Row) -> float:
    """With ``C − 1`` in the denominator."""
    mean = sum(row) / len(row)
    return math.sqrt(sum((entry - mean) ** 2 for entry in row) / (len(row) - 1)) + 1e-7


def divided(row: Row, by: float) -> list[float]:
    """``z / T``."""
    return [entry / by for entry in row]
