"""Propagation of features by columns: each column of ``Ã^k X`` depends on the same column of ``X`` alone.

A task keeps some columns of all rows, runs every hop and writes its columns; machines exchange nothing between
hops. A join of edges with rows, as engines of tables run it, sends ``nnz · D`` numbers over the network in each.
"""

from __future__ import annotations

import collections
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.atomic_io import file_crc, whole_file, write_json
from graphkd.cluster.parts import Ray
from graphkd.cluster.session import cluster_session
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.outofcore.store import TableStore
from graphkd.sparse.features import Features
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.propagate import blocks, pool
from graphkd.sparse.spmm import spmm

AT_ONCE = 16
"""Columns of ``X`` that are transposed at a time: a cache line of float32."""

OPERATOR = ("rowptr", "col", "value")
"""Arrays of ``Ã`` in the shared folder."""


class ClusterColumns:
    """Computes pooled features on a cluster, in files of the table store's folder, which all machines share.

    Args:
        options: of the cluster; it is connected to when the first block of a table is not there yet.
        store: in which the tables are.
    """

    def __init__(self, options: Ray, store: TableStore) -> None:
        self.options, self.store = options, store

    def pooled(self, x: Features, operator: SparseMatrix, hops: int, pooling: str) -> Callable[[slice], Tensor]:
        """Returns the function of rows that ``TableStore.by_rows`` writes the table with.

        Args:
            x: ``[N, D]``.
            operator: ``Ã [N, N]``.
            hops: ``P``, from 1.
            pooling: of the hops.
        """

        @functools.cache
        def shards() -> list[tuple[slice, Tensor]]:
            folder = self.store.drafts / "columns"
            return self._computed(x, operator, hops, pooling, folder)

        def rows_of(rows: slice) -> Tensor:
            width, wide = x.shape[1], blocks(hops, pooling)
            table = torch.empty(rows.stop - rows.start, wide, width, dtype=x.dtype)
            for columns, shard in shards():
                table[:, :, columns] = shard[rows].view(-1, wide, columns.stop - columns.start)
            return table.view(-1, wide * width)

        return rows_of

    def _computed(
        self, x: Features, operator: SparseMatrix, hops: int, pooling: str, folder: Path
    ) -> list[tuple[slice, Tensor]]:
        """Computes the shards that are not there yet, and opens all."""
        _share(x, operator, folder)
        row_bytes = x.dtype.itemsize * (2 + blocks(hops, pooling))  # of one column: hop, next hop, pooled
        with cluster_session(self.options) as cluster:
            cluster.check([], [folder])
            parts = split(x.shape[1], cluster.workers, self._most_columns(x.shape[0] * row_bytes))
            missing = [part for part in parts if not _is_whole(folder, part)]
            task = functools.partial(compute_shard, str(folder.absolute()), hops, pooling)
            memory = max(part.stop - part.start for part in parts) * x.shape[0] * row_bytes
            done = cluster.map(task, [(part.start, part.stop) for part in missing], memory)
            bar: dict[str, Any] = {"total": len(missing), "leave": False, "disable": world().no_bar}
            collections.deque(tqdm(done, f"{self.store.shown} columns", **bar), maxlen=0)
        return [(part, _opened(_shard_file(folder, part))) for part in parts]

    def _most_columns(self, column_bytes: int) -> int:
        budget = self.store.budget if self.options.memory is None else int(1e9 * self.options.memory)
        if column_bytes > budget:
            raise GraphKDError(
                f"a task has {budget / 1e9:.3g} GB, but one column of all rows takes {column_bytes / 1e9:.3g}: "
                "give cluster.memory, or a larger memory_budget"
            )
        return budget // column_bytes


