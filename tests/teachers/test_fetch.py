import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphkd.sparse import Adjacency
from graphkd.teachers import Teacher
from graphkd.teachers.fetch import fetched, neighbourhood
from tests.sparse.test_block import graphs
from tests.sparse.test_matrix import sparse
from tests.strategies import tables
from tests.teachers.test_blocks import networks

NODES = st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True).map(torch.tensor)


@settings(max_examples=60)
@given(adj=graphs(8), x=tables(8, 4), model=networks(), bag=st.booleans(), nodes=NODES)
def test_asked_for_some_nodes_it_says_what_it_says_of_all(
    adj: Adjacency, x: Tensor, model: Teacher, bag: bool, nodes: Tensor
) -> None:
    features = sparse(x) if bag else x
    torch.testing.assert_close(fetched(model, features, adj, nodes), model(features, adj).logits.detach()[nodes])


@given(adj=graphs(8), nodes=NODES, hops=st.integers(1, 4))
def test_a_neighbourhood_is_all_that_is_within_reach(adj: Adjacency, nodes: Tensor, hops: int) -> None:
    edges = list(zip(adj.matrix.row.tolist(), adj.matrix.col.tolist(), strict=True))
    reached = set(nodes.tolist())
    for _ in range(hops):
        reached |= {sender for receiver, sender in edges if receiver in reached}
    blocks = neighbourhood(adj, nodes, hops)
    assert (len(blocks), set(blocks[0].sources.tolist())) == (hops, reached)
