"""What a teacher reads of labels: those that are shown, and no others."""

from dataclasses import replace

import pytest
import torch

from graphkd.datasets import Graph
from graphkd.sparse import as_features
from graphkd.teachers import GCN, TeacherOutput
from graphkd.teachers.label_inputs import answer_with_labels
from tests.conftest import make_data


def literal_answer(model: GCN, graph: Graph, shown: list[int], reuse: int) -> torch.Tensor:
    rows = torch.zeros(graph.num_nodes, graph.num_classes)
    logits = torch.empty(0)
    for k in range(reuse + 1):
        for node in range(graph.num_nodes):
            for c in range(graph.num_classes):
                if node in shown:
                    rows[node, c] = float(int(graph.y[node]) == c)
                elif k:
                    rows[node, c] = logits[node, c].exp() / logits[node].exp().sum()
        logits = model(torch.cat([graph.x, rows], dim=1), graph.adj).logits
    return logits


def model_and_graph() -> tuple[GCN, Graph]:
    torch.manual_seed(0)
    graph = Graph.from_data(make_data())
    return GCN(graph.num_features + 3, hidden_dim=6, num_classes=3).eval(), graph


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("reuse", [0, 1, 3])
def test_the_answer_equals_a_loop_over_nodes(sparse: bool, reuse: int) -> None:
    model, graph = model_and_graph()
    run = lambda given: model(given.x, given.adj)  # noqa: E731
    given = replace(graph, x=as_features(graph.x.to_sparse_csr())) if sparse else graph
    with torch.no_grad():
        for shown in (graph.train, graph.train[:4]):
            expected = literal_answer(model, graph, shown.tolist(), reuse)
            torch.testing.assert_close(answer_with_labels(run, reuse, given, shown).logits, expected)
        assert torch.equal(
            answer_with_labels(run, reuse, given).logits, answer_with_labels(run, reuse, given, graph.train).logits
        )


@pytest.mark.parametrize("reuse", [0, 2])
def test_labels_that_are_not_shown_change_nothing(reuse: int) -> None:
    model, graph = model_and_graph()
    other = graph.y.clone()
    unseen = torch.ones_like(other, dtype=torch.bool)
    unseen[graph.train] = False
    other[unseen] = (other[unseen] + 1) % 3
    outputs: list[TeacherOutput] = []
    for y in (graph.y, other):
        with torch.no_grad():
            outputs.append(answer_with_labels(lambda g: model(g.x, g.adj), reuse, replace(graph, y=y)))
    assert torch.equal(outputs[0].logits, outputs[1].logits)
    other[graph.train[0]] = (other[graph.train[0]] + 1) % 3
    with torch.no_grad():
        shown = answer_with_labels(lambda g: model(g.x, g.adj), reuse, replace(graph, y=other))
    assert not torch.equal(outputs[0].logits, shown.logits)


def test_gradients_flow_through_the_last_pass_alone() -> None:
    model, graph = model_and_graph()
    calls: list[bool] = []

    def run(given: Graph) -> TeacherOutput:
        calls.append(torch.is_grad_enabled())
        output: TeacherOutput = model(given.x, given.adj)
        return output

    answer_with_labels(run, 2, graph).logits.sum().backward()
    assert calls == [False, False, True]
