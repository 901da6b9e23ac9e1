"""Where the tables of a stage are made, and in blocks of how many rows."""

from __future__ import annotations

import contextvars
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.outofcore.mapped import MappedTable

WORKING_SHARE = 0.5
"""Of the budget for the block that is made; the rest is left to what is not counted."""

Make = Callable[[slice], Tensor]
"""Which rows → their numbers."""

DRAFTS = "-drafts"
"""Follows the name of a table in that of the folder of what it is made from."""


class TableStore:
    """Makes tables: in memory as a whole, or in files of a folder, block by block, within a budget.

    As a context manager it is what ``table_store()`` returns inside, so that a method or an influence that makes a
    table need not be told where: ``by_rows`` costs nothing where everything is in memory. In a folder, blocks that
    were finished before are found again.

    Args:
        folder: for the files; without one, tables are made in memory and in one block.
        budget: bytes that a block may take while it is made.
        dtype: in which float32 tables are kept that say they may be rounded: ``float32``, ``bfloat16`` (each
            number within 2⁻⁸ of its size) or ``float16`` (within 2⁻¹¹, for sizes from 6.1e-5 to 65,504).
        shown: the stage, for the progress bar.
        kept: what has to live as long as the tables, such as a temporary folder.
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
        while self._tables:  # what was read of them for the next one
            self._tables.pop().let_go()

    def by_rows(
        self, name: str, shape: tuple[int, int], dtype: torch.dtype, make: Make, unit: int, rounded: bool = False
    ) -> Tensor:
        """A table ``[N, D]``, made some rows at a time: each block is written once, from front to back.

        A table that ``make`` makes in its turn, for its own use, is a draft of this one: gone from the disk once
        this one is finished.

        Args:
            name: of the table, for its file; the second one of a name gets a number.
            shape: ``(N, D)``.
            dtype: of what ``make`` returns.
            make: rows ``a … b`` of ``N`` → ``[b − a, D]``.
            unit: bytes that one row takes while it is made, ``make``'s temporaries included.
            rounded: whether it may be kept in the workspace's ``dtype``.

        Returns:
            ``[N, D]``.

        Raises:
            GraphKDError: one row takes more than the budget, or there is no room on the disk.
        """
        if self.folder is None:
            return make(slice(0, shape[0]))
        kept = self.dtype if rounded and dtype == torch.float32 else dtype
        path = self._path(name)
        table = MappedTable(path, shape, kept)
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
                    table.tensor[part] = _kept(make(part), kept, name)
                    table.finish(block, table.tensor[part])
        finally:
            self._inside.pop()
        shutil.rmtree(drafts, ignore_errors=True)
        return table.tensor

    def within(self, size: int) -> int:
        """``size`` bytes, or what the budget leaves for a block where that is less."""
        return size if self.folder is None else min(size, self._most)

    @property
    def _most(self) -> int:
        return int(WORKING_SHARE * self.budget)

    def _path(self, name: str) -> Path:
        """Of the file of the next table of this name, beside those of the table that it is a draft of."""
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
    """The one that is entered; memory where there is none."""
    return _CURRENT.get()


def _kept(made: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    kept = made.detach().to("cpu", dtype)
    if dtype == torch.float16 and not bool(kept.isfinite().all()):
        raise GraphKDError(
            f"the table '{name}' has numbers beyond float16's 65,504: choose table_dtype=bfloat16, or scale the "
            "features"
        )
    return kept


_CURRENT: contextvars.ContextVar[TableStore] = contextvars.ContextVar("workspace", default=TableStore())  # noqa: B039
