from dataclasses import replace

import torch

from graphkd.testing.graphs import small_graph
from graphkd.tuning.blinded import blinded


def test_labels_of_test_nodes_are_made_up_and_unknown_ones_stay_unknown() -> None:
    graph = small_graph()
    graph = replace(graph, test=graph.test[:-3])
    hidden = blinded(graph)
    kept = torch.cat([graph.train, graph.val])
    assert torch.equal(hidden.y[kept], graph.y[kept])
    assert hidden.y[graph.test].tolist() == [k % 3 for k in range(graph.test.numel())]
    others = torch.ones(graph.num_nodes, dtype=torch.bool)
    others[torch.cat([kept, graph.test])] = False
    assert others.any()
    assert (hidden.y[others] == -1).all()


def test_other_test_labels_are_the_same_graph() -> None:
    graph = small_graph()
    labels = graph.y.clone()
    labels[graph.test] = (labels[graph.test] + 1) % 3
    other = replace(graph, y=labels)
    assert other.fingerprint() != graph.fingerprint()
    assert blinded(other).fingerprint() == blinded(graph).fingerprint()
