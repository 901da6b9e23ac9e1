import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import Adjacency, Block, adjacency
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, seeded

KINDS = ("symmetric", "row", "none")


@st.composite
def graphs(draw: st.DrawFn, num_nodes: int) -> Adjacency:
    """Any graph, with or without weights; some weights are zero."""
    edges = draw(edge_lists(num_nodes))
    generator = seeded(draw(st.integers(0, 2**31)))
    weight = torch.randint(0, 4, (edges.shape[1],), generator=generator) / 3
    return Adjacency(edges, num_nodes, weight if draw(st.booleans()) else None)


@given(
    adj=graphs(7),
    nodes=st.lists(st.integers(0, 6), min_size=1, unique=True),
    kind=st.sampled_from(KINDS),
    loops=st.integers(0, 2),
)
def test_a_block_with_all_edges_holds_the_rows_of_the_graph_s_operator(
    adj: Adjacency, nodes: list[int], kind: str, loops: int
) -> None:
    block = Block.of(adj, torch.tensor(nodes))
    rows = torch.zeros(len(nodes), 7, dtype=torch.float64)
    rows[:, block.sources] = block.normalize(kind, loops, torch.float64).to_dense()
    expected = adj.normalize(kind, loops, torch.float64).to_dense()[nodes]
    torch.testing.assert_close(rows, expected, atol=1e-14, rtol=1e-14)


@given(adj=graphs(7), nodes=st.lists(st.integers(0, 6), min_size=1, unique=True), loops=st.integers(0, 2))
def test_its_columns_ascend_and_are_the_receivers_and_their_senders(
    adj: Adjacency, nodes: list[int], loops: int
) -> None:
    block = Block.of(adj, torch.tensor(nodes))
    senders = adj.matrix.select(torch.tensor(nodes)).col.tolist()
    assert block.sources.tolist() == sorted({*nodes, *senders})
    assert (block.num_receivers, block.num_nodes) == (len(nodes), block.sources.numel())
    operator = block.normalize("row", loops)
    for start, stop in zip(operator.rowptr, operator.rowptr[1:], strict=False):
        assert (operator.col[start:stop].diff() > 0).all()


def test_receivers_pick_their_own_rows() -> None:
    adj = Adjacency(torch.tensor([[0, 4, 1], [3, 3, 2]]), 5)
    block = Block.of(adj, torch.tensor([3, 2]))
    assert block.sources.tolist() == [0, 1, 2, 3, 4]
    x = torch.arange(10.0).reshape(5, 2)
    assert torch.equal(block.receivers(x), x[[3, 2]])
    assert torch.equal(block.receivers(sparse(x)).to_dense(), x[[3, 2]])
    assert adj.receivers(x) is x


@pytest.mark.parametrize("loops", [0, 1, 2])
@pytest.mark.parametrize("rows", [1, 3, 100])
def test_degrees_are_the_row_sums_that_the_operator_uses(
    loops: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adjacency, "LOOKED_AT", rows)
    edges, weight = torch.tensor([[0, 1, 1, 2, 2], [1, 0, 2, 1, 2]]), torch.tensor([0.5, 2.0, 1.0, 3.0, 7.0])
    for adj in (Adjacency(edges, 4), Adjacency(edges, 4, weight)):
        whole = adj.normalize("none", loops, torch.float64)
        torch.testing.assert_close(adj.degree(loops), whole.sum(dim=1), atol=0, rtol=0)
        if loops:
            assert torch.equal(adj.diagonal(loops), whole.to_dense().diagonal())
