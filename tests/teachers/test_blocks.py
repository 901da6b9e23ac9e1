"""Teachers over blocks: the numbers of the whole graph."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphkd import GraphKDError
from graphkd.sparse import Adjacency, Block, sample_blocks, select_rows
from graphkd.teachers import GAT, GCN, GCNII, SAGE, SGC, GraphTransformer, Teacher
from tests.networks import teacher_like
from tests.sparse.test_block import graphs
from tests.sparse.test_matrix import sparse
from tests.strategies import seeded, tables

TEACHERS = {
    "gcn": GCN,
    "sage": SAGE,
    "sage2": functools.partial(SAGE, self_loops=2),
    "mean": functools.partial(SAGE, aggregator="mean"),
    "gat": functools.partial(GAT, heads=2),
    "gcnii": GCNII,
    "sgc": SGC,
    "graph_transformer": functools.partial(GraphTransformer, heads=2),
}


@st.composite
def networks(draw: st.DrawFn) -> Teacher:
    """Any teacher in float64, every weight and statistic drawn, in evaluation mode; 4 features, 4 wide."""
    model: Teacher = teacher_like(
        TEACHERS[draw(st.sampled_from(list(TEACHERS)))],
        4,
        4,
        3,
        num_layers=draw(st.integers(1, 3)),
        jumping_knowledge=draw(st.sampled_from(["none", "none", "cat", "max"])),
        norm=draw(st.sampled_from(["none", "batch", "layer"])),
        residual=draw(st.booleans()),
        initial_residual=draw(st.sampled_from([0.0, 0.3])),
        hops=draw(st.sampled_from(["after_activation", "before_activation"])),
    ).double()
    generator = seeded(draw(st.integers(0, 2**31)))
    for part in [*model.parameters(), *model.buffers()]:
        if part.is_floating_point():
            part.data.copy_(torch.rand(part.shape, generator=generator) + 0.1)
    return model.eval()


@settings(max_examples=60)
@given(adj=graphs(8), x=tables(8, 4), model=networks(), wide=st.booleans(), bag=st.booleans())
def test_blocks_with_all_neighbours_say_what_the_whole_graph_says(
    adj: Adjacency, x: Tensor, model: Teacher, wide: bool, bag: bool
) -> None:
    seeds, features = torch.tensor([6, 0, 3]), sparse(x) if bag else x
    if wide:
        blocks = sample_blocks(adj, seeds, [99] * len(model.convs), seeded(0))
    else:
        blocks = [Block.of(adj, seeds)]
        for _ in model.convs[1:]:
            blocks.insert(0, Block.of(adj, blocks[0].sources))
    out = model(select_rows(features, blocks[0].sources), blocks)
    whole = model(features, adj)
    torch.testing.assert_close(out.logits, whole.logits[seeds])
    for hop, full, block in zip(out.hops, whole.hops, blocks, strict=True):
        torch.testing.assert_close(hop, full[block.receivers(block.sources)])


def test_a_drawn_neighbourhood_trains_every_weight() -> None:
    torch.manual_seed(0)
    adj, x = Adjacency(torch.randint(50, (2, 400)), 50), torch.randn(50, 4)
    for teacher in TEACHERS.values():
        keys = {"num_layers": 3, "residual": True, "norm": "batch", "initial_residual": 0.1}
        model = teacher_like(teacher, 4, 4, 3, **keys)
        blocks = sample_blocks(adj, torch.tensor([4, 9, 1]), [2, 2, 2], seeded(0))
        out = model(x[blocks[0].sources], blocks)
        assert out.logits.shape == (3, 3)
        out.logits.square().sum().backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


def test_rows_that_are_not_the_sources_are_refused() -> None:
    block = Block.of(Adjacency(torch.tensor([[0], [1]]), 3), torch.tensor([1]))
    with pytest.raises(GraphKDError, match="x has 3 rows, but the graph has 2 nodes"):
        GCN(4, num_layers=1)(torch.zeros(3, 4), [block])