def split(width: int, workers: int, most: int) -> list[slice]:
    """Splits columns into parts of nearly the same size: a multiple of the workers, none with more than ``most``.

    >>> split(10, workers=4, most=8)
    [slice(0, 2, None), slice(2, 5, None), slice(5, 7, None), slice(7, 10, None)]
    >>> len(split(100, workers=4, most=20))
    8
    """
    rounds = -(-width // (workers * most))
    count = min(width, rounds * workers)
    return [slice(part * width // count, (part + 1) * width // count) for part in range(count)]


def compute_shard(folder: str, hops: int, pooling: str, columns: tuple[int, int]) -> None:
    """Computes and writes some columns of the pooled table.

    Args:
        folder: with the features and the operator.
        hops: ``P``.
        pooling: of the hops.
        columns: first, and the one behind the last.
    """
    place, part = Path(folder), slice(*columns)
    rowptr, col, value = (_opened(place / f"{name}.npy") for name in OPERATOR)
    operator = SparseMatrix(rowptr, col, value, rowptr.numel() - 1)
    table, file = _columns(place, part), _shard_file(place, part)
    _write(file, pool(table, _powers(table, operator, hops), hops, pooling))
    write_json(_record(place, part), {"crc": file_crc(file)})


def _powers(table: Tensor, operator: SparseMatrix, hops: int) -> Iterator[Tensor]:
    for _ in range(hops):
        table = spmm(operator, table)
        yield table


def _share(x: Features, operator: SparseMatrix, folder: Path) -> None:
    """Writes what all tasks read; what is there already is of the same key, see ``StageCache.table_store``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in OPERATOR:
        _write_once(folder / f"{name}.npy", getattr(operator, name))
    if isinstance(x, Tensor):
        _write_columns(folder / "x.npy", x)
    else:
        by_column = x.t()
        for name in OPERATOR:
            _write_once(folder / f"x-{name}.npy", getattr(by_column, name))


def _columns(folder: Path, part: slice) -> Tensor:
    """Returns some columns of ``X``, dense."""
    if (folder / "x.npy").exists():
        return _opened(folder / "x.npy")[part].t().clone(memory_format=torch.contiguous_format)
    rowptr, col, value = (_opened(folder / f"x-{name}.npy") for name in OPERATOR)
    num_rows = _opened(folder / "rowptr.npy").numel() - 1
    by_column = SparseMatrix(rowptr, col, value, num_rows).rows(part)
    table = torch.empty(num_rows, part.stop - part.start, dtype=value.dtype)
    return table.copy_(by_column.to_dense().t())  # a single column's transpose is no ordinary table: other bits


def _write_columns(file: Path, x: Tensor) -> None:
    """Writes ``X`` transposed, some columns at a time: a task reads its own alone, not the pages of all rows."""
    if file.exists():
        return
    with whole_file(file) as draft:
        shape = (x.shape[1], x.shape[0])
        dtype = np.dtype(str(x.dtype).removeprefix("torch."))
        table = np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=shape)
        for start in range(0, shape[0], AT_ONCE):
            table[start : start + AT_ONCE] = x[:, start : start + AT_ONCE].t().cpu().numpy()
        table.flush()


def _write_once(file: Path, array: Tensor) -> None:
    if not file.exists():
        _write(file, array.detach().cpu())


def _write(file: Path, array: Tensor) -> None:
    with whole_file(file) as draft, draft.open("wb") as content:
        np.save(content, array.numpy(), allow_pickle=False)


def _opened(file: Path) -> Tensor:
    return torch.from_numpy(np.load(file, mmap_mode="c", allow_pickle=False))


def _shard_file(folder: Path, part: slice) -> Path:
    return folder / f"shard-{part.start}-{part.stop}.npy"


def _record(folder: Path, part: slice) -> Path:
    return _shard_file(folder, part).with_suffix(".json")


def _is_whole(folder: Path, part: slice) -> bool:
    try:
        return bool(json.loads(_record(folder, part).read_text())["crc"] == file_crc(_shard_file(folder, part)))
    except (OSError, ValueError, KeyError, TypeError):
        return False
