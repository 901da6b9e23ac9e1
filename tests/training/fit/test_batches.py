from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.datasets import Graph
from graphkd.methods import SoftTargets, Targets
from graphkd.sparse import Factored, SparseMatrix
from graphkd.training.fit import batches
from graphkd.training.fit.batches import Batches, cut, row_bytes
from tests.conftest import make_data
from tests.sparse.test_matrix import sparse

CPU = torch.device("cpu")


def targets(rows: int, dtype: torch.dtype = torch.float32) -> Targets:
    """Every table says in each row which row it is."""
    number = torch.arange(rows)
    column = number.to(dtype).unsqueeze(1)
    soft = SoftTargets(column.expand(rows, 2).contiguous(), number.to(dtype), 1.5, 1.0)
    return Targets(column.clone(), number, number.double(), soft, [column.expand(rows, 3).contiguous()])


def rows_of(batch: Targets) -> list[int]:
    """The rows of a batch, if all of its tables agree on them."""
    dense = batch.inputs.to_dense() if isinstance(batch.inputs, SparseMatrix) else batch.inputs
    tables = (dense, batch.label_weight.unsqueeze(1), batch.soft.table, batch.soft.row_weight.unsqueeze(1))
    for table in (*tables, *batch.hops):
        assert torch.equal(table, batch.labels.unsqueeze(1).expand_as(table).to(table.dtype))
    return batch.labels.tolist()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 5 rows and pools of 20, so that a hundred rows are many of both."""
    monkeypatch.setattr(batches, "BLOCK_ROWS", 5)
    monkeypatch.setattr(batches, "BLOCKS", 1)
    monkeypatch.setattr(batches, "POOL_BYTES", 20 * row_bytes(targets(1)))


@given(rows=st.integers(1, 130), size=st.integers(1, 140), block=st.integers(1, 40), pool=st.integers(1, 150))
def test_every_row_comes_once_and_only_the_last_batch_is_smaller(
    rows: int, size: int, block: int, pool: int
) -> None:
    whole = targets(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BLOCK_ROWS", block)
        patch.setattr(batches, "BLOCKS", 2)
        patch.setattr(batches, "POOL_BYTES", pool * row_bytes(whole))
        made = list(Batches(whole, size, 0, CPU).epoch(3))
    assert sorted(row for batch in made for row in rows_of(batch)) == list(range(rows))
    assert [batch.num_rows for batch in made[:-1]] == [size] * ((rows - 1) // size)
    assert all(batch.scale == pytest.approx(rows / batch.num_rows) for batch in made)


@given(
    sizes=st.lists(st.integers(1, 9), max_size=12),
    size=st.integers(1, 20),
)
def test_the_stream_of_blocks_is_cut_without_loss(sizes: list[int], size: int) -> None:
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    blocks = [range(start, start + count) for start, count in zip(starts, sizes, strict=True)][::-1]
    pieces = list(cut(blocks, size))
    assert [row for piece in pieces for part in piece for row in part] == [row for each in blocks for row in each]
    assert [sum(map(len, piece)) for piece in pieces[:-1]] == [size] * ((sum(sizes) - 1) // size if sizes else 0)


@pytest.mark.usefixtures("small")
def test_the_order_is_that_of_seed_and_epoch_and_of_nothing_else() -> None:
    def order(seed: int, epoch: int, dtype: torch.dtype = torch.float32) -> list[int]:
        whole = targets(100, dtype)
        return [row for batch in Batches(whole, 4, seed, CPU).epoch(epoch) for row in rows_of(batch)]

    state = torch.get_rng_state()
    assert order(0, 2) == order(0, 2) == order(0, 2, torch.float16)
    assert torch.equal(torch.get_rng_state(), state)
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


@pytest.mark.usefixtures("small")
def test_rows_far_apart_meet_in_a_batch_and_neighbours_part() -> None:
    spread = [max(rows) - min(rows) for rows in map(rows_of, Batches(targets(100), 10, 0, CPU).epoch(0))]
    assert sum(spread) / len(spread) > 40  # one block of ten would spread over 9


def test_where_all_rows_fit_into_one_pool_every_order_is_as_likely() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(600):
        order = tuple(row for batch in Batches(targets(3), 1, 7, CPU).epoch(epoch) for row in rows_of(batch))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert all(60 < count < 140 for count in counts.values())  # 100 expected, standard deviation 9


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_precision_is_widened_and_double_kept(dtype: torch.dtype) -> None:
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    for size in (4, None):
        for batch in Batches(targets(50, dtype), size, 0, CPU).epoch(0):
            assert {each.dtype for each in (batch.inputs, batch.soft.table, *batch.hops)} == {wide}
            assert batch.label_weight.dtype == torch.float64
            rows_of(batch)


@pytest.mark.usefixtures("small")
def test_sparse_rows_and_mapped_files(tmp_path: Path) -> None:
    whole = targets(100)
    file = tmp_path / "inputs"
    file.write_bytes(whole.inputs.numpy().tobytes())
    mapped = torch.from_file(str(file), shared=False, size=100).view(100, 1)
    for inputs in (sparse(whole.inputs), mapped):
        made = [rows_of(batch) for batch in Batches(replace(whole, inputs=inputs), 7, 0, CPU).epoch(0)]
        assert made == [rows_of(batch) for batch in Batches(whole, 7, 0, CPU).epoch(0)]


def test_factored_inputs_become_rows_once() -> None:
    data = make_data()
    graph = Graph.from_data(data)
    factored = Factored(sparse(graph.x), graph.adj.normalize("symmetric", 1, graph.x.dtype), 2)
    table = factored.select(torch.arange(60)).to_dense()
    whole = replace(targets(60), inputs=factored, soft=None, hops=[])
    assert next(Batches(whole, None, 0, CPU).epoch(0)).inputs is factored
    for batch in Batches(whole, 16, 0, CPU).epoch(0):
        torch.testing.assert_close(batch.inputs.to_dense(), table[batch.labels])


@pytest.mark.parametrize("size", [None, 100, 500])
def test_all_rows_at_once_are_those_that_were_given(size: int | None) -> None:
    whole = targets(100)
    (batch,) = Batches(whole, size, 0, CPU).epoch(5)
    assert batch.inputs is whole.inputs
    assert batch.soft.table is whole.soft.table
    assert batch.scale == 1


EDGES = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 5, 7, 5]])


def linked(rows: int = 12) -> Targets:
    """Targets as above, with edges between the first ten rows; an edge from j to i weighs 100 i + j."""
    sender, receiver = EDGES
    edges = SparseMatrix.from_coo(receiver, sender, (100.0 * receiver + sender), (rows, rows))
    whole = targets(rows)
    tables = {"both": whole.inputs.clone(), "own": whole.inputs.clone()}
    return replace(whole, edges=edges, tables=tables, neighbours=("both",))


@pytest.mark.parametrize("size", [1, 5, 7, 11])
def test_batches_with_neighbours_have_every_row_once_and_every_edge(size: int) -> None:
    whole, rows, edges = linked(), [], []
    for batch in Batches(whole, size, 0, CPU).epoch(3):
        own = batch.inputs[batch.own].flatten().long()
        assert torch.equal(own, batch.labels)
        assert torch.equal(batch.tables["own"].flatten().long(), own)
        assert torch.equal(batch.tables["both"], batch.inputs)
        assert torch.equal(batch.soft.table[:, 0].long(), own)
        assert batch.scale == pytest.approx(12 / own.numel())
        receiver, sender, weight = batch.ends(batch.inputs)
        assert torch.equal(100 * receiver.flatten() + sender.flatten(), weight)
        rows += own.tolist()
        edges += weight.tolist()
    assert sorted(rows) == list(range(12))
    assert sorted(edges) == sorted((100.0 * EDGES[1] + EDGES[0]).tolist())


def test_the_order_of_batches_with_neighbours_is_that_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return tuple(
            row for batch in Batches(linked(), 5, seed, CPU).epoch(epoch) for row in batch.labels.tolist()
        )

    state = torch.get_rng_state()
    assert order(1, 2) == order(1, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert len({order(seed, epoch) for seed in range(3) for epoch in range(3)}) == 9


@pytest.mark.parametrize("size", [None, 12, 50])
def test_all_rows_at_once_have_all_edges_and_no_rows_beside_them(size: int | None) -> None:
    whole = linked()
    (batch,) = Batches(whole, size, 0, CPU).epoch(0)
    assert batch.own is None
    assert batch.edges is whole.edges
    assert batch.tables["both"] is whole.tables["both"]
