"""P&D against a loop over edges, in float64."""

import math
from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output
from graphkd.transforms import NoTransform, PropagateTeacher


def literal(graph, logits: torch.Tensor, tau: float, gamma: float, hops: int, fix: bool) -> list[list[float]]:
    """``T^{k+1}_i = gamma Σ_j Ã_ij T^k_j + (1 − gamma) T^0_i``, rows scaled at the end."""
    count, classes = logits.shape
    links = {(i, i) for i in range(count)}
    links |= set(zip(graph.adj.matrix.row.tolist(), graph.adj.matrix.col.tolist(), strict=True))
    degree = [sum(1 for i, _ in links if i == node) for node in range(count)]
    start = torch.softmax(logits.double() / tau, dim=1).tolist()
    train = set(graph.train.tolist())
    if fix:
        for node in train:
            start[node] = [float(c == int(graph.y[node])) for c in range(classes)]
    table = [list(row) for row in start]
    for _ in range(hops):
        new = [[(1 - gamma) * entry for entry in row] for row in start]
        for i, j in links:
            for c in range(classes):
                new[i][c] += gamma * table[j][c] / math.sqrt(degree[i] * degree[j])
        table = [start[i] if fix and i in train else row for i, row in enumerate(new)]
    return [[entry / sum(row) for entry in row] for row in table]


@pytest.mark.parametrize("fix", [False, True])
def test_the_student_is_given_the_propagated_distributions(fix: bool) -> None:
    graph = small_graph(num_nodes=30)
    teacher = teacher_output(graph)
    teacher = replace(teacher, logits=teacher.logits.double())
    found = PropagateTeacher(gamma=0.7, hops=3, fix_labels=fix)(graph, teacher, 1.3)
    expected = torch.tensor(literal(graph, teacher.logits, 1.3, 0.7, 3, fix), dtype=torch.float64)
    torch.testing.assert_close(torch.softmax(found.logits / 1.3, dim=1), expected, rtol=1e-9, atol=1e-12)
    assert found.hops is teacher.hops


def test_no_hops_and_none_are_the_teacher() -> None:
    graph = small_graph()
    teacher = teacher_output(graph)
    found = torch.softmax(PropagateTeacher(hops=0)(graph, teacher, 1.0).logits, dim=1)
    torch.testing.assert_close(found, torch.softmax(teacher.logits, dim=1), rtol=1e-5, atol=1e-7)
    assert NoTransform()(graph, teacher, 1.0) is teacher


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gamma": 1.1}, "transform.gamma is 1.1: it must lie in"),
        ({"hops": -1}, "transform.hops is -1"),
        ({"fix_labels": 1}, "transform.fix_labels is 1: choose true or false"),
    ],
)
def test_mistakes(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        PropagateTeacher(**keys)
