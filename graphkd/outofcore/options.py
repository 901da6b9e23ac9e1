"""How a run keeps its tables."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from graphkd.checks import is_real
from graphkd.errors import GraphKDError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class TableOptions:
    """Tables in memory, or in files with a bound for what is made of them at a time.

    Args:
        memory_budget: gigabytes (10^9 bytes) that making a table may take beside the graph and its features; what
            a teacher in batches says, and all that is compiled from it, are files then. Nothing keeps all tables
            in memory.
        dtype: ``float32``, ``bfloat16`` or ``float16``: of the student's inputs, where they are in files.

    Raises:
        GraphKDError: a value outside its range, or a type without a budget.
    """

    memory_budget: float | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        budget = self.memory_budget
        if budget is not None and not (is_real(budget) and budget > 0):
            raise GraphKDError(f"memory_budget is {budget!r}: it must be a number of gigabytes above 0, or null")
        if self.dtype not in DTYPES:
            raise GraphKDError(f"table_dtype is '{self.dtype}': choose one of {', '.join(DTYPES)}")
        if budget is None and self.dtype != "float32":
            raise GraphKDError(
                f"table_dtype={self.dtype} is for tables in files: give a memory_budget, or leave it out"
            )

    @property
    def bytes(self) -> int | None:
        """The budget in bytes."""
        return None if self.memory_budget is None else round(1e9 * self.memory_budget)
