"""Storage of a stage's tables and the size of the row blocks in which they are computed."""

from __future__ import annotations

import contextvars
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.outofcore.mapped import MappedTable

WORKING_SHARE = 0.5
"""Fraction of the budget for the block that is computed; the rest is for allocations that are not counted."""

Make = Callable[[slice], Tensor]
"""Function from a range of rows to their values."""


class Columns(Protocol):
    """Computes propagated features by columns."""

    def pooled(self, x: Any, operator: Any, hops: int, pooling: str) -> Make:
        """Returns a function of rows of the pooled table of ``x [N, D]`` and its products with ``operator``."""


DRAFTS = "-drafts"
"""Suffix of the folder with the intermediate tables of a table."""


class TableStore:
    """Computes and stores tables: in memory as a whole, or in files of a folder, block by block within a budget.

    As a context manager it is the store that ``table_store()`` returns inside the block, so that a method or an
    influence needs no argument for it; ``by_rows`` has no overhead in memory. In a folder, blocks that are already
    finished are reused.

    Args:
        folder: of the files; with ``None``, tables are computed in memory in one block.
        budget: bytes available for computing a block.
        dtype: of the stored float32 tables with ``rounded=True``: ``float32``, ``bfloat16`` (relative error at
            most 2⁻⁸) or ``float16`` (at most 2⁻¹¹, for magnitudes from 6.1e-5 to 65,504).
        shown: the stage, for the progress bar.
        kept: an object that must live as long as the tables, such as a temporary folder.

    ``columns`` computes propagated features elsewhere, see ``graphkd.cluster.columns``; None here.
    """

    def __init__(
        self,
        folder: Path | None = None,
        budget: int = 0,
        dtype: torch.dtype = torch.float32,
        shown: str = "tables",
        kept: object = None,
    ) -> None:
        self.folder, self.budget, self.dtype, self.shown = folder, budget, dtype, shown
        self.columns: Columns | None = None
        self._kept = kept
        self._names: Counter[Path] = Counter()
        self._inside: list[Path] = []
        self._tables: list[MappedTable] = []
        self._outer: list[contextvars.Token[TableStore]] = []

    def __enter__(self) -> TableStore:
        self._names.clear()
        self._outer.append(_CURRENT.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._outer.pop())
        while self._tables:  # drops their pages before the next stage
            self._tables.pop().let_go()

    def by_rows(
        self, name: str, shape: tuple[int, int], dtype: torch.dtype, make: Make, unit: int, rounded: bool = False
    ) -> Tensor:
        """Computes a table ``[N, D]`` in blocks of rows: each block is written once, in order.

        Tables that ``make`` itself computes with ``by_rows`` are intermediate and deleted from the disk once
        this one is finished.

        Args:
            name: of the table, for its file; later tables with the same name get a number.
            shape: ``(N, D)``.
            dtype: of the result of ``make``.
            make: rows ``a … b`` of ``N`` → ``[b − a, D]``.
            unit: bytes per row during the computation, including ``make``'s temporaries.
            rounded: whether it may be stored in the store's ``dtype``.

        Returns:
            ``[N, D]``.

        Raises:
            GraphKDError: one row exceeds the budget, or the disk is full.
        """
        if self.folder is None:
            return make(slice(0, shape[0]))
        stored = self.dtype if rounded and dtype == torch.float32 else dtype
        path = self._path(name)
        table = MappedTable(path, shape, stored)
        self._tables.append(table)
        step = self._step(shape[0], unit, name)
        bar = tqdm(range(0, shape[0], step), f"{self.shown} {name}", leave=False, disable=world().no_bar)
        drafts = path.with_name(path.name + DRAFTS)
        self._inside.append(drafts)
        try:
            for start in bar:
                part = slice(start, min(start + step, shape[0]))
                block = f"{part.start}:{part.stop}"
                if not table.holds(block, table.tensor[part]):
                    table.tensor[part] = _kept(make(part), stored, name)
                    table.finish(block, table.tensor[part])
        finally:
            self._inside.pop()
        shutil.rmtree(drafts, ignore_errors=True)
        return table.tensor

    @property
    def drafts(self) -> Path:
        """The folder of intermediate files of the table that is being computed, deleted once it is finished."""
        return self._inside[-1]

    def within(self, size: int) -> int:
        """Returns ``size`` bytes, at most the budget of a block."""
        return size if self.folder is None else min(size, self._most)

    @property
    def _most(self) -> int:
        return int(WORKING_SHARE * self.budget)

    def _path(self, name: str) -> Path:
        """Returns the path of the next table of this name; intermediate tables are in their table's folder."""
        assert self.folder is not None
        path = (self._inside[-1] if self._inside else self.folder) / name
        self._names[path] += 1
        number = self._names[path]
        return path if number == 1 else path.with_name(f"{name}-{number}")

    def _step(self, total: int, unit: int, name: str) -> int:
        if unit > self._most:
            raise GraphKDError(
                f"memory_budget is {self.budget / 1e9:.3g} GB, but the smallest block of the table '{name}' takes "
                f"{unit / 1e9:.3g} GB: give at least {unit / WORKING_SHARE / 1e9:.3g}"
            )
        return min(total, self._most // max(unit, 1))


def table_store() -> TableStore:
    """Returns the active store; by default one in memory."""
    return _CURRENT.get()


def _kept(made: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    table = made.detach().to("cpu", dtype)
    if dtype == torch.float16 and not bool(table.isfinite().all()):
        raise GraphKDError(
            f"the table '{name}' has numbers beyond float16's 65,504: choose table_dtype=bfloat16, or scale the "
            "features"
        )
    return table


_CURRENT: contextvars.ContextVar[TableStore] = contextvars.ContextVar("workspace", default=TableStore())  # noqa: B039
