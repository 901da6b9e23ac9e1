"""Storage options of a run's tables."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from graphkd.checks import is_real
from graphkd.cluster.parts import Ray
from graphkd.errors import GraphKDError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class TableOptions:
    """Storage of tables: in memory, or in files that are computed within a memory budget.

    Args:
        memory_budget: gigabytes (10^9 bytes) for computing a table, in addition to the graph and its features;
            the outputs of a teacher trained in batches, and all tables computed from them, are then files. With
            ``None`` all tables are in memory.
        dtype: ``float32``, ``bfloat16`` or ``float16``: dtype of the student's inputs in files.
        cluster: that computes propagated features; None for this process.

    Raises:
        GraphKDError: a value is out of range, or ``dtype`` or a cluster is set without a budget.
    """

    memory_budget: float | None = None
    dtype: str = "float32"
    cluster: Ray | None = None

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

        if budget is None and self.cluster is not None:
            raise GraphKDError(
                "a cluster computes tables in files of a folder that its machines share: give a memory_budget in "
                "GB, and that folder as cache_dir"
            )

    @property
    def bytes(self) -> int | None:
        """Budget in bytes, or ``None``."""
        return None if self.memory_budget is None else round(1e9 * self.memory_budget)
