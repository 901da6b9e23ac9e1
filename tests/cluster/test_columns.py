"""Propagation by columns, with tasks that run in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.cluster import Ray, columns
from graphkd.cluster.columns import ClusterColumns, split
from graphkd.outofcore import TableStore
from graphkd.sparse import Adjacency, Features, propagate
from graphkd.sparse.matrix import SparseMatrix


class Here:
    """A cluster whose tasks run in this process."""

    def __init__(self, options: Ray) -> None:
        self.workers, self.tasks = options.workers or 1, 0

    def check(self, reads: list[Path], writes: list[Path]) -> None:
        assert all(folder.is_dir() for folder in writes)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], memory: int) -> Iterator[Any]:
        for item in items:
            self.tasks += 1
            yield function(item)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Here]:
    sessions: list[Here] = []

    @contextmanager
    def session(options: Ray) -> Iterator[Here]:
        sessions.append(Here(options))
        yield sessions[-1]

    monkeypatch.setattr(columns, "cluster_session", session)
    return sessions


def graph(num_nodes: int = 300, width: int = 37, sparse: bool = False) -> tuple[Features, Adjacency]:
    draws = torch.Generator().manual_seed(0)
    edges = torch.randint(num_nodes, (2, 6 * num_nodes), generator=draws)
    x = torch.randn(num_nodes, width, generator=draws)
    adj = Adjacency(torch.cat([edges, edges.flip(0)], dim=1), num_nodes)
    if not sparse:
        return x, adj
    x *= torch.rand(x.shape, generator=draws) < 0.2
    row, col = x.nonzero(as_tuple=True)
    return SparseMatrix.from_coo(row, col, x[row, col], (num_nodes, width)), adj


def store_of(folder: Path, options: Ray, budget: int = 10**8) -> TableStore:
    store = TableStore(folder, budget)
    store.columns = ClusterColumns(options, store)
    return store


@pytest.mark.parametrize("workers", [1, 2, 5, 64])
@pytest.mark.parametrize("pooling", ["mean", "max", "concat"])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_bits_are_those_of_one_process(tmp_path: Path, sparse: bool, pooling: str, workers: int) -> None:
    x, adj = graph(sparse=sparse)
    with store_of(tmp_path, Ray(workers=workers)):
        found = propagate(x, adj, hops=2, pooling=pooling)
    assert torch.equal(found, propagate(x, adj, hops=2, pooling=pooling))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["inputs", "inputs.json"]


def test_a_finished_table_needs_no_cluster(tmp_path: Path, started: list[Here]) -> None:
    x, adj = graph()
    for _ in range(2):
        with store_of(tmp_path, Ray(workers=2)):
            propagate(x, adj, hops=1)
    assert [session.tasks for session in started] == [2]


def test_shards_that_are_whole_are_not_computed_again(
    tmp_path: Path, started: list[Here], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, adj = graph()
    with monkeypatch.context() as patch, store_of(tmp_path, Ray(workers=4)):
        patch.setattr(columns, "_opened", _interrupted_after(columns._opened, 13))
        with pytest.raises(KeyboardInterrupt):
            propagate(x, adj, hops=2)
    folder = tmp_path / "inputs-drafts" / "columns"
    shards = sorted(folder.glob("shard-*.npy"))
    assert 1 < len(shards) < 4
    shards[0].write_bytes(shards[0].read_bytes()[:-1])
    with store_of(tmp_path, Ray(workers=4)):
        found = propagate(x, adj, hops=2)
    assert torch.equal(found, propagate(x, adj, hops=2))
    assert started[-1].tasks == 4 - (len(shards) - 1)


def _interrupted_after(function: Callable[[Path], Any], calls: int) -> Callable[[Path], Any]:
    left = iter(range(calls))

    def opened(file: Path) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(file)

    return opened


def test_columns_beyond_the_budget_are_more_tasks_or_one_line(tmp_path: Path, started: list[Here]) -> None:
    x, adj = graph()
    with store_of(tmp_path / "a", Ray(workers=2, memory=300 * 4 * 3 * 5 / 1e9)):
        propagate(x, adj, hops=1)
    assert started[-1].tasks == 8  # five columns at most, in rounds of two
    with store_of(tmp_path / "b", Ray(workers=2, memory=1e-6)), pytest.raises(GraphKDError) as error:
        propagate(x, adj, hops=1)
    assert "a task has 1e-06 GB, but one column of all rows takes 3.6e-06: give cluster.memory" in str(error.value)


@given(st.integers(1, 300), st.integers(1, 20), st.integers(1, 300))
def test_parts_cover_the_columns(width: int, workers: int, most: int) -> None:
    parts = split(width, workers, most)
    sizes = [part.stop - part.start for part in parts]
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == width
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == width or len(parts) % workers == 0
