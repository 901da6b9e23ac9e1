"""How much of a table an ingest has in memory at the same time."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK, MERGE = 80, 100
"""Bytes of the budget per edge of a chunk and of a merge; half of it is DuckDB's, and weights double them."""


@dataclass(frozen=True)
class Plan:
    """Sizes that follow from a budget; the result does not depend on them.

    Args:
        memory: bytes for DuckDB.
        chunk: edges that are looked up and sorted at once.
        merge: edges that are merged at once.

    >>> Plan.within(4e9, weighted=False)
    Plan(memory=2000000000, chunk=50000000, merge=40000000)
    """

    memory: int
    chunk: int
    merge: int

    @classmethod
    def within(cls, budget: float, weighted: bool) -> Plan:
        """Divides a budget in bytes."""
        edges = budget / (2 if weighted else 1)
        return cls(int(budget / 2), max(int(edges / CHUNK), 1), max(int(edges / MERGE), 1))
