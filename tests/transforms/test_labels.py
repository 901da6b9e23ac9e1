"""Label propagation, and Correct and Smooth, against loops over edges in float64."""

import math
from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output
from graphkd.transforms import CorrectAndSmooth, LabelPropagation, Transform

Table = list[list[float]]
TAU = 1.3


def lonely_graph() -> Graph:
    """A graph whose last node has no edge."""
    graph = small_graph(num_nodes=31)
    return replace(graph, adj=graph.isolate(torch.tensor([30])).adj)


def wide(teacher: TeacherOutput) -> TeacherOutput:
    return replace(teacher, logits=teacher.logits.double())


def links_of(graph: Graph) -> list[list[int]]:
    links: list[list[int]] = [[] for _ in range(graph.num_nodes)]
    for i, j in zip(graph.adj.matrix.row.tolist(), graph.adj.matrix.col.tolist(), strict=True):
        links[i].append(j)
    return links


def one_hot(graph: Graph) -> dict[int, list[float]]:
    return {
        node: [float(c == int(graph.y[node])) for c in range(graph.num_classes)] for node in graph.train.tolist()
    }


def propagated(graph: Graph, known: Table, share: float, alpha: float, hops: int) -> Table:
    links, labels = links_of(graph), one_hot(graph)
    start = [labels.get(node, [0.0] * graph.num_classes) for node in range(graph.num_nodes)]
    table = [list(row) for row in start]
    for _ in range(hops):
        new = []
        for i, row in enumerate(start):
            means = [sum(table[j][c] for j in links[i]) / max(1, len(links[i])) for c in range(len(row))]
            new.append(
                labels.get(i, [alpha * mean + (1 - alpha) * entry for mean, entry in zip(means, row, strict=True)])
            )
        table = new
    result = []
    for row, own in zip(table, known, strict=True):
        spread = [entry / sum(row) for entry in row] if sum(row) > 0 else own
        result.append([(1 - share) * one + share * two for one, two in zip(own, spread, strict=True)])
    return result


def spread(links: list[list[int]], start: Table, share: float, hops: int) -> Table:
    table = [list(row) for row in start]
    for _ in range(hops):
        table = [
            [
                share * sum(table[j][c] / math.sqrt(len(links[i]) * len(links[j])) for j in links[i])
                + (1 - share) * entry
                for c, entry in enumerate(row)
            ]
            for i, row in enumerate(start)
        ]
    return table


def corrected(graph: Graph, known: Table, correction: float, smoothing: float, hops: int) -> Table:
    links, labels = links_of(graph), one_hot(graph)
    errors = [[0.0] * graph.num_classes for _ in known]
    for node, label in labels.items():
        errors[node] = [one - two for one, two in zip(label, known[node], strict=True)]
    sigma = sum(abs(entry) for node in labels for entry in errors[node]) / len(labels)
    answers = []
    for node, row in enumerate(spread(links, errors, correction, hops)):
        size = sum(abs(entry) for entry in row) or 1.0
        moved = [one + sigma * two / size for one, two in zip(known[node], row, strict=True)]
        answers.append(labels.get(node, moved))
    smooth = [[max(0.0, entry) for entry in row] for row in spread(links, answers, smoothing, hops)]
    return [[entry / sum(row) for entry in row] for row in smooth]


@pytest.mark.parametrize(
    ("transform", "literal"),
    [
        (LabelPropagation(share=0.4, alpha=1.0, hops=3), lambda g, z: propagated(g, z, 0.4, 1.0, 3)),
        (LabelPropagation(share=1.0, alpha=0.7, hops=2), lambda g, z: propagated(g, z, 1.0, 0.7, 2)),
        (CorrectAndSmooth(0.9, 0.6, hops=3), lambda g, z: corrected(g, z, 0.9, 0.6, 3)),
        (CorrectAndSmooth(0.5, 0.8, hops=1), lambda g, z: corrected(g, z, 0.5, 0.8, 1)),
    ],
)
def test_the_distributions_are_those_of_the_loop(transform: Transform, literal) -> None:
    graph = lonely_graph()
    teacher = wide(teacher_output(graph))
    found = transform(graph, teacher, TAU)
    known = torch.softmax(teacher.logits / TAU, dim=1).tolist()
    expected = torch.tensor(literal(graph, known), dtype=torch.float64)
    torch.testing.assert_close(torch.softmax(found.logits / TAU, dim=1), expected, rtol=1e-9, atol=1e-12)
    assert found.hops is teacher.hops


@pytest.mark.parametrize("transform", [LabelPropagation(), LabelPropagation(share=1.0), CorrectAndSmooth()])
def test_labels_of_training_nodes_alone_are_read(transform: Transform) -> None:
    graph = small_graph()
    teacher = teacher_output(graph)
    y = (graph.y + 1) % graph.num_classes
    y[graph.train] = graph.y[graph.train]
    one, two = (transform(each, teacher, 1.0).logits for each in (graph, replace(graph, y=y)))
    assert torch.equal(one, two)
    y[graph.train[0]] = (y[graph.train[0]] + 1) % graph.num_classes
    assert not torch.equal(one, transform(replace(graph, y=y), teacher, 1.0).logits)


def test_a_node_that_no_label_reaches_keeps_the_teacher() -> None:
    graph = lonely_graph()
    graph = replace(graph, train=graph.train[graph.train != 30])
    teacher = wide(teacher_output(graph))
    for transform in (LabelPropagation(share=1.0), CorrectAndSmooth()):
        found = torch.softmax(transform(graph, teacher, 1.0).logits[30], dim=0)
        torch.testing.assert_close(found, torch.softmax(teacher.logits[30], dim=0))


def test_without_a_share_of_labels_it_is_the_teacher() -> None:
    graph = small_graph()
    teacher = wide(teacher_output(graph))
    found = torch.softmax(LabelPropagation(share=0.0)(graph, teacher, 2.0).logits / 2, dim=1)
    torch.testing.assert_close(found, torch.softmax(teacher.logits / 2, dim=1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelPropagation(share=1.1), "transform.share is 1.1: it must lie in"),
        (lambda: LabelPropagation(alpha=-0.1), "transform.alpha is -0.1: it must lie in"),
        (lambda: LabelPropagation(hops=-1), "transform.hops is -1: it must be a whole number"),
        (lambda: CorrectAndSmooth(correction=2), "transform.correction is 2: it must lie in"),
        (lambda: CorrectAndSmooth(smoothing=float("nan")), "transform.smoothing is nan: it must lie in"),
    ],
)
def test_mistakes(make, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make()
