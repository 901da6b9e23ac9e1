"""How a run keeps its tables."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from graphkd.errors import GraphKDError
from graphkd.numbers import is_real

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Storage:
    """Tables in memory, or in files with a bound for what is made of them at a time.

    Args:
        memory_budget: gigabytes (10^9 bytes) that compiling may take beside the graph, its features and what the
            teacher says of them; nothing keeps all tables in memory.
        dtype: ``float32``, ``bfloat16`` or ``float16``: of the student's inputs and of the hops that are matched,
            where they are in files.

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
