"""Where the tables of a stage are made, and in blocks of which size."""

from __future__ import annotations

import contextvars
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.tables.mapped import MappedTable

WORKING_SHARE = 0.5
"""Of the budget for the block that is made; the rest is left to what is not counted."""

Make = Callable[[slice], Tensor]
"""Which rows or columns → their numbers."""


class Workspace:
    """Makes tables: in memory as a whole, or in files of a folder, block by block, within a budget.

    As a context manager it is what ``workspace()`` returns inside, so that a method or an influence that makes a
    table need not be told where: ``by_columns`` and ``by_rows`` cost nothing where everything is in memory. In a
    folder, blocks that were finished before are found again.

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
        self._names: Counter[str] = Counter()
        self._tables: list[MappedTable] = []
        self._outer: list[contextvars.Token[Workspace]] = []

    def __enter__(self) -> Workspace:
        self._names.clear()
        self._outer.append(_CURRENT.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._outer.pop())
        while self._tables:  # what was read of them for the next one
            self._tables.pop().let_go()

    def by_columns(
        self, name: str, shape: tuple[int, int], dtype: torch.dtype, make: Make, unit: int, copies: int = 1,
        rounded: bool = False,
    ) -> Tensor:  # fmt: skip
        """A table ``[N, D]``, made some columns at a time.

        Args:
            name: of the table, for its file; the second one of a name gets a number.
            shape: ``(N, D)``; with ``copies`` the table has ``copies · D`` columns.
            dtype: of what ``make`` returns.
            make: columns ``a … b`` of ``D`` → ``[N, b − a]``, or ``[N, copies · (b − a)]``: the same columns of
                each of the ``copies`` tables that stand side by side.
            unit: bytes that one column takes while it is made, ``make``'s temporaries included.
            copies: how many tables.
            rounded: whether it may be kept in the workspace's ``dtype``.

        Returns:
            ``[N, copies · D]``.

        Raises:
            GraphKDError: one column takes more than the budget, or there is no room on the disk.
        """
        rows, width = shape

        def places(part: slice) -> list[tuple[slice, slice]]:
            starts = [copy * width + part.start for copy in range(copies)]
            return [(slice(0, rows), slice(start, start + part.stop - part.start)) for start in starts]

        return self._fill(name, (rows, copies * width), width, dtype, make, unit, places, rounded)

    def by_rows(
        self, name: str, shape: tuple[int, int], dtype: torch.dtype, make: Make, unit: int, rounded: bool = False
    ) -> Tensor:
        """A table ``[N, D]``, made some rows at a time; as ``by_columns``, with ``make`` and ``unit`` for rows."""

        def places(part: slice) -> list[tuple[slice, slice]]:
            return [(part, slice(0, shape[1]))]

        return self._fill(name, shape, shape[0], dtype, make, unit, places, rounded)

    def within(self, size: int) -> int:
        """``size`` bytes, or what the budget leaves for a block where that is less."""
        return size if self.folder is None else min(size, self._most)

    @property
    def _most(self) -> int:
        return int(WORKING_SHARE * self.budget)

    def _fill(
        self, name: str, shape: tuple[int, int], total: int, dtype: torch.dtype, make: Make, unit: int,
        places: Callable[[slice], list[tuple[slice, slice]]], rounded: bool,
    ) -> Tensor:  # fmt: skip
        if self.folder is None:
            return make(slice(0, total))
        self._names[name] += 1
        number = self._names[name]
        kept = self.dtype if rounded and dtype == torch.float32 else dtype
        table = MappedTable(self.folder / (name if number == 1 else f"{name}-{number}"), shape, kept)
        self._tables.append(table)
        step = self._step(total, unit, name)
        for start in tqdm(range(0, total, step), desc=f"{self.shown} {name}", leave=False, disable=world().no_bar):
            part = slice(start, min(start + step, total))
            at, block = places(part), f"{part.start}:{part.stop}"
            if table.holds(block, _joined(table.tensor, at)):
                continue
            made, done = make(part), 0
            for rows, columns in at:
                wide = columns.stop - columns.start
                table.tensor[rows, columns] = _kept(made[:, done : done + wide], kept, name)
                done += wide
            table.finish(block, _joined(table.tensor, at))
        return table.tensor

    def _step(self, total: int, unit: int, name: str) -> int:
        if unit > self._most:
            raise GraphKDError(
                f"memory_budget is {self.budget / 1e9:.3g} GB, but the smallest block of the table '{name}' takes "
                f"{unit / 1e9:.3g} GB: give at least {unit / WORKING_SHARE / 1e9:.3g}"
            )
        return min(total, self._most // max(unit, 1))


def workspace() -> Workspace:
    """The one that is entered; memory where there is none."""
    return _CURRENT.get()


def _joined(tensor: Tensor, places: list[tuple[slice, slice]]) -> Tensor:
    parts = [tensor[rows, columns] for rows, columns in places]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _kept(made: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    kept = made.detach().to("cpu", dtype)
    if dtype == torch.float16 and not bool(kept.isfinite().all()):
        raise GraphKDError(
            f"the table '{name}' has numbers beyond float16's 65,504: choose table_dtype=bfloat16, or scale the "
            "features"
        )
    return kept


_CURRENT: contextvars.ContextVar[Workspace] = contextvars.ContextVar("workspace", default=Workspace())  # noqa: B039
