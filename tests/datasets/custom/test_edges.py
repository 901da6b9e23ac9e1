import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphkd import from_scipy
from graphkd.datasets.custom.build import Parts, build
from graphkd.edges import both_directions, merge

NODES = 6
EDGE_LISTS = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.sampled_from([0.0, 0.5, 1.0, 4.0])),
    max_size=20,
)


def table(edges, directed: bool) -> dict[tuple[int, int], float]:
    """The literal rule: copies of a directed edge add up, then the larger direction counts for both."""
    found: dict[tuple[int, int], float] = {}
    for sender, receiver, weight in edges:
        found[sender, receiver] = found.get((sender, receiver), 0.0) + weight
    if directed:
        return found
    return {
        pair: max(found.get(pair, 0.0), found.get(pair[::-1], 0.0))
        for pair in {*found, *(pair[::-1] for pair in found)}
    }


@given(EDGE_LISTS, st.booleans())
def test_merging_is_the_literal_rule(edges, directed: bool) -> None:
    sender, receiver, weight = (np.array([edge[part] for edge in edges]) for part in range(3))
    merged = merge(sender.astype(np.int64), receiver.astype(np.int64), weight, NODES)
    if not directed:
        merged = both_directions(*merged, NODES)
    got = dict(zip(zip(merged[0].tolist(), merged[1].tolist(), strict=True), merged[2].tolist(), strict=True))
    assert got == table(edges, directed)
    assert merged[0].size == len(got)


@given(EDGE_LISTS, st.permutations(range(NODES)), st.randoms(use_true_random=False))
def test_neither_the_order_of_edges_nor_that_of_nodes_matters(edges, order, random) -> None:
    features, labels = np.eye(NODES, 3), ["a", "b"] * 3
    shuffled = random.sample(edges, len(edges))

    def made(order, edges):
        return build(
            Parts(
                features[order],
                [edge[0] for edge in edges],
                [edge[1] for edge in edges],
                ids=list(order),
                labels=[labels[node] for node in order],
                split=[["train", "val", "test"][node % 3] for node in order],
                weight=[edge[2] for edge in edges],
            ),
            directed=False,
            seed=0,
        )

    def by_id(data):
        ends = [[data.node_ids[row] for row in part] for part in data.edge_index.tolist()]
        edges = dict(zip(zip(*ends, strict=True), data.edge_weight.tolist(), strict=True))
        rows = zip(data.x.tolist(), data.y.tolist(), data.train_mask.tolist(), strict=True)
        return edges, dict(zip(data.node_ids, rows, strict=True))

    assert by_id(made(list(order), shuffled)) == by_id(made(list(range(NODES)), edges))


def test_isolated_nodes_stay() -> None:
    import scipy.sparse

    assert from_scipy(scipy.sparse.csr_array((5, 5)), np.eye(5)).num_nodes == 5
