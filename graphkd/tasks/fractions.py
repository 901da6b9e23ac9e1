"""The rule by which numbers are targets, and not classes."""

from __future__ import annotations


def are_targets(fractions: int, numbers: int) -> bool:
    """Returns whether numbers are to be predicted: more than half of them have a fraction.

    A few fractions are more likely faults of classes.

    Args:
        fractions: how many have one.
        numbers: how many finite ones there are.

    >>> are_targets(2, 3), are_targets(2, 4), are_targets(0, 0)
    (True, False, False)
    """
    return 2 * fractions > numbers
