import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import Adjacency, sample, sample_blocks
from graphkd.sparse.sample import subsets
from tests.sparse.test_block import graphs
from tests.strategies import edge_lists, seeded


@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=9), most=st.integers(1, 12), seed=st.integers(0, 99)
)
def test_subsets_are_different_numbers_in_range_and_ascend(sizes: list[int], most: int, seed: int) -> None:
    drawn = subsets(torch.tensor(sizes), most, seeded(seed))
    assert drawn.shape == (len(sizes), min(most, max(sizes)))
    for size, row in zip(sizes, drawn.tolist(), strict=True):
        kept = row[: min(size, most)]
        assert kept == sorted(set(kept))
        assert all(0 <= number < size for number in kept)
        assert size > most or kept == list(range(size))


def test_every_subset_is_equally_likely() -> None:
    """Chi-squared over the 20 threes of 6: mean 19, standard deviation 6.2; the seed is fixed."""
    rows = 20_000
    drawn = subsets(torch.full((rows,), 6), 3, seeded(0))
    code = (drawn * torch.tensor([36, 6, 1])).sum(dim=1)
    counts = torch.bincount(code, minlength=216)
    found = [int(counts[36 * a + 6 * b + c]) for a, b, c in itertools.combinations(range(6), 3)]
    assert sum(found) == rows
    assert sum((count - rows / 20) ** 2 / (rows / 20) for count in found) < 19 + 4 * 6.2


@given(edges=edge_lists(8), fanout=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_a_row_keeps_some_of_its_edges_and_its_sum(edges: torch.Tensor, fanout: int, seed: int) -> None:
    adj, nodes = Adjacency(edges, 8), torch.tensor([5, 0, 3])
    block = sample(adj, nodes, fanout, seeded(seed))
    rows = torch.zeros(3, 8, dtype=torch.float64)
    rows[:, block.sources] = block.normalize("none", 0, torch.float64).to_dense()
    whole = adj.matrix.to_dense()[nodes]
    degree = whole.sum(dim=1)
    assert ((rows > 0).sum(dim=1) == degree.clamp(max=fanout)).all()
    assert (whole[rows > 0] == 1).all()
    torch.testing.assert_close(rows.sum(dim=1), degree.double())


def test_the_expected_operator_is_that_of_the_graph() -> None:
    """Mean over 1,000 draws against the whole rows; the largest deviation is below 4 standard errors."""
    edges = torch.randint(12, (2, 60), generator=seeded(1))
    weight = torch.rand(60, generator=seeded(2))
    adj, nodes, draws = Adjacency(edges, 12, weight), torch.tensor([7, 2]), []
    generator = seeded(3)
    for _ in range(1000):
        block = sample(adj, nodes, 2, generator)
        row = torch.zeros(2, 12, dtype=torch.float64)
        row[:, block.sources] = block.normalize("symmetric", 1, torch.float64).to_dense()
        draws.append(row)
    every = torch.stack(draws)
    expected = adj.normalize("symmetric", 1, torch.float64).to_dense()[nodes]
    error = every.std(dim=0) / 1000**0.5
    assert ((every.mean(dim=0) - expected).abs() <= 4 * error + 1e-12).all()
    assert every.std(dim=0).max() > 0.05  # there was something to draw


@given(adj=graphs(9), fanouts=st.lists(st.integers(1, 3), min_size=1, max_size=3), seed=st.integers(0, 2**31))
def test_blocks_follow_from_one_another_and_from_the_generator(
    adj: Adjacency, fanouts: list[int], seed: int
) -> None:
    seeds = torch.tensor([8, 1])
    blocks, again = (sample_blocks(adj, seeds, fanouts, seeded(seed)) for _ in range(2))
    assert len(blocks) == len(fanouts)
    for before, after in itertools.pairwise(blocks):
        assert torch.equal(before.receivers(before.sources), after.sources)
    assert torch.equal(blocks[-1].receivers(blocks[-1].sources), seeds)
    for block, fanout in zip(blocks, fanouts, strict=True):
        assert block.matrix.rowptr.diff().max() <= fanout
    assert all(torch.equal(one.sources, other.sources) for one, other in zip(blocks, again, strict=True))
